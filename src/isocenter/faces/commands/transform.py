"""isocenter transform IMAGE -o OUT"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from isocenter.faces.arguments import Report, opened, opening
from isocenter.verbs._moves import MOVES
from isocenter.verbs.transform import ORDERS, transform

EXAMPLES = (
    "isocenter transform scan.nii.gz --rotate 15 --flip x -o turned/",
    "isocenter transform ct.nii.gz --resample 1,1,1 --masks liver.nii.gz --points marks.csv -o iso/",
    "isocenter transform slide.png --crop 100:900,200:1200 --boxes cells.json --objects cells.geojson -o part/",
    "isocenter transform mr.nii.gz --by mr_to_ct.tfm --to ct.nii.gz --masks tumour.nii.gz -o on_ct/",
    "isocenter transform ct.nii.gz --by mr_to_ct.tfm --to mr.nii.gz --inverse -o on_mr.nii.gz",
)


class Typed(argparse.Action):
    """Keeps moves in the order in which they were typed."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: str | Sequence[Any] | None,
        option: str | None = None,
    ) -> None:
        """Adds one."""
        namespace.moves = [*(namespace.moves or []), ((option or "").lstrip("-"), values)]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("image", metavar="IMAGE", help="a file or a series folder")
    parser.add_argument("-o", "--out", required=True, metavar="OUT",
                        help="a folder for all, or a file for the image alone")
    moves = parser.add_argument_group("moves, in the order in which they are typed")
    parser.set_defaults(moves=[])
    for name, text in MOVES.items():
        moves.add_argument(f"--{name}", action=Typed, dest="moves", metavar="V", help=text, default=argparse.SUPPRESS)
    group = parser.add_argument_group("a transform that was found elsewhere, before the moves")
    group.add_argument("--by", metavar="FILE",
                       help="ITK's .tfm or .txt, displacements in .nii.gz or .npz: from --to's world to IMAGE's")
    group.add_argument("--to", metavar="IMAGE", help="whose grid the result lies on (default: its own)")
    group.add_argument("--inverse", action="store_true", help="the file was made the other way round")
    group = parser.add_argument_group("what lies on the image and moves with it")
    group.add_argument("--masks", action="append", default=[], metavar="FILE", help="a label map")
    group.add_argument("--points", action="append", default=[], metavar="FILE", help="CSV with X, Y[, Z] in pixels")
    group.add_argument("--boxes", action="append", default=[], metavar="FILE", help="CSV, COCO, VOC, YOLO ...")
    group.add_argument("--objects", action="append", default=[], metavar="FILE", help="COCO, GeoJSON, RoiSet ...")
    parser.add_argument("--order", choices=tuple(ORDERS), default="linear", help="how pixels are interpolated")
    parser.add_argument("--outside", type=float, default=0.0, metavar="VALUE", help="of pixels that show nothing")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    opening(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return transform(
        args.image, moves=args.moves, by=args.by, to=args.to, inverse=args.inverse, out=args.out, masks=args.masks,
        points=args.points, boxes=args.boxes, objects=args.objects, order=args.order, outside=args.outside,
        overwrite=args.overwrite, **opened(args),
    )  # fmt: skip
