"""isocenter follow BASELINE FOLLOWUP..., and follow TABLE"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.errors import UsageError
from isocenter.faces.arguments import Report, assigned, opened, opening, options, reading, typed, words
from isocenter.faces.commands.measure import names_of
from isocenter.verbs.follow import follow

EXAMPLES = (
    "isocenter follow jan.nii.gz apr.nii.gz jul.nii.gz --dates 2024-01-08 2024-04-02 2024-07-01 -o followed/",
    "isocenter follow jan_mask.nii.gz apr_mask.nii.gz --images jan_ct.nii.gz apr_ct.nii.gz --register intensity "
    "--names 1=liver,2=node -o followed/",
    "isocenter follow jan_ct/ apr_ct/ --find lesions.bundle --register intensity -o followed/",
    "isocenter follow exams.csv -o followed/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("exams", nargs="+", metavar="EXAM", help="labels of the lesions in order of time (with --find: "
                        "images), or one table with subject, date, image, mask")
    parser.add_argument("-o", "--out", metavar="OUT", help="folder for tables, JSON and report/report.html")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument("--images", nargs="+", metavar="IMAGE", help="the image of each examination, in order")
    parser.add_argument("--dates", nargs="+", metavar="DATE", help="of each examination: 2024-03-01, or days")
    parser.add_argument("--date", metavar="COLUMN", help="of a table: the column of the dates (default date)")
    parser.add_argument("--find", metavar="BUNDLE|TASK/METHOD", help="finds the lesions; the EXAMs are images then")
    parser.add_argument("--register", metavar="METHOD", help="brings each examination to the first: a method of "
                        "register, a bundle, or world (they are aligned); --set sets its fields")
    group = parser.add_argument_group("lesions and their sizes")
    group.add_argument("--names", metavar="NUMBER=NAME,...", default="", help="what numbers mean: 1=liver,2=node")
    group.add_argument("--nodes", metavar="NAME,...", default="", help="classes that are lymph nodes (node is one)")
    group.add_argument("--whole", action="store_true", help="a number is one lesion, else each connected part is")
    group.add_argument("--least", type=float, metavar="MM", help="longest diameter below which nothing is a lesion")
    group.add_argument("--reach", type=float, metavar="MM", help="between middles of one lesion that does not overlap "
                       "itself (default 10)")
    group.add_argument("--border", type=float, metavar="MM", help="where a border is seen: standard deviation (default "
                       "anywhere within half a pixel)")
    group.add_argument("--repeatability", metavar="WHAT=PERCENT,...", default="", help="coefficient of variation of "
                       "measurements made twice, such as size=12,diameter=5; stands for grid and border")
    opening(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    exams = args.exams[0] if len(args.exams) == 1 else args.exams
    return follow(
        exams, out=args.out, register=args.register, settings=assigned(args.set), images=args.images, dates=args.dates,
        date=args.date, find=args.find, names=names_of(args.names), nodes=words(args.nodes), whole=args.whole,
        least=args.least, reach=args.reach, border=args.border, repeatability=_percents(args.repeatability),
        overwrite=args.overwrite, command=typed(), **opened(args), **options(args, report),
    )  # fmt: skip


def _percents(text: str) -> dict[str, float]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return {name.strip(): float(value) for name, _, value in pairs}
    except ValueError as error:
        raise UsageError("not percentages", got=text, wanted="such as size=12,diameter=5") from error
