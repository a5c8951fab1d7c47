"""The differentiable way gives what prediction sees, and its gradient is that of the image's own pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Case, Geometry, Image, Normalisation, Plan
from isocenter.data.turning import turned
from isocenter.errors import InputError, RecipeError
from isocenter.infer import prepare
from isocenter.infer.classifying import decided, probabilities
from isocenter.ops.windows import multiple, padded
from isocenter.tasks._through import decision, through

FLAT = Plan("segment", 2, 1, ("background", "a"))
NORMALISATIONS = [
    Normalisation("standardise"), Normalisation("percentile"), Normalisation("rescale"), Normalisation("none"),
    Normalisation("window", 40.0, 180.0), Normalisation("window", 40.0, 180.0, mean=90.0, sd=30.0),
    Normalisation("foreground"), Normalisation("landmarks", landmarks=tuple(np.linspace(-2, 2, 11) ** 3 / 4)),
]  # fmt: skip


def picture(shape: tuple[int, ...] = (17, 22), dtype: str = "uint8", axes: str | None = None, **more: Any) -> Image:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    return Image.from_array(array, axes=axes, **more)


def seen(image: Image, plan: Plan) -> np.ndarray:
    found = prepare(turned(image, plan.orientation), plan).array
    return padded(found, multiple(found.shape[1:], plan.divisor))


def ways(image: Image, plan: Plan) -> np.ndarray:
    way = through(nn.Identity(), replace(plan, classes=tuple("abc")[: plan.channels]), Case.of(image))
    return way.scores(way.pixels)[0].detach().numpy()


@pytest.mark.parametrize("how", NORMALISATIONS, ids=lambda n: n.kind)
@pytest.mark.parametrize("size", [None, (9, 30), (40, 11)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_way_ends_at_what_prediction_sees(how: Normalisation, size: Any, dtype: str) -> None:
    plan = replace(FLAT, normalisation=how, size=size, divisor=(8, 8))
    image = picture(dtype=dtype)
    assert np.allclose(ways(image, plan), seen(image, plan), atol=2e-4)


@pytest.mark.parametrize("how", NORMALISATIONS, ids=lambda n: n.kind)
def test_a_flat_image_is_no_trouble(how: Normalisation) -> None:
    image = Image.from_array(np.full((9, 9), 60, np.uint8))
    plan = replace(FLAT, normalisation=how)
    assert np.allclose(ways(image, plan), seen(image, plan), atol=1e-5)


def test_a_volume_is_turned_resampled_and_padded() -> None:
    affine = np.array([[0, 0, 2.0, 0], [0, -1.5, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])
    geometry = Geometry((5, 8, 9), affine)
    image = picture((5, 8, 9), "int16", geometry=geometry)
    plan = Plan("segment", 3, 1, ("background", "a"), spacing=(2.0, 2.0, 2.0), divisor=(4, 4, 4), orientation="SPL")
    assert turned(image, "SPL") is not image
    assert np.allclose(ways(image, plan), seen(image, plan), atol=2e-4)
    labels = np.zeros(image.shape, np.uint8)
    labels[1:4, 2:6, 3:8] = 1
    way = through(nn.Identity(), plan, Case.of(image))
    mapped = way.labels(labels)
    assert mapped.shape == seen(image, plan).shape[1:]
    grey = turned(image.replaced(lambda: labels.astype(np.int16)), "SPL")
    there = prepare(grey, replace(plan, normalisation=Normalisation("none"))).array[0]
    inner = mapped != 255
    assert inner.sum() == there.size
    assert ((mapped[inner].reshape(there.shape) == 1) == (there > 0.5)).mean() > 0.95


CHANNELS = [
    ((3, 8, 9), "cyx", ("r", "g", "b"), 3), ((4, 8, 9), "cyx", ("r", "g", "b", "a"), 3), ((8, 9), "yx", (), 3),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "axes", "names", "wanted"), CHANNELS)
def test_channels(shape: tuple[int, ...], axes: str, names: tuple[str, ...], wanted: int) -> None:
    image = picture(shape, axes=axes, channels=names)
    plan = replace(FLAT, channels=wanted)
    assert np.allclose(ways(image, plan), seen(image, plan), atol=2e-4)
    way = through(nn.Identity(), plan, Case.of(image))
    there = way.changed(way.pixels[0].numpy() + 1)
    new, old = there.image().pixels(), image.pixels()
    assert new.dtype == old.dtype and new.shape == old.shape
    first = (slice(0, 3),) if axes == "cyx" else ()
    assert np.array_equal(new[first], np.minimum(old[first].astype(int) + 1, 255))
    if len(names) == 4:
        assert np.array_equal(new[3], old[3]), "transparency is no pixel that a network sees"


def test_a_grey_photograph_stays_grey() -> None:
    one = np.random.default_rng(1).integers(0, 255, (8, 9)).astype(np.uint8)
    image = Image.from_array(np.stack([one] * 3), axes="cyx")
    way = through(nn.Identity(), FLAT, Case.of(image))
    assert way.pixels.shape == (1, 1, 8, 9)
    new = way.changed(way.pixels[0].numpy() + 3.4).image().pixels()
    assert np.array_equal(new[0], np.minimum(one.astype(int) + 3, 255)) and np.array_equal(new[0], new[2])
    prepare(image.replaced(lambda: new), FLAT)


@pytest.mark.parametrize("kind", ["standardise", "rescale", "window"])
def test_the_gradient_is_that_of_the_images_own_pixels(kind: str) -> None:
    torch.manual_seed(0)
    plan = replace(FLAT, normalisation=Normalisation(kind, -10.0, 300.0), size=(7, 12), divisor=(8, 8))
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()).double()
    way = through(lambda x: module(x.double()), plan, Case.of(picture()))
    x = way.pixels.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(way.scores(x)[:, 1].sum(), x)
    nudge = torch.zeros_like(x)
    nudge[0, 0, 6, 9] = 2.0
    with torch.no_grad():
        rise = float((way.scores(x + nudge) - way.scores(x - nudge))[:, 1].sum()) / 4
    assert float(slope[0, 0, 6, 9]) == pytest.approx(rise, rel=0.02, abs=1e-6)


PLANS = [
    Plan("classify", 2, 1, ("a", "b")),
    Plan("classify", 2, 1, ("a", "b"), temperature=3.0, thresholds=(0.3, 0.7), positive="b"),
    Plan("classify", 2, 1, ("a", "b"), thresholds=(0.2, 0.8), positive="a"),
    Plan("classify", 2, 1, ("a", "b", "c"), temperature=0.5, thresholds=(0.2, 0.5, 0.4)),
    Plan("classify", 2, 1, ("a", "b", "c"), multilabel=True, temperature=2.0, thresholds=(0.2, 0.5, 0.8)),
    Plan("classify", 2, 1, ("a", "b", "c"), multilabel=True, thresholds=(0.4,)),
    Plan("classify", 2, 1, ("a", "b"), thresholds=(0.3, 0.6)),
    Plan("classify", 2, 1, ("a", "b"), temperature=1.5, thresholds=(0.3, 0.7), positive="b",
         settings={"calibration": {"kind": "platt", "slope": [1.3, 1.3], "offset": [0.0, -0.4]}}),
]


@pytest.mark.parametrize("plan", PLANS)
def test_the_largest_score_is_what_prediction_decides_for(plan: Plan) -> None:
    logits = np.random.default_rng(0).normal(0, 2, (400, len(plan.classes))).astype(np.float32)
    found = decision(torch.from_numpy(logits), plan).numpy()
    for z, s in zip(logits, found, strict=True):
        values = probabilities(z, plan)
        said = decided(values, plan)
        wanted = (plan.classes[int(np.argmax(values))],) if said is None else said
        if plan.multilabel:
            assert {c for c, v in zip(plan.classes, s, strict=True) if v >= 0} == set(wanted)
        else:
            assert (plan.classes[int(s.argmax())],) == wanted


def test_what_prediction_refuses_is_refused_here() -> None:
    plan = replace(FLAT, classes=("background", "a"))
    with pytest.raises(InputError, match="2 axes"):
        through(nn.Identity(), plan, Case.of(picture((3, 8, 9), axes="zyx")))
    with pytest.raises(InputError, match="channels"):
        through(nn.Identity(), plan, Case.of(picture((3, 8, 9), axes="cyx")))
    with pytest.raises(InputError, match="NaN"):
        through(nn.Identity(), plan, Case.of(Image.from_array(np.full((4, 4), np.nan))))


def test_equalised_contrast_lets_no_gradient_through() -> None:
    plan = replace(FLAT, normalisation=Normalisation("clahe"))
    way = through(nn.Identity(), plan, Case.of(picture()))
    with pytest.raises(RecipeError, match="tile by tile"):
        way.scores(way.pixels)
