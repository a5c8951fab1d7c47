"""Values to a page that a person wants to read: one HTML file, its tables and figures, no identifiers."""

from __future__ import annotations

from isocenter.report.card import card_markdown
from isocenter.report.change import Change
from isocenter.report.figures import jpeg, layers, pick_slice, png, windowed
from isocenter.report.overlaid import Links, Overlaid, blink_gif, checkerboard, difference
from isocenter.report.percase import extremes
from isocenter.report.privacy import Codes
from isocenter.report.recompute import recompute
from isocenter.report.run import Curves, Data, Explanation, Mark, MethodResult, Picture, Run
from isocenter.report.searched import Searched
from isocenter.report.tables import csv_text, neutral, restored
from isocenter.report.view import RESEARCH
from isocenter.report.write import problems_csv, write_report

__all__ = [
    "RESEARCH",
    "Change",
    "Codes",
    "Curves",
    "Data",
    "Explanation",
    "Links",
    "Mark",
    "MethodResult",
    "Overlaid",
    "Picture",
    "Run",
    "Searched",
    "blink_gif",
    "card_markdown",
    "checkerboard",
    "csv_text",
    "difference",
    "extremes",
    "jpeg",
    "layers",
    "neutral",
    "pick_slice",
    "png",
    "problems_csv",
    "recompute",
    "restored",
    "windowed",
    "write_report",
]
