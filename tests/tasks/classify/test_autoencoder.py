from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from isocenter.bundle import write
from isocenter.data import Cases, Watch, merged
from isocenter.errors import BundleError, LabelError, RecipeError
from isocenter.tasks.classify.autoencoder import KINDS, SCORES, Autoencoder, normal_of
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.explain.gradients import Gradients
from isocenter.tasks.explain.reconstruction import Reconstruction

QUICK = {"study.epochs": 6, "study.steps": 20, "study.batch_size": 8, "width": 8, "code": 8,
         "study.learning_rate": 0.005}  # fmt: skip
ONCE = QUICK | {"study.epochs": 1, "study.steps": 2}


def discs(n: int = 72, size: int = 16, rank: int = 2) -> Cases:
    """Discs of any brightness; every second one with a bright spot somewhere inside."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(size)] * rank, indexing="ij"))
    x, y = [], []
    for i in range(n):
        centre = rng.uniform(size * 0.45, size * 0.55, rank)
        level, radius = rng.uniform(40, 200), size * rng.uniform(0.28, 0.38)
        image = level * (((grid - centre.reshape(-1, *(1,) * rank)) ** 2).sum(0) < radius**2)
        if i % 2:
            away = rng.normal(size=rank)
            spot = centre + away * rng.uniform(0, 0.6) * radius / np.linalg.norm(away)
            image = image + level * (((grid - spot.reshape(-1, *(1,) * rank)) ** 2).sum(0) < (0.13 * size) ** 2)
        x.append((image + rng.normal(0, 4, image.shape)).astype(np.float32))
        y.append("lesion" if i % 2 else "normal")
    splits = ["train"] * (n // 2) + ["val"] * (n // 4) + ["test"] * (n - n // 2 - n // 4)
    return Cases.from_arrays(x, y, splits=splits, classes=["normal", "lesion"])


def auroc(scores: list[float], truth: list[bool]) -> float:
    s, t = np.asarray(scores), np.asarray(truth)
    gap = s[t][:, None] - s[~t][None]
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


@pytest.fixture(scope="module")
def fitted():
    cases = discs()
    return merged(Autoencoder(), QUICK).fit(cases.split("train"), cases.split("val"))


def told(predictor, cases: Cases) -> tuple[list[float], list[bool]]:
    return [predictor.predict(c).of("lesion") for c in cases], [c.truth().label == "lesion" for c in cases]


def test_a_bright_spot_stands_out_and_not_by_its_brightness(fitted) -> None:
    cases = discs().split("test")
    scores, truth = told(fitted, cases)
    plain = auroc([float(c.image().pixels().mean()) for c in cases], truth)
    assert plain < 0.7
    assert auroc(scores, truth) > max(0.85, plain + 0.15)
    decided = [fitted.predict(c).decision == ("lesion",) for c in cases]
    assert np.mean(np.equal(decided, truth)) > 0.75


def test_only_normal_images_are_learnt_from(fitted) -> None:
    facts = fitted.about["fingerprint"]
    assert facts["counts"] == {"normal": 18, "lesion": 0} and facts["n"] == 18
    assert fitted.plan.head == "autoencode" and fitted.plan.positive == "lesion"
    assert fitted.about["origins"]["plan.settings.calibration"].startswith("val: platt")
    # What train shows of the other class changes nothing.
    cases = discs()
    blank = lambda: replace(cases[1], load_truth=None, images={})  # noqa: E731
    entries = [replace(e, open=blank) if e.split == "train" and e.labels == ("lesion",) else e for e in cases.entries]
    other = replace(cases, entries=tuple(entries))
    recipe = merged(Autoencoder(), ONCE)
    a, b = (recipe.fit(c.split("train"), c.split("val")) for c in (cases, other))
    assert all(np.array_equal(v, b.state()[k]) for k, v in a.state().items())


def test_seeds_repeat_and_differ() -> None:
    cases = discs(24)
    recipe = merged(Autoencoder(), ONCE | {"kind": "variational"})
    sides = cases.split("train"), cases.split("val")
    a, b, c = (recipe.fit(*sides, watch=Watch(seed=s)) for s in (3, 3, 4))
    assert all(np.array_equal(v, b.state()[k]) for k, v in a.state().items())
    assert not np.array_equal(a.state()["weights/encode.weight"], c.state()["weights/encode.weight"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", SCORES)
def test_every_kind_and_score_answers_and_comes_back(kind: str, score: str) -> None:
    cases = discs(16)
    settings = ONCE | {"kind": kind, "anomaly.score": score}
    if score == "elbo" and kind != "variational":
        with pytest.raises(RecipeError, match="only a variational"):
            merged(Autoencoder(), settings)
        return
    made = merged(Autoencoder(), settings).fit(cases.split("train"), cases.split("val"))
    again = Autoencoder.from_state(made.about, made.state())
    answer = again.predict(cases[0])
    assert answer == made.predict(cases[0]) and answer.classes == ("normal", "lesion")
    assert made.about["network"]["score"] == score and made.about["network"]["kind"] == kind
    default = merged(Autoencoder(), {"kind": kind}).anomaly.score
    assert default is None


def test_volumes_and_the_other_class_as_normal() -> None:
    cases = discs(16, 12, 3)
    made = merged(Autoencoder(), ONCE | {"anomaly.normal": "lesion"}).fit(cases.split("train"), cases.split("val"))
    assert made.plan.rank == 3 and made.plan.positive == "normal"
    assert made.about["fingerprint"]["counts"] == {"normal": 0, "lesion": 4}
    assert made.state()["weights/sides"].tolist() == [0.5, -0.5]
    assert sum(made.predict(cases[0]).values) == pytest.approx(1)


def test_the_error_is_where_the_spot_is(fitted) -> None:
    cases = discs()
    ratios = []
    for i, case in enumerate(cases):
        if i < 54 or i % 2 == 0:
            continue
        found = Reconstruction(of=fitted).predict(case)
        assert found.values.shape == case.image().shape and found.target == "lesion" and found.values.min() >= 0
        pixels = case.image().pixels()
        spot = pixels > 1.5 * np.median(pixels[pixels > 0.3 * pixels.max()])
        ratios.append(found.values[spot].mean() / found.values[~spot].mean())
    assert np.median(ratios) > 2
    other = Reconstruction(of=fitted).redrawn("lesion").predict(case)
    assert not np.allclose(other.values, found.values)
    with pytest.raises(Exception, match="not normal"):
        Reconstruction(of=fitted, target="normal").predict(case)


def test_its_inside_opens_for_gradients(fitted) -> None:
    case = discs()[55]
    opened = fitted.opened()
    with torch.inference_mode():
        logits = opened.module(opened.prepare(case))[0]
    assert (logits[1] > logits[0]) == (logits[1] > 0)
    found = Gradients(of=fitted, kind="gradient", target="lesion").predict(case)
    assert np.isfinite(found.values).all() and np.abs(found.values).max() > 0


@pytest.mark.parametrize("rank", [2, 3])
def test_its_encoder_begins_a_classifier(rank: int, tmp_path) -> None:
    cases = discs(16, 12, rank)
    sides = cases.split("train"), cases.split("val")
    made = merged(Autoencoder(), ONCE | {"anomaly.every": True}).fit(*sides)
    assert made.about["fingerprint"]["counts"] == {"normal": 4, "lesion": 4}
    write(made, tmp_path / "ae.bundle", task="classify", method="autoencoder")
    settings = {"network": "small", "width": 8, "form.weights": str(tmp_path / "ae.bundle"), "study.epochs": 1,
                "study.steps": 1, "study.batch_size": 2, "study.learning_rate": 1e-7}  # fmt: skip
    begun = merged(Cnn(), settings).fit(*sides)
    assert "sha256" in begun.about["origins"]["network.weights"]
    for name, array in begun.state().items():
        if name.startswith("weights/stages"):
            assert np.allclose(array, made.state()[name], atol=1e-5), name
    with pytest.raises(BundleError, match="another shape"):
        merged(Cnn(), settings | {"width": 16}).fit(*sides)


def test_images_without_truth_are_learnt_from_where_all_are() -> None:
    cases = discs(24)
    blind = cases.split("train").without_truth(range(3, 10))
    made = merged(Autoencoder(), ONCE | {"anomaly.every": True}).fit(blind, cases.split("val"))
    assert made.about["fingerprint"]["unlabelled"] == 7
    alone = merged(Autoencoder(), ONCE).fit(blind, cases.split("val"))
    assert alone.about["fingerprint"]["unlabelled"] == 0
    assert alone.about["fingerprint"]["n"] == sum(e.labels == ("normal",) for e in blind.entries)


def test_what_is_normal_must_be_known() -> None:
    cases = discs(8)
    assert normal_of(cases, None) == "normal" and normal_of(cases, "lesion") == "lesion"
    with pytest.raises(LabelError, match="no class 'normla'"):
        normal_of(cases, "normla")
    with pytest.raises(LabelError, match="nobody says"):
        normal_of(replace(cases, positive=None), None)
    with pytest.raises(LabelError, match="normal from the rest"):
        normal_of(replace(cases, classes=("a", "b", "c")), None)
    only = cases.subset([1, 3])
    with pytest.raises(LabelError, match="no normal case"):
        Autoencoder().fit(only, only)


@pytest.mark.parametrize("settings", [{"before.spacing": (1.0, 1.0)}, {"before.coarser": 2.0},
                                      {"study.patch": (8, 8)}, {"study.augment.adversarial.epsilon": 0.1}])
def test_what_it_cannot_honour_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        merged(Autoencoder(), settings)


def test_the_recipe_needs_no_torch() -> None:
    assert "torch" not in vars(sys.modules["isocenter.tasks.classify.autoencoder"])
