"""Cases averaged down."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import IGNORE, Cases, Image
from isocenter.tasks.segment._coarse import coarse, few
from isocenter.tasks.segment._start import Start, median_radius
from isocenter.tasks.segment.region_growing import RegionGrowing


def cases(n: int = 3, shape: tuple[int, ...] = (400, 200), spacing: tuple[float, ...] | None = None) -> Cases:
    mask = np.zeros(shape, np.uint8)
    mask[tuple(slice(s // 4, s // 2) for s in shape)] = 1
    image = Image.from_array(mask * 90 + 10, spacing=spacing)
    return Cases.from_arrays([image] * n, [mask] * n, task="segment", classes=("lesion",))


def test_lengths_keep_their_unit() -> None:
    train = cases()
    small = coarse(RegionGrowing(), train)
    geometry = small[0].image().geometry
    assert geometry.shape == (133, 100) and geometry.spacing == (3.0, 2.0)
    assert median_radius(small) == pytest.approx(median_radius(train), abs=2.0)
    metric = coarse(RegionGrowing(), cases(spacing=(0.1, 0.2)))[0].image().geometry.spacing
    assert metric == pytest.approx((0.3, 0.4))


def test_the_truth_goes_with_it_and_what_is_ignored_stays_so() -> None:
    mask = np.zeros((320, 160), np.uint8)
    mask[100:200, 40:80] = 2
    mask[0:1, 0:1] = IGNORE
    mask[300:, :] = 1
    train = Cases.from_arrays([mask * 1.0], [mask], task="segment", classes=("a", "b"))
    labels = coarse(RegionGrowing(), train)[0].truth().labels
    assert labels.shape == (160, 160) and labels[0, 0] == IGNORE and (labels == IGNORE).sum() == 1
    assert (labels[50:100, 40:80] == 1).all() and (labels[150:] == 1).all() and (labels == 1).sum() == 50 * 40 + 1600


def test_colours_and_volumes() -> None:
    rng = np.random.default_rng(0)
    picture = Image.from_array(rng.random((3, 322, 40)), axes="cyx", channels=("red", "green", "blue"))
    mask = np.zeros((322, 40), np.uint8)
    mask[50:90, 10:20] = 1
    small = coarse(RegionGrowing(), Cases.from_arrays([picture], [mask], task="segment", classes=("x",)))[0].image()
    assert small.channels == ("red", "green", "blue") and small.pixels().shape == (3, 107, 40)
    assert small.pixels()[1, 0, 5] == pytest.approx(picture.pixels()[1, :3, 5].mean(), rel=1e-5)
    volume = coarse(RegionGrowing(), cases(1, (20, 60, 96)))[0]
    assert volume.image().geometry.shape == (20, 30, 48) == volume.truth().labels.shape


def test_a_few_evenly_and_as_they_are_where_the_pixel_matters() -> None:
    train = cases(20, (40, 30))
    assert len(few(train)) == 8 == len(coarse(RegionGrowing(), train)) and len(few(train, 4)) == 4
    assert [c.id for c in few(train, 2)] == [train[0].id, train[19].id]
    for method in (RegionGrowing(on="texture"), RegionGrowing(start=Start(seeds=((1, 1),))),
                   RegionGrowing(on=RegionGrowing()), RegionGrowing(start=Start(region=RegionGrowing()))):
        assert coarse(method, cases(2))[0].image().geometry.shape == (400, 200)
