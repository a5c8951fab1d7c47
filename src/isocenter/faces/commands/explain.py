"""isocenter explain BUNDLE INPUT -o OUT"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report, opened, opening, options, settings
from isocenter.verbs.explain import explain

EXAMPLES = (
    "isocenter explain chest.bundle image.png -o explained/",
    "isocenter explain chest.bundle image.png --method gradients --set kind=integrated-gradients -o explained/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("predictor", metavar="BUNDLE", help="a bundle (path or name) or TASK/METHOD")
    parser.add_argument("input", metavar="INPUT", help="one file or series folder")
    parser.add_argument("--method", default="gradients", help="how (see: isocenter methods explain)")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="folder for the map and its picture")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    opening(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return explain(
        args.predictor,
        args.input,
        method=args.method,
        settings=settings(args),
        out=args.out,
        overwrite=args.overwrite,
        **opened(args),
        **options(args, report),
    )
