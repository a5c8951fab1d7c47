"""isocenter methods [TASK [METHOD]]"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.methods import methods

EXAMPLES = (
    "isocenter methods                    all questions and methods",
    "isocenter methods segment unet       every setting of one method: type, range, unit, default, source",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("task", nargs="?", metavar="TASK", help="one question, such as segment")
    parser.add_argument("method", nargs="?", metavar="METHOD", help="one method of it")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return methods(args.task, args.method)
