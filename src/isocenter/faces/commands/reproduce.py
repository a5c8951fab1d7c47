"""isocenter reproduce RUN"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.reproduce import reproduce

EXAMPLES = (
    "isocenter reproduce runs/chest           exit code 0: equal bit for bit, 3: it differs",
    "isocenter reproduce vessels.bundle -o again/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("run", metavar="RUN", help="folder of a report, or a bundle with its report beside it")
    parser.add_argument("-o", "--out", metavar="FOLDER", help="of the repetition (default RUN.again)")
    parser.add_argument("--anyway", action="store_true", help="go on although files have changed since")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier repetition")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call; seed, threads and settings are those of the record."""
    return reproduce(args.run, out=args.out, anyway=args.anyway, overwrite=args.overwrite, report=report)
