"""isocenter measure LABELS [IMAGE]"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from isocenter.errors import UsageError
from isocenter.faces.arguments import Report, opened, opening, options, reading
from isocenter.verbs.measure import STAINS, measure

EXAMPLES = (
    "isocenter measure nuclei.tif cells.tif -o nuclei.xlsx",
    "isocenter measure organs.nii.gz ct.nii.gz --names 1=liver,2=tumour --relations -o organs/",
    "isocenter measure nuclei.tif ihc.png --stain hdab --thresholds 0.2,0.4,0.6",
    "isocenter measure lungs.nii.gz ct.nii.gz --below=-950 --names 1=right,2=left",
    "isocenter measure lesions.nii.gz pet.nii.gz --uptake 41% -o uptake.csv",
    "isocenter measure tumour.nii.gz t1.nii.gz --radiomics 32 -o features/",
    "isocenter measure masks/ frames/ --frames --spacing 0.5,0.5 -o over_time.xlsx",
    "isocenter measure clip.mp4 --lung -o lung.xlsx",
    "isocenter measure cine/ --frame phase --slice slice -o ejection.csv",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument(
        "labels", metavar="LABELS", help="a label map, film, annotation file, folder of masks, or a data set"
    )
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="on the same grid: grey values, and the spacing")
    parser.add_argument("-o", "--out", metavar="OUT", help=".xlsx, .csv, .json, or a folder of CSV files")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument("--names", metavar="NUMBER=NAME,...", default="", help="what the numbers of a label map mean")
    parser.add_argument("--parts", action="store_true", help="each connected part of a number is an object")
    parser.add_argument("--relations", action="store_true", help="contact, containment, distance, direction of pairs")
    parser.add_argument("--reach", type=float, metavar="LENGTH", help="only of pairs with surfaces as near as that")
    parser.add_argument("--stain", choices=STAINS, help="grades, positive share and H-score of a colour picture")
    parser.add_argument("--thresholds", metavar="OD,OD,OD", help="weak, moderate, strong (default 0.2,0.4,0.6 of DAB)")
    parser.add_argument("--below", metavar="NUMBER,...", help="share of pixels below, such as --below=-950 (HU)")
    parser.add_argument("--above", metavar="NUMBER,...", help="share of pixels above")
    parser.add_argument("--uptake", metavar="SHARE|SUV", help="threshold of MTV and TLG in PET (default 41%% of max)")
    parser.add_argument("--radiomics", metavar="LEVELS|width=W", help="a table of the IBSI's features, such as with 32")
    parser.add_argument("--frames", action="store_true", help="LABELS and IMAGE are folders of frames, by name")
    parser.add_argument("--lung", action="store_true", help="LABELS is a lung ultrasound: pleural line, A-, B-lines")
    parser.add_argument("--probe", choices=("auto", "linear", "convex"), help="of --lung (default: what its sides say)")
    group = parser.add_argument_group("of a data set")
    group.add_argument("--frame", metavar="COLUMN", help="holds the frame: curves and ejection fractions")
    group.add_argument("--slice", metavar="COLUMN", help="holds the slice: volumes as sums of slices")
    group.add_argument("--given", metavar="COLUMN|FOLDER", help="measure these labels instead of the truth")
    group.add_argument("--task", choices=("instances", "segment"), help="whose truth is measured")
    opening(parser)
    reading(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return measure(
        args.labels, args.image, out=args.out, relations=args.relations or args.reach is not None, stain=args.stain,
        names=names_of(args.names), parts=args.parts, reach=args.reach, frames=args.frames, frame=args.frame,
        slice=args.slice, given=args.given, task=args.task, overwrite=args.overwrite,
        thresholds=_numbers(args.thresholds), below=_numbers(args.below), above=_numbers(args.above),
        uptake=args.uptake, radiomics=args.radiomics, lung=args.lung, probe=args.probe, **opened(args),
        **options(args, report),
    )  # fmt: skip


def names_of(text: str) -> Mapping[int, str] | None:
    """What numbers mean, from words such as 1=liver,2=tumour; None where nothing is said; UsageError otherwise."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return {int(n): name.strip() for n, sign, name in pairs if _said(sign, name)} or None
    except ValueError as error:
        raise UsageError("not names of numbers", got=text, wanted="such as 1=liver,2=tumour") from error


def _said(sign: str, name: str) -> bool:
    if not sign or not name.strip():
        raise ValueError(name)
    return True


def _numbers(text: str | None) -> list[float] | None:
    try:
        return [float(part) for part in text.split(",")] if text else None
    except ValueError as error:
        raise UsageError("not numbers", got=str(text), wanted="such as 0.2,0.4,0.6") from error
