"""isocenter paper RUN"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.paper import paper

EXAMPLES = (
    "isocenter paper runs/chest               writes runs/chest/paper/",
    "isocenter paper vessels.bundle -o manuscript/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("run", metavar="RUN", help="folder of a report, or a bundle with its report beside it")
    parser.add_argument("-o", "--out", metavar="FOLDER", help="for the files (default RUN/paper)")
    parser.add_argument("--overwrite", action="store_true", help="replace files that lie there")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return paper(args.run, out=args.out, overwrite=args.overwrite)
