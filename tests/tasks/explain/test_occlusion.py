"""What covering a patch costs: against Captum, and where the answer is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from isocenter.data import Attribution, Case, Image, NotEvaluated, Probabilities, Segmentation, build
from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.tasks.explain.occlusion import FILLS, Occlusion, axes, windows
from isocenter.tasks.segment.histogram import Histogram


@pytest.mark.parametrize(
    ("shape", "patch", "stride"),
    [
        ((16, 20), (4, 4), (4, 4)),
        ((16, 20), (5, 6), (2, 4)),
        ((15, 19), (4, 7), (3, 3)),
        ((6, 10, 9), (3, 4, 4), (2, 3, 4)),
    ],
)
def test_it_is_captums(kit, captum, shape, patch, stride):
    net, case = kit.Net(kit.convolutional(rank=len(shape))), kit.case(shape)
    found = Occlusion(of=net, target="mass", patch=patch, stride=stride, fill="black").predict(case)
    peer = captum.Occlusion(lambda x: torch.softmax(net.module(x).double(), dim=1))
    theirs = peer.attribute(
        kit.prepared(case), (1, *patch), strides=(1, *stride), target=1, baselines=0.0
    )[0, 0].numpy()
    assert np.abs(theirs).max() > 1e-4
    assert np.allclose(found.values, theirs, atol=1e-6)
    assert (found.target, found.method) == ("mass", "occlusion")


@dataclass(frozen=True)
class Corner:
    """Ill as far as its upper left corner is bright; looks at nothing else."""

    def predict(self, case: Case) -> Probabilities:
        p = float(np.clip(case.image().channels_first()[..., :4, :4].mean() / 100, 0, 1))
        return Probabilities(("ill", "well"), (p, 1 - p))


@pytest.mark.parametrize("axes_", ["yx", "zyx", "cyx"])
def test_only_what_the_answer_looks_at_is_missed(axes_):
    shape = {"yx": (16, 24), "zyx": (4, 16, 24), "cyx": (3, 16, 24)}[axes_]
    pixels = np.zeros(shape, np.uint8)
    pixels[..., :4, :4] = 90
    case = Case.of(Image.from_array(pixels, axes=axes_))
    found = Occlusion(of=Corner(), patch=4, stride=4, fill="black").predict(case)
    assert found.values.shape == case.image().geometry.shape and found.target == "ill"
    assert np.allclose(found.values[..., :4, :4], 0.9, atol=1e-6)
    assert not found.values[..., 4:, :].any() and not found.values[..., 4:].any()
    against = Occlusion(of=Corner(), target="well", patch=4, stride=4, fill="black").predict(case)
    assert np.allclose(against.values, -found.values, atol=1e-6)


def test_a_segmentation_is_explained_by_what_its_region_loses():
    rng = np.random.default_rng(0)
    pixels = rng.normal(20, 2, (24, 24))
    pixels[6:14, 6:14] += 100
    case = Case.of(Image.from_array(pixels))
    found = Occlusion(of=Histogram(), patch=4, stride=4).predict(case)
    assert isinstance(found, Attribution) and found.target == "foreground"
    assert found.values[6:14, 6:14].mean() > 5 * np.abs(found.values[16:, 16:]).mean()


@dataclass(frozen=True)
class Soft:
    """A region with probabilities, given when asked for."""

    def predict(self, case: Case) -> Segmentation:
        return replace(self.scored(case), scores=None)

    def scored(self, case: Case) -> Segmentation:
        p = np.clip(case.image().channels_first()[0] / 10, 0, 1)
        scores = np.stack([1 - p, p])
        return Segmentation((p > 0.5).astype(np.uint8), ("background", "spot"), case.image().geometry, scores)


def test_soft_scores_are_used_where_there_are_any():
    pixels = np.zeros((8, 8))
    pixels[:2, :2] = 8.0
    found = Occlusion(of=Soft(), patch=2, stride=2, fill="black").predict(Case.of(Image.from_array(pixels)))
    assert np.allclose(found.values[:2, :2], 0.8) and not found.values[2:].any()


@pytest.mark.parametrize("fill", FILLS)
def test_every_fill_keeps_type_and_input(fill):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    kept, seen = pixels.copy(), []

    class Watching:
        def predict(self, case):
            seen.append(case.image().pixels())
            return Probabilities(("a", "b"), (0.5, 0.5))

    found = Occlusion(of=Watching(), fill=fill).predict(Case.of(Image.from_array(pixels)))
    assert not found.values.any() and np.array_equal(pixels, kept)
    assert {s.dtype for s in seen} == {np.dtype(np.uint8)} and {s.shape for s in seen} == {(16, 16)}
    # Two answers about the whole image, then one for each of 15 x 15 patches.
    assert len(seen) == 2 + 15 * 15


def test_places_reach_every_pixel():
    for shape, patch, stride in [((7,), (3,), (2,)), ((7, 5), (7, 2), (1, 2)), ((5, 6, 7), (2, 2, 2), (2, 1, 2))]:
        seen = np.zeros(shape, int)
        for place in windows(shape, patch, stride):
            seen[place] += 1
        assert seen.min() >= 1
    assert axes((3, 99), (10, 10), (1, 1)) == (3, 10)


def test_what_is_refused_and_what_has_no_answer(kit):
    with pytest.raises(RecipeError, match="of="):
        Occlusion()
    net = kit.Net(kit.convolutional())
    with pytest.raises(NotFoundError, match="Did you mean mass"):
        Occlusion(of=net, target="mas").predict(kit.case())
    with pytest.raises(RecipeError, match="one number an axis"):
        Occlusion(of=net, patch=(2, 2, 2)).predict(kit.case())
    with pytest.raises(RecipeError, match="range"):
        build(Occlusion, {"of": net, "patch": 0})
    with pytest.raises(InputError, match="only classes"):
        Occlusion(of=Occlusion(of=net)).predict(kit.case())
    with pytest.raises(InputError, match="frame"):
        Occlusion(of=net).predict(Case.of(Image.from_array(np.zeros((2, 4, 4)), axes="tyx")))
    blank = Case.of(Image.from_array(np.zeros((8, 8))))
    assert "no region" in Occlusion(of=Soft()).predict(blank).reason
    assert isinstance(Occlusion(of=net).predict(Case.of(Image.from_array(np.full((4, 4), np.nan)))), NotEvaluated)


def test_the_same_explanation_of_a_network_that_has_learnt_nothing(kit):
    method = Occlusion(of=kit.Net(kit.convolutional()), fill="blur")
    other = method.redrawn("mass")
    assert (other.target, other.fill) == ("mass", "blur")
    assert not np.allclose(other.predict(kit.case()).values, method.predict(kit.case()).values)
