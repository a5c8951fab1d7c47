"""isocenter correct ANSWERS CASE EDITED --by NAME"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.correct import correct

EXAMPLES = ("isocenter correct out slide7 slide7_edited.tif --by 'A. Reader'",)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("folder", metavar="ANSWERS", help="the folder in which predict wrote")
    parser.add_argument("case", metavar="CASE", help="name of the answer, as in predictions.csv")
    parser.add_argument("edited", metavar="EDITED", help="the label file as it was edited and saved")
    parser.add_argument("--by", required=True, metavar="NAME", help="who edited it")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return correct(args.folder, args.case, args.edited, by=args.by)
