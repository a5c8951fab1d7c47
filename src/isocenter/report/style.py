"""Colours and style sheets of the page and of figures that stand alone."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

# Series: Okabe and Ito (2008), a little darker or lighter where the ground needs it.
LIGHT = {
    "paper": "#fcfbf8",
    "raised": "#ffffff",
    "ink": "#1c2126",
    "ink-2": "#4d555d",
    "ink-3": "#68717a",
    "line": "#e3e0d9",
    "line-2": "#c9c5bb",
    "wash": "#f4f2ec",
    "accent": "#00639c",
    "amber-wash": "#fdf3dc",
    "amber-line": "#e2b04a",
    "amber-ink": "#6b4a00",
    "bad": "#b3360b",
    "bad-wash": "#fbe9e2",
    "s0": "#0072b2",
    "s1": "#d55e00",
    "s2": "#00875f",
    "s3": "#b3588f",
    "s4": "#b07a00",
    "s5": "#3f9fdb",
    "s6": "#7a5bb0",
    "s7": "#6b747c",
}
DARK = {
    "paper": "#14171a",
    "raised": "#1b1f23",
    "ink": "#e9e6df",
    "ink-2": "#b9bdc0",
    "ink-3": "#939a9f",
    "line": "#2c3136",
    "line-2": "#454c53",
    "wash": "#1f2428",
    "accent": "#79c1f1",
    "amber-wash": "#2b2412",
    "amber-line": "#8a6a1f",
    "amber-ink": "#f0d79a",
    "bad": "#ff9a73",
    "bad-wash": "#33201a",
    "s0": "#58b2ee",
    "s1": "#ff8f55",
    "s2": "#3fc79b",
    "s3": "#e79cc9",
    "s4": "#efb94a",
    "s5": "#a6d8f7",
    "s6": "#b9a1e8",
    "s7": "#a3abb2",
}
SANS = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, "Liberation Sans", '
    '"PingFang SC", "Hiragino Sans GB", "Hiragino Sans", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", '
    '"Source Han Sans SC", "WenQuanYi Micro Hei", "Malgun Gothic", sans-serif'
)
SERIF = (
    'Charter, "Iowan Old Style", "Source Serif 4", Georgia, Cambria, "Noto Serif", "Liberation Serif", "Songti SC", '
    '"Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif'
)


def _variables(colours: dict[str, str]) -> str:
    return ":root{" + "".join(f"--{name}:{value};" for name, value in colours.items()) + "}"


def _fonts() -> str:
    return f":root{{--sans:{SANS};--serif:{SERIF};}}"


def _sheet(name: str) -> str:
    lines = files("isocenter.report").joinpath(name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


@cache
def page_style() -> str:
    """The whole style sheet of the page: light, dark where the reader's system says so, light again in print."""
    dark = f"@media screen and (prefers-color-scheme:dark){{{_variables(DARK)}:root{{color-scheme:dark}}}}"
    return "\n".join([_fonts(), _variables(LIGHT), dark, _sheet("page.css"), _sheet("chart.css")])


@cache
def chart_style() -> str:
    """The style sheet inside a figure that stands alone; always light."""
    return "\n".join([_fonts(), _variables(LIGHT), _sheet("chart.css")])


def policy(style: str) -> str:
    """The content security policy of a page with this one style sheet: no script, no request, pictures within."""
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
