"""isocenter tune TASK DATA -o FOLDER"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

from isocenter.faces.arguments import Report, leaking, options, reading, settings, studying, typed
from isocenter.verbs.tune import tune

EXAMPLES = (
    "isocenter tune segment eyes/ --method unet -o tuned/ --time 2h",
    "isocenter tune classify chest/ -o tuned/ --over study.learning_rate --over dropout=0..0.5 --trials 12",
    "isocenter tune segment eyes/ --method unet -o tuned/ --time 2h --resume      after an interruption",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("task", metavar="TASK", help="the question, such as segment")
    parser.add_argument("data", metavar="DATA", help="a folder or a table; unsplit data are split by group")
    parser.add_argument("-o", "--out", required=True, metavar="FOLDER", help="appears when the search is complete")
    parser.add_argument("--method", metavar="METHOD", help="default: the task's usual network")
    parser.add_argument("--over", action="append", default=[], metavar="FIELD[=LOW..HIGH]",
                        help="a field to search, also FIELD=a,b,c; default: all that the method marks as tunable")
    parser.add_argument("--trials", type=int, metavar="N", help="at most so many (default 20, or what --time allows)")
    parser.add_argument("--resume", action="store_true", help="continue what lies in FOLDER.part")
    parser.add_argument("--val-from", choices=("train",), help="cut a part of train by group for the scores")
    parser.add_argument("--overwrite", action="store_true", help="replace a search, or begin an unfinished one anew")
    studying(parser)
    leaking(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return tune(
        args.task, args.data, method=args.method, out=args.out, settings=settings(args), over=args.over,
        trials=args.trials, time=args.time, resume=args.resume, val_from=args.val_from, allow=args.allow,
        because=args.because, strict=args.strict, overwrite=args.overwrite, command=typed(), **options(args, report),
    )


def resume(words: Sequence[str]) -> str:
    """The command that goes on after an interruption."""
    kept = [w for w in words if w not in ("--resume", "--overwrite")]
    return shlex.join(["isocenter", *kept, "--resume"])
