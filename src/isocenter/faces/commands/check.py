"""isocenter check DATA"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.check import check

EXAMPLES = ("isocenter check eyes/", "isocenter check chest/manifest.csv --task classify --method cnn")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("data", metavar="DATA", help="a folder or a table")
    parser.add_argument(
        "--task", metavar="TASK", help="the question (default: the first that the data bring a truth for)"
    )
    parser.add_argument("--method", metavar="METHOD", help="whose time and memory are estimated")
    parser.add_argument("--target", metavar="COLUMN", help="the column that holds the truth")
    parser.add_argument("--group", metavar="COLUMN", help="what must stay on one side of a split (default: subject)")
    parser.add_argument("--role", metavar="NAME", help="the image that the answer is about, where a case has several")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return check(args.data, task=args.task, method=args.method, target=args.target, group=args.group, role=args.role)
