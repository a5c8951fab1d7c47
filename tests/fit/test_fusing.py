from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Normalisation, Plan, Watch
from isocenter.errors import ResourceError
from isocenter.fit.fusing import (
    Fused,
    Samples,
    _pace,
    _passes,
    _varied,
    fuse,
    logits,
    network_files,
    thinned,
    tokens,
)
from isocenter.infer import engine

SPEC = {"name": "small", "rank": 2, "channels": 1, "outputs": 4, "seed": 0, "width": 4, "depth": 2}
HOW = Fused("late", 4, 0.3, 8, 0.02, 0.01, 8)


def samples(n: int = 32, seed: int = 0) -> Samples:
    """A bright spot and a raised fact, both of the class; the picture is missing in a third."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    images = rng.normal(0, 1, (n, 1, 8, 8)).astype(np.float32)
    images[y == 1, 0, 2:6, 2:6] += 2
    present = np.stack([rng.random(n) > 0.3, np.ones(n, bool)], axis=1)
    present[0, 0] = True
    images[~present[:, 0]] = 0
    facts = (rng.normal(0, 1, (n, 2)) + 1.5 * y[:, None]).astype(np.float32)
    return Samples((images,), facts, present, np.eye(2, dtype=np.float32)[y])


@pytest.mark.parametrize("kind", ["late", "joint", "attention"])
def test_it_learns_and_is_the_same_twice(kind: str) -> None:
    how = Fused(kind, 4, 0.3, 8, 0.02, 0.01, 8)
    (a, history), (b, _) = (
        fuse([SPEC], samples(), samples(16, 1), how, several=False, watch=Watch(seed=3)) for _ in range(2)
    )
    found = logits(a, samples(40, 2))
    assert np.array_equal(found, logits(b, samples(40, 2)))
    assert np.mean(found.argmax(1) == np.arange(40) % 2) >= 0.8
    assert len(history) == 8 and history[-1]["train_loss"] < history[0]["train_loss"]


def test_the_best_epoch_on_val_stays_or_the_last() -> None:
    def loss(choose: bool) -> float:
        made, history = fuse(
            [SPEC], samples(), samples(16, 1), HOW, several=False, watch=Watch(), choose=choose
        )
        z, y = logits(made, samples(16, 1)), samples(16, 1).truth
        own = float(-(z - np.log(np.exp(z).sum(1, keepdims=True)))[y > 0].mean())
        wanted = [h["valid_log_loss"] for h in history]
        assert own == pytest.approx(min(wanted) if choose else wanted[-1], abs=1e-5)
        return own

    assert loss(True) <= loss(False)


def test_several_labels_and_nothing_but_presence() -> None:
    held = samples()
    labels = np.stack([held.truth[:, 1], held.present[:, 0]], axis=1).astype(np.float32)
    both = Samples(held.images, held.facts, held.present, labels)
    made, _ = fuse([SPEC], both, both, HOW, several=True, watch=Watch())
    assert logits(made, both).shape == (32, 2)
    bare = Samples((), held.facts[:, :0], held.present, np.eye(2, dtype=np.float32)[held.present[:, 0].astype(int)])
    made, _ = fuse([], bare, bare, Fused("joint", 4, 0.0, 20, 0.02, 0.0, 8), several=False, watch=Watch())
    assert np.array_equal(logits(made, bare).argmax(1), held.present[:, 0])


def test_encoders_answer_the_same_as_onnx() -> None:
    held = samples()
    made, _ = fuse([SPEC], held, held, HOW, several=False, watch=Watch())
    plan = Plan("classify", 2, 1, ("a", "b"), size=(8, 8), normalisation=Normalisation("none"))
    files = network_files(made, [plan], held)
    here = np.flatnonzero(held.present[:, 0])
    found = engine(files["encoder0.onnx"].tobytes())(held.images[0][here])
    assert found == pytest.approx(tokens(made, held)[here, 0], abs=1e-4)
    assert files["encoder0/input"].shape == (1, 1, 8, 8) and files["encoder0/output"].shape == (1, 4)
    assert set(files) >= {"head/facts.weight", "head/each.0.weight", "head/each.1.bias"}
    assert not any(name.startswith("head/encoders") for name in files)


def test_modalities_are_left_out_as_often_as_said_and_never_all() -> None:
    rng = np.random.default_rng(0)
    present = np.tile([True, True, False], (4000, 1))
    kept = thinned(present, 0.4, rng)
    assert kept.any(axis=1).all() and not kept[:, 2].any()
    # Each stays with 0.6, or as the last one with half of 0.4 x 0.4.
    assert kept[:, :2].mean(axis=0) == pytest.approx([0.68, 0.68], abs=0.02)
    assert np.array_equal(thinned(present, 0.0, rng), present)


def test_a_loss_that_is_no_number_ends_it() -> None:
    held = samples()
    broken = Samples(held.images, np.full_like(held.facts, np.nan), held.present, held.truth)
    with pytest.raises(ResourceError, match="Lower learning"):
        fuse([SPEC], broken, held, HOW, several=False, watch=Watch())


def complete(n: int, seed: int) -> Samples:
    """Everyone has a picture that tells the class, and facts that tell it less well."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    images = rng.normal(0, 0.3, (n, 1, 8, 8)).astype(np.float32)
    images[y == 1, 0, 2:6, 2:6] += 2
    facts = (rng.normal(0, 1, (n, 2)) + 1.2 * y[:, None]).astype(np.float32)
    return Samples((images,), facts, np.ones((n, 2), bool), np.eye(2, dtype=np.float32)[y])


