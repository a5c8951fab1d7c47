"""isocenter train TASK DATA -o BUNDLE"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

from isocenter.faces.arguments import Report, folds, leaking, options, reading, settings, studying, typed
from isocenter.verbs.train import train

EXAMPLES = (
    "isocenter train segment eyes/ -o vessels.bundle --time 20m",
    "isocenter train classify chest/ -o chest.bundle --method cnn --set network=resnet18 --epochs 20",
    "isocenter train segment eyes/ -o vessels.bundle --resume      after an interruption",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("task", metavar="TASK", help="the question, such as segment")
    parser.add_argument("data", metavar="DATA", help="a folder or a table; unsplit data are split by group")
    parser.add_argument("-o", "--out", required=True, metavar="BUNDLE", help="appears when it is complete")
    parser.add_argument("--method", metavar="METHOD", help="default: the task's usual network")
    parser.add_argument("--resume", action="store_true", help="continue what lies in BUNDLE.part")
    parser.add_argument("--plan", metavar="FILE", help="a BUNDLE/plan.json that you edited")
    parser.add_argument("--folds", type=folds, default=0, metavar="K", help="also score all cases but test, in K folds")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="train N times and report the spread")
    parser.add_argument("--val-from", choices=("train",), help="cut a part of train by group for stopping")
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle, or begin an unfinished run anew")
    studying(parser)
    leaking(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return train(
        args.task, args.data, method=args.method, out=args.out, settings=settings(args), time=args.time,
        resume=args.resume, plan=args.plan, folds=args.folds, seeds=args.seeds, val_from=args.val_from,
        allow=args.allow, because=args.because, strict=args.strict, overwrite=args.overwrite,
        command=typed(), **options(args, report),
    )


def resume(words: Sequence[str]) -> str:
    """The command that goes on after an interruption."""
    kept = [w for w in words if w not in ("--resume", "--overwrite")]
    return shlex.join(["isocenter", *kept, "--resume"])
