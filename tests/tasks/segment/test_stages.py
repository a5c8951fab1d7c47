from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import IGNORE, Case, Geometry, Image, Segmentation
from isocenter.errors import InputError, LabelError
from isocenter.tasks.segment._stages import (
    anything,
    box_of,
    changed,
    coarse_shape,
    coarsened,
    cut,
    joined,
    localised,
    shrunk,
)


def labelled(shape: tuple[int, ...], *, axes: str = "yx") -> Case:
    rng = np.random.default_rng(0)
    labels = np.zeros(shape, np.uint8)
    labels[tuple(slice(n // 4, n // 2) for n in shape)] = 2
    pixels = rng.integers(0, 90, (3, *shape) if "c" in axes else shape).astype(np.int16)
    channels = ("red", "green", "blue") if "c" in axes else ()
    image = Image.from_array(pixels, axes=axes, spacing=(2.0,) * len(shape), channels=channels)
    truth = Segmentation(labels, ("background", "a", "b"), image.geometry)
    return Case("x", {"image": image}, load_truth=lambda: truth)


@pytest.mark.parametrize(
    ("shape", "side", "wanted"),
    [((512, 512), 64, (64, 64)), ((24, 512, 512), 64, (16, 64, 64)), ((20, 30), 64, (20, 30)), ((8, 96), 48, (8, 48))],
)
def test_the_coarse_grid_is_small_but_never_thin(shape, side, wanted) -> None:
    assert coarse_shape(shape, side) == wanted


@pytest.mark.parametrize("axes", ["yx", "cyx"])
def test_shrunk_and_cut_images_stay_in_their_place(axes: str) -> None:
    image = labelled((40, 60), axes=axes).image()
    small = shrunk(image, (10, 15))
    assert small.geometry == image.geometry.resampled((10, 15))
    assert small.pixels().shape == small.shape
    assert small.pixels().mean() == pytest.approx(image.pixels().mean(), rel=0.02)
    part = cut(image, (slice(5, 25), slice(10, 50)))
    assert np.array_equal(part.channels_first(), image.channels_first()[:, 5:25, 10:50])
    assert part.dtype == "int16"
    assert np.allclose(part.geometry.to_world(np.zeros((1, 2))), image.geometry.to_world(np.array([[5, 10]])))
    assert part.channels == image.channels


def test_whole_numbers_stay_whole_and_films_are_refused() -> None:
    image = labelled((40, 60)).image()
    assert shrunk(image, (10, 15)).pixels().dtype == np.int16
    assert shrunk(Image.from_array(np.ones((8, 8), bool)), (4, 4)).pixels().dtype == np.float32
    film = Image.from_array(np.zeros((3, 8, 8)), axes="tyx")
    with pytest.raises(InputError, match="film"):
        shrunk(film, (4, 4))
    with pytest.raises(InputError, match="film"):
        cut(film, (slice(0, 4), slice(0, 4)))


def test_a_map_becomes_a_channel() -> None:
    for axes, n in (("yx", 2), ("cyx", 4)):
        image = labelled((6, 8), axes=axes).image()
        both = joined(image, np.full((6, 8), 0.25))
        assert both.axes == "cyx"
        assert both.pixels().shape == both.shape == (n, 6, 8)
        assert float(both.pixels()[-1].max()) == 0.25
        assert np.array_equal(both.pixels()[:-1], image.channels_first())
    assert both.channels[-1] == "context"


def test_the_smallest_region_is_seen_on_the_coarse_grid_and_ignored_pixels_stay_ignored() -> None:
    labels = np.zeros((64, 64), np.uint8)
    labels[33, 17] = 3
    labels[:16] = IGNORE
    coarse = anything(labels, (8, 8))
    assert coarse[4, 2] == 1
    assert (coarse[:2] == IGNORE).all()
    assert np.count_nonzero(coarse == 1) <= 4


def test_the_box_holds_the_region_with_its_margin() -> None:
    coarse = np.zeros((8, 10), np.uint8)
    coarse[3:5, 4:6] = 1
    assert box_of(coarse, (80, 100), 0.0) == (slice(20, 60), slice(30, 70))
    assert box_of(coarse, (80, 100), 1.0) == (slice(10, 70), slice(20, 80))
    assert box_of(coarse, (80, 100), 9.0) == (slice(0, 80), slice(0, 100))
    assert box_of(np.zeros((8, 10)), (80, 100), 0.1) == (slice(0, 80), slice(0, 100))


@pytest.mark.parametrize("shape", [(64, 96), (12, 40, 40)])
def test_each_stage_learns_from_what_it_will_see(shape: tuple[int, ...]) -> None:
    case = labelled(shape, axes="zyx"[-len(shape) :])
    first = coarsened(case, 16)
    assert first.truth().names == ("background", "foreground")
    assert first.truth().geometry == first.image().geometry
    assert max(first.image().shape) == 16
    second = localised(case, 16, 0.1)
    truth, whole = second.truth(), case.truth()
    assert truth.names == whole.names
    assert truth.labels.shape == second.image().shape
    assert np.count_nonzero(truth.labels == 2) == np.count_nonzero(whole.labels == 2)
    assert truth.labels.size < whole.labels.size


def test_a_case_without_truth_cannot_be_learnt_from() -> None:
    bare = Case.of(Image.from_array(np.zeros((8, 8))))
    with pytest.raises(LabelError, match="no label map"):
        localised(bare, 8, 0.1)


def test_cases_are_changed_when_they_are_opened() -> None:
    from isocenter.simulate import cohort

    cases = cohort(4, seed=0, shape=(32, 32))
    small = changed(cases, lambda case: coarsened(case, 16), classes=("foreground",))
    assert small.classes == ("foreground",)
    assert [c.image().geometry.shape for c in small] == [(16, 16)] * 4
    assert [e.id for e in small.entries] == [e.id for e in cases.entries]
    assert isinstance(small[0].image().geometry, Geometry)
