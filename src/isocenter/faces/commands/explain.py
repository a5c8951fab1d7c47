"""isocenter explain BUNDLE INPUT -o OUT, or over a split: isocenter explain BUNDLE DATA --split val"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.errors import UsageError
from isocenter.faces.arguments import Report, opened, opening, options, reading, settings, typed, words
from isocenter.verbs._explain_over import explain_over
from isocenter.verbs._explanation_other import excite
from isocenter.verbs.explain import explain

EXAMPLES = (
    "isocenter explain chest.bundle image.png -o explained/",
    "isocenter explain chest.bundle image.png --method gradients --set kind=integrated-gradients -o explained/",
    "isocenter explain chest.bundle image.png --method occlusion --truth mask.png -o explained/",
    "isocenter explain chest.bundle DATA --split val --method grad-cam,occlusion,centre",
    "isocenter explain chest.bundle DATA --split val --method features -o excited/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("predictor", metavar="BUNDLE", help="a bundle (path or name) or TASK/METHOD")
    parser.add_argument("input", metavar="INPUT", nargs="+",
                        help="one file or series folder, or ROLE=PATH and FACT=VALUE; with --split a folder or table")
    parser.add_argument("--method",
                        help="how (see: isocenter methods explain), or a kind of gradients; default: what suits "
                        "BUNDLE, gradients of a network; with --split several, "
                        "comma between: centre is what the others are tested against")
    parser.add_argument("--split", metavar="NAME", help="score the maps of all these cases instead")
    parser.add_argument("--truth", metavar="MASK", help="a mask on the image's grid: does the map point into it?")
    parser.add_argument("--no-checks", action="store_true", help="the map alone, without the answers that check it")
    parser.add_argument("-o", "--out", metavar="OUT", help="folder for map, picture, checks and page")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    opening(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    if args.split and args.method == "features":
        return excite(args.predictor, args.input[0], split=args.split, settings=settings(args), out=args.out,
                      overwrite=args.overwrite, **options(args, report))
    if args.split:
        return explain_over(
            args.predictor, args.input[0], methods=words(args.method or "gradients"), split=args.split,
            settings=settings(args), checks=not args.no_checks, **options(args, report),
        )
    if args.out is None:
        raise UsageError("no place for the pictures is named", wanted="-o OUT, or --split NAME to score a data set")
    return explain(
        args.predictor,
        args.input[0] if len(args.input) == 1 else args.input,
        method=args.method,
        settings=settings(args),
        out=args.out,
        checks=not args.no_checks,
        truth=args.truth,
        overwrite=args.overwrite,
        command=typed(),
        **opened(args),
        **options(args, report),
    )
