"""Style: legible in light and dark, fonts for Chinese, nothing fetched, a policy that fits."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from isocenter.report.style import DARK, LIGHT, SANS, SERIF, chart_style, page_style, policy


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(colours: dict[str, str]) -> None:
    for ink in ("ink", "ink-2", "ink-3", "accent", "bad"):
        assert contrast(colours[ink], colours["paper"]) >= 4.5, ink
    assert contrast(colours["amber-ink"], colours["amber-wash"]) >= 4.5
    assert contrast(colours["bad"], colours["bad-wash"]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_stand_out_from_the_paper(colours: dict[str, str]) -> None:
    for series in (k for k in colours if re.fullmatch(r"s\d", k)):
        assert contrast(colours[series], colours["paper"]) >= 2.8, series


def test_both_palettes_name_the_same_colours_and_all_that_are_used_exist() -> None:
    assert LIGHT.keys() == DARK.keys()
    used = set(re.findall(r"var\(--([\w-]+)\)", page_style() + chart_style()))
    assert used <= {*LIGHT, "sans", "serif"}


def test_the_font_stacks_hold_chinese_fonts() -> None:
    for stack, names in (
        (SANS, ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC")),
        (SERIF, ("Songti SC", "SimSun")),
    ):
        assert all(name in stack for name in names)


def test_style_sheets_fetch_nothing_and_close_no_tag() -> None:
    for sheet in (page_style(), chart_style()):
        assert not re.search(r"url\(|@import|@font-face|expression|</", sheet)
        assert sheet.count("{") == sheet.count("}")


def test_the_policy_allows_this_sheet_and_nothing_else() -> None:
    style = "a{color:red}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy(style) == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "unsafe" not in policy(style) and "script" not in policy(style)
