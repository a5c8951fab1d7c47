"""Where a region begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Image, NotEvaluated, Segmentation, Watch, build
from isocenter.errors import InputError, LabelError, RecipeError
from isocenter.tasks.segment._coarse import few
from isocenter.tasks.segment._on import Part
from isocenter.tasks.segment._start import (
    Begun,
    Start,
    begun,
    begun_by,
    biggest,
    cleaned,
    inside,
    median_radius,
    stands_out,
)
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.region_growing import RegionGrowing


def spots(seed: int = 0, *, height: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """A disc of radius 9 near the middle, and a larger area of the same value at the edge."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:80, :100]
    cy, cx = rng.integers(32, 48), rng.integers(40, 60)
    truth = (y - cy) ** 2 + (x - cx) ** 2 <= 81
    return rng.normal(100, 3, truth.shape) + height * (truth | (y > 68)), truth.astype(np.uint8)


def started(array: np.ndarray, start: Start, **how) -> Begun | NotEvaluated:
    spacing = how.pop("spacing", None)
    case = Case.of(Image.from_array(array, spacing=spacing))
    return begun(case, np.asarray(array, np.float32), start, on=how.pop("on", "intensity"), **how)


def test_a_place_is_the_ball_that_stands_out_with_its_reach() -> None:
    array, truth = spots()
    found = started(array, Start(how="place", bright=True, radius=9.0))
    assert 2 * (found.mask & (truth == 1)).sum() / (found.mask.sum() + truth.sum()) > 0.75
    assert found.reach.sum() > 6 * found.mask.sum() and not found.reach[-1, 0]
    assert started(array, Start(how="place", bright=True, radius=9.0), core=0.5).mask.sum() < 0.3 * found.mask.sum()
    dark = started(-array, Start(how="place", bright=False, radius=9.0))
    assert np.array_equal(dark.mask, found.mask)


def test_a_threshold_takes_everything_on_its_side() -> None:
    array, truth = spots()
    found = started(array, Start(how="threshold", bright=True, radius=4.0))
    assert found.reach is None and found.mask[truth == 1].mean() > 0.95 and found.mask[75].all()
    array[30:50, 5:25] += 80
    loose, strict = (started(array, Start(how="threshold", bright=True, radius=4.0), core=c) for c in (1.0, 0.5))
    assert strict.mask[32:48, 7:23].all() and strict.mask.sum() < 420 <= loose.mask.sum()


def test_radii_are_in_mm_where_the_spacing_is_known() -> None:
    array, _ = spots()
    one = started(array, Start(how="place", bright=True, radius=4.5), spacing=(0.5, 0.5))
    assert np.array_equal(one.mask, started(array, Start(how="place", bright=True, radius=9.0)).mask)


def test_a_given_region_and_given_seeds_win() -> None:
    array, _ = spots()
    found = started(array, Start(how="place", region=Histogram(target=1), bright=True))
    assert found.mask[75].all() and found.reach is None
    seeds = started(array, Start(seeds=((5, 6), (40, 50)), region=Histogram(), bright=True), core=0.0)
    assert np.argwhere(seeds.mask).tolist() == [[5, 6], [40, 50]]


def test_a_parts_probability_is_cut_at_a_half() -> None:
    array = np.array([[0.1, 0.4, 0.6, 0.95, 0.97, 0.6]])
    part = Histogram()
    assert started(array, Start(how="threshold", radius=1.0), on=part).mask.tolist() == [[0, 0, 1, 1, 1, 1]]
    strict = started(array, Start(how="threshold", radius=1.0), on=part, core=0.5)
    assert strict.mask.tolist() == [[0, 0, 0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        (((3, 4), (80, 5)), r"seed 1 lies outside the image.*\(80, 5\).*0 to 79 and 0 to 99"),
        (((-1, 0),), r"seed 0 lies outside.*\(-1, 0\)"),
        (((1, 2, 3),), "seed 0 has another number of indices"),
    ],
)
def test_seeds_outside_the_image_are_refused_by_name_with_their_position(seeds, words: str) -> None:
    array, _ = spots()
    with pytest.raises(InputError, match=words):
        started(array, Start(seeds=seeds))


