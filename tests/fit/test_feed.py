from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import IGNORE, Cases
from isocenter.errors import LabelError
from isocenter.fit import feed
from isocenter.fit.feed import Shelf, batch, by_class, generator, prepared_case, room, turn
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.scheme import Scheme
from isocenter.infer import prepare
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet


def scheme_of(cases: Cases, task: str) -> Scheme:
    return plan(UNet() if task == "segment" else Cnn(), fingerprint(cases, task))


def test_a_batch_depends_on_seed_and_step_alone(discs) -> None:
    cases = discs()
    shelf = Shelf(cases, scheme_of(cases, "segment"))
    first, labels = batch(shelf, 5, seed=1, size=3)
    batch(shelf, 6, seed=1, size=3)
    again, more = batch(Shelf(cases, shelf.scheme), 5, seed=1, size=3)
    assert np.array_equal(first, again)
    assert np.array_equal(labels, more)
    assert not np.array_equal(first, batch(shelf, 6, seed=1, size=3)[0])
    assert not np.array_equal(first, batch(shelf, 5, seed=2, size=3)[0])


def test_a_pass_sees_every_case_once() -> None:
    for start in (0, 7, 14):
        assert sorted(turn(7, 3, start + i) for i in range(7)) == list(range(7))
    assert [turn(7, 3, i) for i in range(7)] != [turn(7, 3, 7 + i) for i in range(7)]


def test_shapes_and_types(discs, pictures) -> None:
    cases = discs(rank=3)
    shelf = Shelf(cases, scheme_of(cases, "segment"))
    images, labels = batch(shelf, 0, seed=0)
    patch = shelf.scheme.study.patch
    assert images.shape[1:] == (1, *patch)
    assert labels.shape == (len(images), *patch)
    assert str(labels.dtype) == "torch.int64"
    assert set(np.unique(labels)) <= {0, 1, IGNORE}
    cases = pictures()
    images, target = batch(Shelf(cases, scheme_of(cases, "classify")), 0, seed=0)
    assert images.shape[1:] == (1, 16, 16)
    assert target.sum(1).tolist() == [1.0] * len(images)


def test_training_sees_what_prediction_sees(discs) -> None:
    cases = discs()
    scheme = scheme_of(cases, "segment")
    ready = prepared_case(cases[0], scheme)
    assert np.array_equal(ready.image, prepare(cases[0].image(), scheme.plan).array)


def test_patches_are_centred_on_regions_as_often_as_planned() -> None:
    image = np.zeros((256, 256), np.float32)
    mask = np.zeros(image.shape, np.uint8)
    mask[4:8, 4:8] = 1
    cases = Cases.from_arrays([image], [mask], task="segment", classes=["dot"])
    scheme = scheme_of(cases, "segment")
    scheme = replace(scheme, study=replace(scheme.study, patch=(32, 32)), loop=replace(scheme.loop, foreground=0.5))
    shelf = Shelf(cases, scheme)
    hits = [bool((batch(shelf, s, seed=0, size=1)[1] == 1).any()) for s in range(80)]
    assert 0.3 < np.mean(hits) < 0.7
    none = Shelf(cases, replace(scheme, loop=replace(scheme.loop, foreground=0.0)))
    assert np.mean([bool((batch(none, s, seed=0, size=1)[1] == 1).any()) for s in range(40)]) < 0.2


def test_rare_classes_are_drawn_as_often(pictures) -> None:
    x = np.zeros((20, 8, 8), np.float32)
    cases = Cases.from_arrays(x, ["rare"] * 2 + ["usual"] * 18)
    scheme = scheme_of(cases, "classify")
    assert scheme.loop.imbalance.sampling == "balanced"
    targets = np.concatenate([batch(Shelf(cases, scheme), s, seed=0, size=16)[1] for s in range(8)])
    assert 0.35 < targets[:, 0].mean() < 0.65
    assert [len(g) for g in by_class(cases)] == [2, 18]


def test_by_the_root_of_their_cases_classes_are_drawn_in_between() -> None:
    cases = Cases.from_arrays(np.zeros((20, 8, 8), np.float32), ["rare"] * 2 + ["usual"] * 18)
    scheme = scheme_of(cases, "classify")
    loop = replace(scheme.loop, imbalance=replace(scheme.loop.imbalance, sampling="sqrt"))
    shelf = Shelf(cases, replace(scheme, loop=loop))
    share = np.mean([batch(shelf, s, seed=0, size=16)[1][:, 0].mean() for s in range(40)])
    # Roots of 2 and 18 are one to three; 640 draws have an SD of 0.017.
    assert share == pytest.approx(0.25, abs=0.05)


def test_mixup_joins_each_sample_with_the_next(pictures) -> None:
    cases = pictures()
    plain = scheme_of(cases, "classify")
    loop = replace(plain.loop, imbalance=replace(plain.loop.imbalance, mixup=0.4))
    images, targets = batch(Shelf(cases, plain), 3, seed=1, size=6)
    found, shares = batch(Shelf(cases, replace(plain, loop=loop)), 3, seed=1, size=6)
    share = float(generator(1, 3, 6).beta(0.4, 0.4))
    assert 0 < share < 1
    for i in range(6):
        assert np.allclose(found[i], share * images[i] + (1 - share) * images[(i + 1) % 6], atol=1e-6)
        assert np.allclose(shares[i], share * targets[i] + (1 - share) * targets[(i + 1) % 6], atol=1e-6)
    assert np.array_equal(found, batch(Shelf(cases, replace(plain, loop=loop)), 3, seed=1, size=6)[0])
    assert shares.sum(1).tolist() == pytest.approx([1.0] * 6)


def test_cases_beyond_the_budget_are_prepared_anew(discs) -> None:
    cases = discs()
    scheme = scheme_of(cases, "segment")
    shelf = Shelf(cases, scheme, budget_mb=0.006)
    assert np.array_equal(shelf[3].image, Shelf(cases, scheme)[3].image)
    for i in range(len(cases)):
        shelf[i]
    assert len(shelf.held) < len(cases)


def test_a_truth_of_other_classes_is_refused(discs, pictures) -> None:
    scheme = scheme_of(discs(), "segment")
    other = Cases.from_arrays(
        [np.zeros((24, 24), np.float32)], [np.ones((24, 24), np.uint8)], task="segment", classes=["square"]
    )
    with pytest.raises(LabelError, match="regions of train"):
        prepared_case(other[0], scheme)
    with pytest.raises(LabelError, match="classes of train"):
        prepared_case(Cases.from_arrays(np.zeros((1, 16, 16)), ["x"])[0], scheme_of(pictures(), "classify"))


def test_room_is_a_share_of_what_is_free(monkeypatch) -> None:
    for free, expected in ((None, 4096.0), (2**40, 4096.0), (2**30, 256.0)):
        monkeypatch.setattr(feed, "available", lambda free=free: free)
        assert room() == expected
