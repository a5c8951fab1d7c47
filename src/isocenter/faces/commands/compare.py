"""isocenter compare TASK DATA --methods a,b,c"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from isocenter.faces.arguments import Report, folds, leaking, options, reading, settings, studying, typed, words
from isocenter.verbs.compare import compare

EXAMPLES = (
    "isocenter compare segment eyes/ --methods histogram,morphology,vessels.bundle",
    "isocenter compare classify chest/ --methods linear,cnn --time 10m -o runs/chest",
    "isocenter compare segment eyes/ --methods histogram,morphology --folds 5",
    "isocenter compare classify chest/ --methods chest.bundle,hardened.bundle --attack pgd --epsilon 1/255,2/255,4/255",
    "isocenter compare classify chest/ --methods chest.bundle --corrupt noise,blur --severity 1,3,5",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("task", metavar="TASK", help="the question, such as segment")
    parser.add_argument("data", metavar="DATA", help="a folder or a table")
    text = "methods of the task, or bundles; NAME=METHOD has one several times, each with its --set NAME.field=value"
    parser.add_argument("--methods", required=True, metavar="A,B,C", help=text)
    parser.add_argument("--split", default="test", help="which cases (default test)")
    parser.add_argument("--folds", type=folds, default=0, metavar="K", help="score all cases, in K folds by group")
    parser.add_argument("--inner", type=int, default=0, metavar="J", help="choose in J folds inside each fold")
    parser.add_argument("--val-from", choices=("train",), help="cut a part of train by group for stopping")
    parser.add_argument("--attack", metavar="NAME", help="also score under an attack (see: isocenter methods attack)")
    parser.add_argument("--epsilon", type=words, default=[], metavar="E,F", help="its budgets, shares of the image's "
                        "range: 1/255 is one grey level of 8 bits; the middle one leads")
    parser.add_argument("--corrupt", type=words, default=[], metavar="A,B", help="also score on worse scans: noise, "
                        "speckle, blur, motion, bias_field, ghosting, gain, wrong_window, jpeg, metal; or usual")
    parser.add_argument("--severity", type=numbers, default=[], metavar="1,3,5", help="how bad, 1 to 5")
    parser.add_argument("--at-most", type=int, metavar="N", help="attack or corrupt at most N cases, drawn by --seed")
    parser.add_argument("-o", "--out", metavar="FOLDER", help="folder of the report (default runs/compare-N)")
    parser.add_argument("--overwrite", action="store_true", help="replace a report that lies there")
    studying(parser)
    leaking(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return compare(
        args.task,
        args.data,
        methods=words(args.methods),
        split=args.split,
        settings=settings(args),
        out=args.out or free("runs/compare"),
        folds=args.folds,
        inner=args.inner,
        val_from=args.val_from,
        time=args.time,
        allow=args.allow,
        because=args.because,
        strict=args.strict,
        overwrite=args.overwrite, command=typed(), attack=args.attack, epsilon=args.epsilon, corrupt=args.corrupt,
        severity=args.severity, at_most=args.at_most,
        **options(args, report),
    )


def numbers(text: str) -> list[int]:
    """Whole numbers between commas; argparse's error where they are none."""
    try:
        return [int(word) for word in words(text)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not whole numbers: {text!r}") from error


def free(stem: str) -> Path:
    """The first of ``STEM-1``, ``STEM-2`` ... that does not exist."""
    n = 1
    while Path(f"{stem}-{n}").exists():
        n += 1
    return Path(f"{stem}-{n}")