def test_the_last_pixel_is_inside() -> None:
    inside([(79, 99), (0, 0)], Image.from_array(np.zeros((80, 100))).geometry, where="x")


def test_seeds_come_from_a_recipe_and_none_is_refused() -> None:
    made = build(RegionGrowing, {"start.seeds": [[3, 4], [5, 6]]})
    assert made.start.seeds == ((3, 4), (5, 6))
    with pytest.raises(RecipeError, match="no seed"):
        Start(seeds=())
    with pytest.raises(RecipeError, match="does not answer"):
        Start(region="histogram")  # type: ignore[arg-type]


def test_what_touches_the_edge_less_stands_out() -> None:
    array = np.zeros((20, 20))
    array[5:15, 5:15] = 7
    assert stands_out(array) and not stands_out(-array) and stands_out(np.zeros((3, 3)))


@pytest.mark.parametrize("how", ["place", "threshold"])
def test_where_all_pixels_are_alike_nothing_begins(how: str) -> None:
    assert isinstance(started(np.full((9, 9), 4.0), Start(how=how)), NotEvaluated)


def test_a_part_that_does_not_answer_is_passed_on() -> None:
    found = started(np.zeros((9, 9)), Start(region=Histogram()))
    assert isinstance(found, NotEvaluated) and "different values" in found.reason


def test_leaks_are_cut_and_holes_filled_unless_that_is_forbidden() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:30] = True
    mask[19, 30:55] = True
    mask[18:21, 18:21] = False
    begin = Begun(mask, None, True, 10.0, (1.0, 1.0))
    found = cleaned(mask, begin, After(), smooth=0.3)
    assert not found[19, 45] and found[19, 19]
    assert not cleaned(mask, begin, After(fill=False))[19, 19]
    small = np.zeros((5, 5), bool)
    small[2, 2] = True
    assert cleaned(small, Begun(small, None, True, 10.0, (1.0, 1.0)), After(), smooth=0.3).sum() == 1


def test_the_largest_parts_first() -> None:
    mask = np.zeros((9, 30), bool)
    mask[1:3, 1:3] = mask[4:8, 10:14] = mask[1:4, 20:23] = True
    assert [m.sum() for m in biggest(mask, 5)] == [16, 9, 4]
    assert len(biggest(mask, 2)) == 2


@dataclass(frozen=True)
class Begins:
    """Answers with where it begins."""

    before: Before = Before()
    after: After = After()
    on: str | Part = "intensity"
    start: Start = Start()
    name: str = "foreground"

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        found = begun(case, case.image().pixels().astype(np.float32), self.start, on=self.on)
        if isinstance(found, NotEvaluated):
            return found
        labels = cleaned(found.mask, found, self.after)
        return Segmentation(labels, ("background", self.name), case.image().geometry)


@pytest.mark.parametrize("height", [40.0, -40.0])
def test_start_side_radius_and_name_are_learnt(height: float) -> None:
    drawn = [spots(s, height=height) for s in range(10)]
    train = Cases.from_arrays([d[0] for d in drawn], [d[1] for d in drawn], task="segment", classes=("disc",))
    said = []
    found = begun_by(Begins(), train, train, watch=Watch(report=said.append), share=(0.0, 0.6))
    assert (found.name, found.start.bright, found.start.how) == ("disc", height > 0, "place")
    assert 8 < found.start.radius < 10.5
    assert max(p.share for p in said) <= 0.6
    fixed = Begins(start=Start(how="threshold", bright=True, radius=3.0), after=After(largest=False))
    assert begun_by(fixed, train, train, watch=Watch(), share=(0, 1)).start == fixed.start
    assert len(few(train)) == 8 and median_radius(train) == found.start.radius


def test_without_labels_nothing_is_learnt() -> None:
    empty = Cases.from_arrays([np.eye(8)] * 3, [np.zeros((8, 8), int)] * 3, task="segment", classes=("x",))
    with pytest.raises(LabelError):
        begun_by(Begins(), empty, empty, watch=Watch(), share=(0.0, 1.0))
