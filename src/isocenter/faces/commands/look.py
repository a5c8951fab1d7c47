"""isocenter look PATH..."""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.look import look

EXAMPLES = ("isocenter look scan.nii.gz", "isocenter look series/ other.dcm", "isocenter look data/")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a DICOM folder, a data set")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return look(*args.paths)
