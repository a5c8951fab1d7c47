"""isocenter mosaic IMAGE... -o OUT"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report, opened, opening
from isocenter.verbs.mosaic import mosaic

EXAMPLES = (
    "isocenter mosaic hip.dcm knee.dcm ankle.dcm -o leg/",
    "isocenter mosaic fields/ -o slide/",
    "isocenter mosaic bed1/ bed2/ bed3/ -o body.nii.gz",
    "isocenter mosaic a.png b.png c.png --kind translation --exposure gain --blend feather -o whole.tif",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="files, series folders, or a folder of images")
    parser.add_argument("-o", "--out", required=True, metavar="OUT",
                        help="a folder: panorama, picture, tables, transforms; or a file for the panorama alone")
    parser.add_argument("--kind", choices=("translation", "rigid", "similarity", "affine"),
                        help="how tiles may lie to each other (default: rigid; of volumes translation)")
    parser.add_argument("--positions", choices=("headers", "content"),
                        help="where to start from (default: content; of volumes in different places headers)")
    parser.add_argument("--exposure", choices=("auto", "gain", "offset", "none"), default="auto",
                        help="gains, also offsets, or none; auto: what the overlaps ask for, none for HU and SUV")
    parser.add_argument("--blend", choices=("bands", "feather", "none"), default="bands",
                        help="coarse averaged and fine from the nearer tile, all averaged, or all from the nearer tile")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    opening(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    headers = None if args.positions is None else args.positions == "headers"
    return mosaic(*args.images, out=args.out, overwrite=args.overwrite, kind=args.kind, headers=headers,
                  exposure=args.exposure, blend=args.blend, report=report, **opened(args))