def test_who_met_missing_modalities_in_training_copes_without_one() -> None:
    def losses(dropout: float) -> tuple[float, float]:
        how = Fused("joint", 4, dropout, 15, 0.02, 0.01, 8)
        made, _ = fuse([SPEC], complete(32, 0), complete(16, 1), how, several=False, watch=Watch(seed=1), choose=False)
        test = complete(60, 2)
        lacking = Samples(test.images, test.facts, np.tile([False, True], (60, 1)), test.truth)
        both = []
        for held in (test, lacking):
            z = logits(made, held)
            both.append(float(-(z - np.log(np.exp(z).sum(1, keepdims=True)))[held.truth > 0].mean()))
        return both[0], both[1]

    (whole, without), (_, never) = losses(0.4), losses(0.0)
    assert without < never
    assert whole < 0.4 and without < np.log(2) + 0.05


def test_the_rate_rises_and_falls_and_small_sets_get_more_passes() -> None:
    paces = [_pace(share) for share in np.linspace(0, 1, 41)]
    top = int(np.argmax(paces))
    assert max(paces) <= 1.01 and paces[0] < 0.02 and paces[-1] < 1e-6
    assert paces[: top + 1] == sorted(paces[: top + 1]) and paces[top:] == sorted(paces[top:], reverse=True)
    assert [_passes(n, 8) for n in (8, 80, 800, 80_000)] == [150, 40, 10, 10]


def test_samples_are_varied_in_training_alone() -> None:
    rng, image = np.random.default_rng(0), complete(2, 0).images[0][1]
    other = _varied(image, rng)
    assert other.shape == image.shape and other.dtype == np.float32
    assert not np.array_equal(other, image) and not np.array_equal(_varied(image, rng), other)
    made, _ = fuse([SPEC], complete(8, 0), complete(8, 1), HOW, several=False, watch=Watch())
    assert np.array_equal(logits(made, complete(8, 2)), logits(made, complete(8, 2)))


def test_how_many_are_asked_at_once_does_not_matter() -> None:
    made, _ = fuse([SPEC], complete(8, 0), complete(8, 1), HOW, several=False, watch=Watch())
    many = complete(40, 3)
    one = Samples((many.images[0][-1:],), many.facts[-1:], many.present[-1:], many.truth[-1:])
    assert logits(made, many)[-1] == pytest.approx(logits(made, one)[0], abs=1e-5)
    assert tokens(made, many).shape == (40, 2, 4)
