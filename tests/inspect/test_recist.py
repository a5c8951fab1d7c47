"""Targets and sums after the rules of RECIST 1.1, on lesions whose diameters are given."""

import pytest

from isocenter.data.findings.followed import Examined, Followed, Lesion, Sighting, Sized
from isocenter.inspect.recist import summed


def lesion(name, diameters, kind="liver", *, node=False, error=0.3):
    seen = []
    for k, d in enumerate(diameters):
        if d is None or isinstance(d, str):
            seen.append(None if d is None else Sighting("joined", into=(d,)))
        elif d == 0:
            seen.append(Sighting("gone"))
        else:
            own, other = Sized(float(d), error), Sized(2.0 * d if node else 0.5 * d, error)
            pair = (other, own) if node else (own, other)
            seen.append(Sighting("kept" if k else "first", (0,), Sized(d**3.0), *pair))
    return Lesion(name, kind, tuple(seen), node)


def follow(*lesions, **options):
    n = len(lesions[0].seen)
    exams = tuple(Examined(f"e{k}", None, 1, Sized(0.0)) for k in range(n))
    return summed(Followed("p", exams, lesions), **options)


def targets(found):
    return [one.name for one in found.lesions if one.target]


def test_five_in_all_and_two_an_organ_the_largest_first():
    liver = [lesion(f"L{i}", [30 - i, 1]) for i in range(4)]
    lung = [lesion(f"M{i}", [20 - i, 1], "lung") for i in range(2)]
    bone = [lesion(f"B{i}", [15 - i, 1], "bone") for i in range(2)]
    assert targets(follow(*liver, *lung, *bone)) == ["L0", "L1", "M0", "M1", "B0"]
    assert targets(follow(*liver, *lung, *bone, organs=False)) == ["L0", "L1", "L2", "L3", "M0"]


def test_what_is_too_small_is_no_target():
    assert targets(follow(lesion("a", [9.9, 20]), lesion("b", [10, 5]))) == ["b"]
    assert targets(follow(lesion("a", [14, 9]), thickness=8.0)) == []
    assert targets(follow(lesion("a", [14, 9]), thickness=7.0)) == ["a"]
    nodes = lesion("n", [14.9, 9], "node", node=True), lesion("m", [15, 9], "node", node=True)
    assert targets(follow(*nodes)) == ["m"]
    assert targets(follow(lesion("a", [None, 40]))) == []


def test_sums_changes_and_nadir():
    found = follow(lesion("a", [60, 30, 40]), lesion("b", [40, 20, 22], "lung"))
    assert [t.sum.value for t in found.totals] == [100, 50, 62]
    assert found.totals[0].baseline is None
    assert found.totals[1].baseline.percent == pytest.approx(-50)
    assert found.totals[1].crossed == ("the sum is at least 30 % below the baseline",) and found.totals[1].sure
    last = found.totals[2]
    assert (last.nadir.value, last.from_nadir.percent) == (50, pytest.approx(24))
    assert len(last.crossed) == 2


def test_twenty_percent_alone_is_not_enough():
    assert follow(lesion("a", [20, 24.9])).totals[1].crossed == ()
    assert len(follow(lesion("a", [20, 25.1])).totals[1].crossed) == 1


def test_near_a_threshold_nothing_is_sure():
    close, far = (follow(lesion("a", [100, d], error=2.0)).totals[1] for d in (69, 50))
    assert close.crossed and not close.sure
    assert far.crossed and far.sure
    assert follow(lesion("a", [100, 98], error=2.0)).totals[1].sure is True
    assert follow(lesion("a", [100, 72], error=2.0)).totals[1].sure is False


def test_all_gone_and_nodes_that_are_normal_again():
    found = follow(lesion("a", [30, 0]), lesion("n", [16, 9], "node", node=True))
    assert found.totals[1].crossed == ("no target lesion is left (nodes below 10 mm)",)
    assert found.totals[1].sum.value == 9
    assert "left" not in follow(lesion("n", [16, 11], "node", node=True)).totals[1].crossed[0]


def test_lesions_that_merge_count_once():
    found = follow(lesion("a", [30, 50]), lesion("b", [20, "a"]))
    assert [t.sum.value for t in found.totals] == [50, 50]
    into_other = follow(lesion("a", [12, "z"]), lesion("z", [9, 40]))
    assert [t.sum.value for t in into_other.totals] == [12, 40]


def test_shared_errors_of_an_examination_add_as_they_are():
    parts = [Sighting("first", (0,), Sized(1.0), Sized(20.0, 3.0, 1.0), Sized(1.0))]
    two = [Lesion(n, "liver", tuple(parts)) for n in ("a", "b")]
    total = summed(Followed("p", (Examined("e", None, 2, Sized(0.0)),), tuple(two))).totals[0].sum
    assert (total.random, total.shared) == (pytest.approx(18**0.5), 2.0)


def test_pixels_have_no_sum_of_millimetres_and_no_target_no_sum():
    assert follow(lesion("a", [5, 5])).totals == ()
    plain = Followed("p", (Examined("e", None, 0, Sized(0.0)),), (), unit="px")
    assert summed(plain) is plain


def test_a_lesion_in_parts_counts_with_all_of_them_and_thin_slices_change_no_limit():
    split = Sighting("split", (0, 1), Sized(300.0), Sized(14.0, 0.5), Sized(6.0))
    first = Sighting("first", (0,), Sized(800.0), Sized(15.0, 0.5), Sized(9.0))
    exams = tuple(Examined(n, None, 1, Sized(0.0)) for n in "ab")
    found = summed(Followed("p", exams, (Lesion("a", "liver", (first, split)),)), thickness=1.0)
    assert [t.sum.value for t in found.totals] == [15.0, 14.0]
    assert targets(follow(lesion("a", [10, 9]), thickness=5.0)) == ["a"]


def test_the_nadir_is_the_smallest_before_not_the_smallest_of_all():
    found = follow(lesion("a", [50, 40, 60, 30, 31]))
    assert [t.nadir and t.nadir.value for t in found.totals] == [None, 50, 40, 40, 30]
    assert [bool(t.crossed) for t in found.totals] == [False, False, True, True, True]
    assert found.totals[4].from_nadir.percent == pytest.approx(100 / 30)


def test_from_nothing_there_is_no_percentage():
    found = follow(lesion("a", [12, 0, 8]))
    assert found.totals[2].nadir.value == 0 and found.totals[2].from_nadir is None
    assert found.totals[2].baseline.percent == pytest.approx(-100 / 3)
    assert found.totals[1].crossed[0].startswith("no target lesion is left")
