"""isocenter export BUNDLE -o FILE.onnx"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.export import export

EXAMPLES = ("isocenter export vessels.bundle -o vessels.onnx",)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle (path or name)")
    parser.add_argument("-o", "--out", required=True, metavar="FILE.onnx", help="FILE.json is written beside it")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return export(args.bundle, args.out, overwrite=args.overwrite)
