"""Tables of lesions say what the values say, in plain numbers."""

import json

import pytest

from isocenter.data.findings.followed import Examined, Followed, Lesion, Sighting, Sized
from isocenter.inspect.follow_tables import change, doubling, tables
from isocenter.inspect.recist import summed


def at(state, size, longest, **more):
    return Sighting(state, (0,), Sized(size, size / 50), Sized(longest, 0.3), Sized(longest / 2, 0.3), **more)


def made(days=(0.0, 90.0)):
    exams = tuple(Examined(f"e{k}", d, 2, Sized(1500.0, 10.0), "world", 0.4, (("overlap %", 90.0),))
                  for k, d in enumerate(days))
    lesions = (
        Lesion("L1", "liver", (at("first", 1000.0, 20.0), at("merged", 3000.0, 26.0, into=("L2",)))),
        Lesion("L2", "liver", (at("first", 500.0, 11.0), Sighting("joined", into=("L1",)))),
        Lesion("L3", "lung", (at("first", 400.0, 12.0), Sighting("gone"))),
        Lesion("L4", "lung", (None, at("new", 50.0, 4.0))),
    )
    return summed(Followed("p1", exams, lesions))


def row(table, **wanted):
    [found] = [r for r in table.rows if all(r[k] == v for k, v in wanted.items())]
    return found


def test_a_row_a_lesion_and_examination_from_when_it_appeared():
    table = tables([made()])["lesions"]
    assert len(table.rows) == 7 and "subject" not in table.header
    first, new = row(table, lesion="L1", exam=1), row(table, lesion="L4", exam=2)
    assert (first["volume_ml"], first["longest_mm"], first["size_from_baseline_percent"]) == (1.0, 20.0, None)
    assert first["volume_ml_low"] < 1.0 < first["volume_ml_high"]
    assert (new["state"], new["size_from_baseline_percent"], new["target"]) == ("new", None, 0)
    gone = row(table, lesion="L3", exam=2)
    assert (gone["state"], gone["size_from_baseline_percent"], gone["volume_ml"]) == ("gone", -100.0, None)


def test_what_joined_a_lesion_counts_as_its_own_before():
    found = made()
    assert change(found, found.lesions[0], 1).percent == pytest.approx(100)
    assert change(found, found.lesions[1], 1) is None
    assert change(found, found.lesions[0], 0) is None
    assert change(found, found.lesions[0], 1, since=None) is None


def test_doubling_takes_the_days():
    found = made()
    assert doubling(found, found.lesions[0], 1) == pytest.approx(90, abs=0.1)
    assert doubling(found, found.lesions[2], 1) is None
    assert doubling(made((None, None)), found.lesions[0], 1) is None


def test_sums_and_exams():
    made_tables = tables([made()])
    second = row(made_tables["sums"], exam=2)
    assert second["sum_mm"] == 26.0 and second["new"] == 1 and second["gone"] == 1 and second["merged"] == 1
    assert second["from_baseline_percent"] == pytest.approx(100 * (26 / 43 - 1), rel=1e-4)
    assert second["crossed"].startswith("the sum is at least 30 %")
    exam = row(made_tables["exams"], exam=1)
    assert (exam["volume_ml"], exam["brought"], exam["overlap %"], exam["residual_mm"]) == (1.5, "world", 90.0, 0.4)


def test_several_subjects_have_a_column_and_no_lesion_has_a_header():
    empty = Followed("p2", (Examined("e", None, 0, Sized(0.0)),) * 2, ())
    both = tables([made(), empty])
    assert {r["subject"] for r in both["sums"].rows} == {"p1", "p2"}
    alone = tables([empty])["lesions"]
    assert alone.rows == () and "lesion" in alone.header
    json.dumps([dict(r) for t in both.values() for r in t.rows], allow_nan=False)


def test_states_are_counted_an_examination_and_no_targets_leave_the_sum_empty():
    exams = (Examined("a", None, 1, Sized(1.0)), Examined("b", None, 1, Sized(1.0)))
    lesions = (Lesion("L1", "liver", (at("first", 30.0, 4.0), at("kept", 31.0, 4.0))),)
    found = summed(Followed("p", exams, lesions))
    table = tables([found])["sums"]
    second = row(table, exam=2)
    assert (second["kept"], second["new"], second["sum_mm"], second["crossed"]) == (1, 0, None, "")
    assert second["day"] is None and second["beyond_error"] is None


@pytest.mark.parametrize(("unit", "column", "value"), [("mm3", "volume_ml", 1.0), ("mm2", "area_mm2", 1000.0),
                                                       ("px", "size_px", 1000.0)])
def test_sizes_have_the_unit_of_the_images(unit, column, value):
    exams = (Examined("a", None, 1, Sized(1000.0)),) * 2
    lesions = (Lesion("L1", "object", (at("first", 1000.0, 12.0), at("kept", 1200.0, 13.0))),)
    made_tables = tables([Followed("p", exams, lesions, unit=unit)])
    assert row(made_tables["lesions"], exam=1)[column] == value
    assert row(made_tables["exams"], exam=2)[column] == value
    assert f"longest_{'px' if unit == 'px' else 'mm'}" in made_tables["lesions"].header


def test_a_lesion_that_came_back_changed_since_it_was_last_there():
    exams = tuple(Examined(n, 30.0 * k, 1, Sized(1.0)) for k, n in enumerate("abc"))
    lesion = Lesion("L1", "object", (at("first", 1000.0, 12.0), Sighting("gone"), at("back", 500.0, 10.0)))
    found = Followed("p", exams, (lesion,))
    last = row(tables([found])["lesions"], exam=3)
    assert last["size_from_previous_percent"] == pytest.approx(-50) == last["size_from_baseline_percent"]
    assert last["doubling_days"] == pytest.approx(-60, abs=0.1)
    assert row(tables([found])["lesions"], exam=2)["doubling_days"] is None
