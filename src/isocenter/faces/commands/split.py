"""isocenter split DATA -o TABLE"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report, options, reading
from isocenter.verbs.split import split

EXAMPLES = (
    "isocenter split chest/ --test 0.2 --val 0.1 -o chest-split.csv",
    "isocenter split chest/ --folds 5 --seed 1 -o chest-folds.csv",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("data", metavar="DATA", help="a folder or a table")
    parser.add_argument("--test", type=float, default=0.2, metavar="SHARE", help="of the cases (default 0.2)")
    parser.add_argument("--val", type=float, default=0.1, metavar="SHARE", help="of the cases (default 0.1)")
    parser.add_argument("--folds", type=int, metavar="K", help="instead: K parts of one size")
    parser.add_argument("--task", metavar="TASK", help="whose classes are shared out evenly (default classify)")
    parser.add_argument("-o", "--out", required=True, metavar="TABLE", help=".csv, .tsv or .xlsx")
    parser.add_argument("--overwrite", action="store_true", help="replace it")
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return split(
        args.data, test=args.test, val=args.val, folds=args.folds, task=args.task, out=args.out,
        overwrite=args.overwrite, **options(args, report),
    )
