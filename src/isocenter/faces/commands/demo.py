"""isocenter demo"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report, options
from isocenter.verbs.demo import demo

EXAMPLES = ("isocenter demo", "isocenter demo -o tour --overwrite")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("-o", "--out", default="runs/demo", metavar="FOLDER", help="of the report (default runs/demo)")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier tour")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return demo(out=args.out, overwrite=args.overwrite, **options(args, report))
