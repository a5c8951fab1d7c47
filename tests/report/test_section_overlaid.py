"""Pairs stand on the page under their method, rank and code."""

import numpy as np

from isocenter.report import MethodResult, Overlaid, Run
from isocenter.report.page import page
from isocenter.report.privacy import Codes
from isocenter.report.section_overlaid import overlaid_pictures
from isocenter.report.view import View

KEY = b"a key for tests, and only for tests"


def method(name, rank="worst"):
    a = np.arange(600.0).reshape(20, 30)
    return MethodResult(name, pictures=(Overlaid(a, before=a, after=a, case="patient7", rank=rank, text="tre 3 px"),))


def view():
    return View(Codes(KEY, {"patient7"}), 1.0)


def test_pairs_of_every_method_are_drawn_with_their_rank_and_without_their_name():
    seen = view()
    html = overlaid_pictures(seen, [method("landmarks"), method("given", "best")], burned=" Look.", most=9)
    assert "landmarks" in html and "given" in html
    assert "<b>Worst</b>" in html and "<b>Best</b>" in html and "tre 3 px" in html
    assert "patient7" not in html and "Look." in html
    assert {"case-landmarks-1-1.svg", "case-given-1-4.svg"} <= set(seen.figures)
    assert "@keyframes blink" in seen.figures["case-given-1-4.svg"]


def test_no_pair_no_section():
    assert overlaid_pictures(view(), [MethodResult("landmarks")], burned="", most=9) is None


def test_the_page_has_them_without_script():
    html = page(view(), Run("Two images", task="register", methods=(method("landmarks"),)))
    assert "Drawn pairs" in html and 'class="blink"' in html
    assert "<script" not in html
