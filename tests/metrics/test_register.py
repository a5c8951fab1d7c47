"""Errors of a registration against arithmetic, over the three kinds of truth and every degenerate case."""

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Boxes, CaseScore, Correspondence, Geometry, NotEvaluated, Segmentation, Transform
from isocenter.data.findings.transform import Field
from isocenter.errors import GeometryError, LabelError
from isocenter.metrics import get, records, summarise, values_of

PLAIN = Geometry((40, 30))
MM = Geometry.from_spacing((40, 30), (2.0, 2.0))
NOTHING = NotEvaluated("nothing in common")
TASK = catalog.task("register")


def shift(x, y, grid=PLAIN):
    return Transform.of_matrix(np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]]), grid, grid)


def landmarks(x, y, grid=PLAIN, n=5):
    points = np.random.default_rng(0).random((n, 2)) * 20
    return Correspondence(grid, grid, (points, points + np.array([x, y])))


def regions(low, high):
    labels = np.zeros(PLAIN.shape, np.uint8)
    labels[low:high, 5:25] = 1
    return Segmentation(labels, ("background", "organ"), PLAIN)


def value(key, answer, truth):
    return records(TASK, answer, truth)[key]["values"].get("all")


@pytest.mark.parametrize("truth", [shift(3, 4), landmarks(3, 4)])
def test_errors_are_distances_in_the_moving_image(truth):
    assert value("tre", shift(3, 4), truth) == pytest.approx(0)
    assert value("tre", shift(0, 0), truth) == pytest.approx(5)
    assert value("tre", NOTHING, truth) == pytest.approx(5)
    assert value("tre_relative", shift(3, 0), truth) == pytest.approx(4 / 50)
    assert value("share_5px", shift(3, 0), truth) == 1
    assert value("share_5px", shift(3, 4), truth) == 1
    assert value("share_5px", shift(0, -1), truth) == 0
    assert value("share_5px", NOTHING, landmarks(0, 0)) == 0


def test_with_spacing_errors_are_millimetres_and_the_share_stays_in_pixels():
    found = records(TASK, shift(0, 0, MM), landmarks(6, 0, MM))
    assert (found["tre"]["values"]["all"], found["tre"]["unit"]) == (pytest.approx(6), "mm")
    assert found["tre"]["px"]["values"]["all"] == pytest.approx(3)
    assert found["share_5px"]["values"]["all"] == 1


def test_folding_counts_pixels():
    at = np.indices(PLAIN.shape).astype(float)
    folded = Transform((Field(np.stack([np.abs(at[1] - 15) - at[1], 0 * at[0]]), PLAIN),), PLAIN, PLAIN)
    assert value("folding", shift(1, 2), landmarks(0, 0)) == 0
    assert value("folding", folded, landmarks(0, 0)) == pytest.approx(100 * 16 / 30)
    assert value("folding", NOTHING, landmarks(0, 0)) is None


def test_inverse_consistency_of_a_matrix_is_nothing_and_of_a_fold_is_large():
    at = np.indices(PLAIN.shape).astype(float)
    folded = Transform((Field(np.stack([np.abs(at[1] - 15) - at[1], 0 * at[0]]), PLAIN),), PLAIN, PLAIN)
    assert value("inverse_consistency", shift(1, 2), landmarks(0, 0)) == pytest.approx(0, abs=1e-9)
    assert value("inverse_consistency", folded, landmarks(0, 0)) > 5
    assert value("inverse_consistency", shift(1000, 0), landmarks(0, 0)) is None
    assert value("inverse_consistency", NOTHING, landmarks(0, 0)) is None


def test_regions_are_brought_over():
    truth = Correspondence(PLAIN, PLAIN, regions=(regions(10, 20), regions(14, 24)))

    def dice(answer):
        return records(TASK, answer, truth)["dice"]["values"]["organ"]

    assert dice(shift(0, 4)) == 1
    assert dice(shift(0, 0)) == dice(NOTHING) == pytest.approx(0.6)
    assert dice(shift(0, 100)) == 0
    assert value("tre", shift(0, 0), truth) is None
    assert records(TASK, shift(0, 0), landmarks(0, 0))["dice"]["values"] == {}


def test_a_region_that_neither_holds_leaves_and_ignored_pixels_do_not_count():
    empty = Correspondence(PLAIN, PLAIN, regions=(regions(3, 3), regions(3, 3)))
    assert records(TASK, shift(0, 0), empty)["dice"]["values"]["organ"] is None
    fixed = regions(10, 20)
    fixed.labels[20:24, :] = 255
    both = Correspondence(PLAIN, PLAIN, regions=(fixed, regions(10, 24)))
    assert records(TASK, shift(0, 0), both)["dice"]["values"]["organ"] == 1


def scores(pairs):
    cases = [CaseScore(str(i), records=records(TASK, a, t), group=str(i), note="" if a else "no")
             for i, (a, t) in enumerate(pairs)]
    return cases, summarise(TASK, cases, method="m", split="test")


def test_tables_give_mean_and_median_with_intervals():
    errors = [1.0, 2.0, 3.0, 100.0] + [2.5] * 8
    cases, found = scores([(shift(e, 0), landmarks(0, 0)) for e in errors])
    tre = found.metrics["tre"]
    assert tre["all"].value == pytest.approx(np.mean(errors))
    assert tre["median"].value == pytest.approx(np.median(errors))
    assert tre["median"].low <= 2.5 <= tre["median"].high
    assert tre["all"].unit == "px"
    assert found.metrics["share_5px"]["all"].value == pytest.approx(11 / 12)
    assert np.allclose(values_of([c.records["tre"] for c in cases], "all"), errors)


@pytest.mark.parametrize("n", [1, 4, 5])
def test_the_weighted_median_is_that_of_repeated_cases(n):
    rng = np.random.default_rng(n)
    table = get("tre", TASK).summary([records(TASK, shift(e, 0), landmarks(0, 0))["tre"] for e in rng.random(n)], None)
    values = np.array([float(table["median"].at(np.eye(n)[[i]])[0]) for i in range(n)])
    weights = rng.integers(0, 4, (20, n)).astype(float)
    weights[:, 0] += 1
    expected = [np.median(np.repeat(values, w.astype(int))) for w in weights]
    assert np.allclose(table["median"].at(weights), expected)
    assert np.isnan(table["median"].at(np.zeros((1, n)))).all()


def test_mixed_units_are_pixels_and_flagged():
    _, found = scores([(shift(0, 0, MM), landmarks(6, 0, MM)), (shift(0, 0), landmarks(5, 0))])
    assert found.metrics["tre"]["all"].value == pytest.approx(4)
    assert found.metrics["tre"]["all"].unit == "px"
    assert "mixed_units" in found.metrics["tre"]["all"].flags


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(GeometryError, match="other images"):
        records(TASK, shift(0, 0, MM), landmarks(0, 0))
    boxes = Boxes.none(("a",), PLAIN)
    for answer, truth in ((boxes, landmarks(0, 0)), (shift(0, 0), boxes), (shift(0, 0), NOTHING)):
        with pytest.raises(LabelError, match="compares transforms"):
            records(TASK, answer, truth)
