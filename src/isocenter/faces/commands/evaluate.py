"""isocenter evaluate BUNDLE|TASK/METHOD DATA"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report, leaking, options, reading, settings, typed
from isocenter.verbs.evaluate import evaluate

EXAMPLES = (
    "isocenter evaluate vessels.bundle eyes/ --split test",
    "isocenter evaluate segment/histogram eyes/ --split test --by eye",
    "isocenter evaluate chest.bundle chest/ --by site --coverage 0.9 --risk 0.05",
    "isocenter evaluate chest.bundle chest/ --outside-data holiday-photographs/",
    "isocenter evaluate classify/given chest/ --set column=second_reader -o report/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("method", metavar="BUNDLE|TASK/METHOD", help="a bundle (path or name) or a method of a task")
    parser.add_argument("data", metavar="DATA", help="a folder or a table")
    parser.add_argument("--split", default="test", help="which cases (default test); 'all' for every case")
    parser.add_argument("--by", metavar="COLUMN", help="score the values of this column apart as well")
    parser.add_argument("--abstain", choices=("wrong", "report"), default="wrong", help="how no answer counts")
    parser.add_argument("--outside", choices=("answer", "refuse"), default="answer",
                        help="cases unlike those that a bundle learnt from: answered (default), or not evaluated")
    parser.add_argument("--outside-data", metavar="FOLDER",
                        help="images that the method was not made for: how well its envelope tells them from the cases")
    parser.add_argument("--coverage", type=float, metavar="SHARE",
                        help="classify: sets of classes that hold the truth so often, their limits chosen on val")
    parser.add_argument("--sets", choices=("lac", "aps", "lac-by-class", "aps-by-class"), default="lac",
                        help="how such sets are made (default lac: the smallest)")
    parser.add_argument("--risk", type=float, metavar="SHARE",
                        help="classify: answer only what val allows to be wrong at most so often")
    parser.add_argument("--recipe", metavar="FILE", help="settings as a JSON file")
    parser.add_argument("-o", "--out", metavar="FOLDER", help="write a report there")
    parser.add_argument("--overwrite", action="store_true", help="replace a report that lies there")
    leaking(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return evaluate(
        args.method, args.data, split=args.split, by=args.by, abstain=args.abstain, outside=args.outside,
        outside_data=args.outside_data,
        coverage=args.coverage, sets=args.sets, risk=args.risk,
        settings=settings(args), out=args.out, overwrite=args.overwrite, allow=args.allow, because=args.because,
        strict=args.strict, command=typed(), **options(args, report),
    )
