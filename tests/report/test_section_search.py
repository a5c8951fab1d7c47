"""The search as a reader sees it."""

from __future__ import annotations

from isocenter.report import Run, Searched
from isocenter.report.privacy import Codes
from isocenter.report.section_search import search_section
from isocenter.report.view import View


def trial(number: int, score: float | None, **values: object) -> dict[str, object]:
    return {"trial": number, "score": score, "seconds": 12.0, "lack": "" if score is not None else "no <memory>",
            "values": values}


TRIALS = [trial(0, 0.7, width=16), trial(1, 0.65, width=8), trial(2, None, width=64), trial(3, 0.8125, width=24)]


def drawn(key: bytes, **fields: object) -> str:
    found = Searched(**{"trials": TRIALS, "best": 3, "score": "dice all", "importance": {"width": 0.9, "rate": 0.1},
                        "ranges": {"width": "4 to 64"}, **fields})  # type: ignore[arg-type]
    section = search_section(View(Codes(key)), Run("t", search=found))
    assert section is not None and section.anchor == "search"
    return str(section.body)


def test_every_trial_is_there_and_what_is_kept(key: bytes) -> None:
    body = drawn(key)
    assert "4 trials" in body and "Trial 3 is the one that is kept" in body and "1 trial failed" in body
    assert "0.8125" in body and "failed" in body and "no &lt;memory&gt;" in body
    assert "All trials (4)" in body and "flatters" in body


def test_the_curve_runs_over_trials(key: bytes) -> None:
    view = View(Codes(key))
    search_section(view, Run("t", search=Searched(TRIALS, 3, "dice all", {}, {})))
    [svg] = [s for name, s in view.figures.items() if name.startswith("search")]
    assert "Trial" in svg and "best so far" in svg and "Epoch" not in svg


def test_what_mattered_stands_first_to_last(key: bytes) -> None:
    body = drawn(key)
    assert body.index("90 %") < body.index("10 %") and "4 to 64" in body
    assert "What mattered" not in drawn(key, importance={})


def test_one_trial_has_no_curve(key: bytes) -> None:
    view = View(Codes(key))
    section = search_section(view, Run("t", search=Searched(TRIALS[:1], 0, "dice all", {}, {})))
    assert section is not None and not view.figures


def test_a_run_without_a_search_has_no_such_section(key: bytes) -> None:
    assert search_section(View(Codes(key)), Run("t")) is None
