"""Sizes add up with their errors, and changes know theirs."""

import numpy as np
import pytest

from isocenter.data.findings.followed import Change, Examined, Followed, Lesion, Sighting, Sized


def test_random_errors_add_like_chance_and_shared_ones_as_they_are():
    total = Sized(10.0, 3.0, 1.0) + Sized(20.0, 4.0, 2.0)
    assert (total.value, total.random, total.shared) == (30.0, 5.0, 3.0)
    assert total.error == pytest.approx(np.sqrt(34))
    assert Sized(1.0, 5.0).low == 0.0


def test_the_limits_of_a_change_cover_what_is_drawn():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        a, b = rng.normal(100, 6), rng.normal(70, 5)
        found = Change.between(Sized(a, 6.0), Sized(b, 5.0))
        inside += found.low <= -30.0 <= found.high
    assert 0.935 <= inside / 2000 <= 0.965


def test_to_nothing_and_from_nothing():
    assert Change.between(Sized(0.0), Sized(5.0)) is None
    gone = Change.between(Sized(5.0, 1.0), Sized(0.0))
    assert (gone.percent, gone.beyond) == (-100.0, True)
    assert not Change.between(Sized(5.0, 1.0), Sized(5.5, 1.0)).beyond


def test_a_lesion_says_its_diameter_by_its_kind_and_where_it_is():
    first = Sighting("first", (0,), Sized(500.0), Sized(12.0), Sized(8.0))
    lesion = Lesion("L1", "liver", (first, Sighting("gone"), Sighting("joined", into=("L2",))))
    node = Lesion("L2", "node", (None, first, first), node=True)
    assert lesion.diameter(0).value == 12.0 and node.diameter(1).value == 8.0
    assert lesion.diameter(1).value == 0.0 and lesion.diameter(2) is None
    assert node.sizes(0) is None and node.sizes(1).value == 500.0


def test_states_are_counted():
    seen = (Sighting("first"), Sighting("gone"))
    exams = tuple(Examined(str(i), None, 1, Sized(1.0)) for i in range(2))
    found = Followed("p", exams, (Lesion("L1", "a", seen), Lesion("L2", "a", (None, Sighting("new")))))
    assert (found.count("gone"), found.count("new"), found.count("first", 0), found.count("kept")) == (1, 1, 1, 0)
    assert found.length == "mm" and Followed("p", exams, (), unit="px").length == "px"


@pytest.mark.parametrize(("before", "after"), [(100.0, 40.0), (100.0, 180.0), (8.0, 8.0)])
def test_a_change_is_the_ratio_and_its_limits_hold_it(before, after):
    found = Change.between(Sized(before, 0.05 * before), Sized(after, 0.03 * after, 0.04 * after))
    assert found.percent == pytest.approx(100 * (after / before - 1))
    assert found.low < found.percent < found.high
    # Twice the change of a ratio up is half of it down.
    ratio, low, high = (1 + v / 100 for v in (found.percent, found.low, found.high))
    assert ratio / low == pytest.approx(high / ratio)


def test_without_error_the_limits_are_the_change():
    found = Change.between(Sized(10.0), Sized(15.0))
    assert (found.low, found.high) == (pytest.approx(50), pytest.approx(50))
    assert found.beyond


def test_adding_nothing_changes_nothing():
    one = Sized(4.0, 0.3, 0.2)
    assert one + Sized(0.0) == one
    assert sum([one, one], Sized(0.0)).value == 8.0
    assert sum([], Sized(0.0)).error == 0.0


def test_intervals_are_symmetric_until_nothing():
    found = Sized(10.0, 2.0)
    assert found.high - 10 == pytest.approx(10 - found.low)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * 2.0)


def test_a_lesion_that_came_later_has_nothing_before():
    late = Lesion("L3", "bone", (None, None, Sighting("new", (0,), Sized(5.0), Sized(3.0), Sized(2.0))))
    assert [late.sizes(k) is None for k in range(3)] == [True, True, False]
    assert late.diameter(2).value == 3.0
