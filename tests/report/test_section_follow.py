"""The page of lesions over time: what stands on it, and what does not."""

from dataclasses import replace

import numpy as np

from isocenter.data.findings.followed import Examined, Followed, Lesion, Sighting, Sized, Total
from isocenter.report import Run
from isocenter.report.followed import FollowRun, Strip, Tile
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.section_follow import follow_section
from isocenter.report.view import View

KEY = b"a key for tests, and only for tests"


def run(*, totals=True, strips=1):
    seen = Sighting("first", (0,), Sized(500.0), Sized(12.0), Sized(8.0))
    lesions = tuple(Lesion(f"L{i + 1}", "liver", (seen, seen), target=True) for i in range(3))
    exams = tuple(Examined(n, d, 3, Sized(1500.0)) for n, d in (("jan", 0.0), ("apr", 91.0)))
    sums = (Total(Sized(36.0)), Total(Sized(36.0), nadir=Sized(36.0))) if totals else ()
    tiles = (Tile(np.full((20, 20), 80, np.uint8), text="12.0 mm, 0.5 ml"), None)
    return FollowRun(
        title="Lesions over time", verb="follow", followed=Followed("patient7", exams, lesions, sums),
        strips=tuple(Strip(f"L{i + 1}", "liver, target", tiles) for i in range(strips)),
        rows=(("lesion", "size"), ("L1 target", "0.5 ml")), identifiers=("patient7", "jan"),
    )  # fmt: skip


def view():
    return View(Codes(KEY, {"patient7", "jan"}), 1.0)


def test_charts_table_and_pictures_stand_on_the_page():
    seen = view()
    html = follow_section(seen, run()).body
    assert "Sum of diameters" in html and "Longest diameter" in html and "L1 target" in html
    assert "not there yet" in html and "12.0 mm, 0.5 ml" in html and "day 91" in html
    assert "2 further lesions stand in lesions.csv" in html
    assert {"sum.svg", "diameters.svg", "lesion-l1-1.svg"} <= set(seen.figures)
    assert "no response" in html


def test_without_targets_there_is_no_sum_and_other_pages_have_no_such_section():
    html = follow_section(view(), run(totals=False, strips=0)).body
    assert "Sum of diameters" not in html and "Pictures over time" not in html
    assert follow_section(view(), Run("Another page")) is None
    assert follow_section(view(), FollowRun("An empty one")) is None


def test_the_whole_page_names_nobody():
    html = page(view(), run())
    assert "patient7" not in html and "<script" not in html and "Research use only" in html


def test_figures_stand_alone_with_their_styles_and_words():
    seen = view()
    follow_section(seen, run())
    for name in ("sum.svg", "lesion-l1-1.svg"):
        assert seen.figures[name].startswith("<?xml") and "research use only" in seen.figures[name].lower()
    assert "caliper" in seen.figures["lesion-l1-1.svg"]


def test_exams_without_dates_are_numbered():
    made = run()
    exams = tuple(replace(e, day=None) for e in made.followed.exams)
    html = follow_section(view(), replace(made, followed=replace(made.followed, exams=exams))).body
    assert "examination 1" in html and "day 91" not in html
    assert "Days after" not in html
