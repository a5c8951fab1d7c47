"""A target followed by the features of a network."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Plan, Tracks, Watch, build
from isocenter.data.plan import Normalisation
from isocenter.errors import InputError, RecipeError
from isocenter.ops.warping import grid_points, sampled
from isocenter.simulate import cohort
from isocenter.simulate.noise import smooth
from isocenter.tasks.segment._fitted import FittedSegmenter
from isocenter.tasks.segment.threshold import Threshold
from isocenter.tasks.segment.unet import UNet
from isocenter.tasks.track._follower import frames_of
from isocenter.tasks.track.siamese import Siamese
from isocenter.tasks.track.template import Template

START = (46.0, 50.0)
PLAN = Plan("segment", 2, 1, ("background", "a"), normalisation=Normalisation("standardise"), tolerance=1e-3)


@pytest.fixture
def network(conv_network) -> FittedSegmenter:
    """A network of random filters, which has learnt nothing."""
    rng = np.random.default_rng(1)
    layers = [(rng.normal(size=(8, 1, 5, 5)) / 5, np.zeros(8)), (rng.normal(size=(2, 8, 3, 3)), np.zeros(2))]
    data = conv_network(*layers)
    from isocenter.infer import engine

    vector = rng.normal(size=(1, 1, 8, 8)).astype(np.float32)
    arrays = {"network.onnx": np.frombuffer(data, np.uint8), "vector/input": vector,
              "vector/output": engine(data, threads=1)(vector)}
    return FittedSegmenter({"plan": PLAN.as_json(), "classes": ["background", "a"]}, arrays)


@cache
def trained() -> object:
    cells = cohort(4, seed=0, kind="cells", shape=(48, 56), task="segment")
    brief = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4}
    return build(UNet, brief).fit(cells.split("train"), cells.split("val"), watch=Watch(threads=1))


def film(frames: int = 8, shape: tuple[int, int] = (92, 101), axes: str = "tyx") -> tuple[Image, np.ndarray]:
    """Tissue that wanders as a whole, its contrast turned about from frame to frame."""
    rng = np.random.default_rng(0)
    tissue = smooth([n + 40 for n in shape], rng, grain=2.5)
    moved = np.array([[6 * np.sin(t / 2), 1.5 * t - 4] for t in range(frames)])
    moved -= moved[0]
    grid = grid_points(shape)
    pixels = np.stack([100 + 30 * sampled(tissue, grid + 20 - m, order=3) + 3 * rng.normal(size=shape) for m in moved])
    return Image.from_array(np.clip(pixels, 0, 255).astype(np.uint8), axes=axes), moved


def test_a_target_is_followed_by_features(network) -> None:
    image, moved = film()
    found = Siamese(on=network, at=START, size=21).predict(Case.of(image))
    assert isinstance(found, Tracks) and found.geometry.same_grid(image.geometry)
    assert found.frames.tolist() == list(range(8)) and np.abs(found.positions - START - moved).max() < 0.3
    assert (found.objects.scores > 0.8).all() and np.allclose(found.objects.sizes, 21)
    again = Siamese(on=network, at=START, size=21).predict(Case.of(image))
    assert np.array_equal(again.positions, found.positions)


def test_features_coarser_than_the_frame_and_frames_that_are_no_multiple() -> None:
    image, moved = film()
    for stride, within, least in ((1, 0.5, 8), (2, 1.0, 8), (4, 2.0, 1)):
        method = Siamese(on=trained(), at=START, size=25, stride=stride)
        values, ratio = method.look()(next(frames_of(image)))
        assert values.ndim == 3 and (ratio >= 1 / stride - 1e-6).all() and len(values) > 1
        found = method.predict(Case.of(image))
        assert len(found) >= least
        assert np.abs(found.positions - START - moved[found.frames]).max() < within


def test_the_stream_says_the_same_as_the_film(network) -> None:
    image, _ = film(4)
    frames = list(frames_of(image))
    method = Siamese(on=network, at=START, size=21)
    stream = method.stream(frames[0])
    for frame in frames[1:]:
        assert stream.step(frame)[0].place is not None
    assert np.array_equal(stream.tracks().positions, method.predict(Case.of(image)).positions)
    assert (stream.evidence()["ms"] > 0).all()
    with pytest.raises(RecipeError, match="outside"):
        Siamese(on=network, at=(500, 2)).stream(frames[0])


def test_what_has_no_features_is_refused() -> None:
    image, _ = film(2)
    for part in (None, Threshold(), Template(at=START)):
        with pytest.raises(RecipeError, match="could see a target"):
            Siamese(on=part, at=START).predict(Case.of(image))


def test_bad_films(network) -> None:
    image, _ = film(4)
    pixels = image.pixels().astype(float)
    pixels[2] = np.nan
    found = Siamese(on=network, at=START, size=21).predict(Case.of(Image.from_array(pixels, axes="tyx")))
    assert found.frames.tolist() == [0, 1, 3]
    even = Case.of(Image.from_array(np.full((3, 40, 40), 7.0), axes="tyx"))
    assert isinstance(Siamese(on=network, at=(20, 20)).predict(even), NotEvaluated)
    assert isinstance(Siamese(on=network, at=(200, 20)).predict(Case.of(image)), NotEvaluated)
    with pytest.raises(InputError, match="single image"):
        Siamese(on=network, at=START).predict(Case.of(next(frames_of(image))))
    with pytest.raises(InputError, match="2 axes"):
        Siamese(on=network, at=(4, 20, 20)).predict(Case.of(Image.from_array(np.zeros((2, 8, 40, 40)), axes="tzyx")))
