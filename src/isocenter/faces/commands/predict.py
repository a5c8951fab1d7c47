"""isocenter predict BUNDLE|TASK/METHOD INPUT... -o OUT, and predict --all CASE -o OUT"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

from isocenter.errors import UsageError
from isocenter.faces.arguments import Report, opened, opening, options, settings, typed
from isocenter.verbs.predict import predict

EXAMPLES = (
    "isocenter predict vessels.bundle eye.png -o out/",
    "isocenter predict segment/histogram scans/*.nii.gz -o out/ --set levels=3",
    "isocenter predict liver.bundle series/ -o liver.nii.gz",
    "isocenter predict nuclei my.tif -o out/ --as geojson,roiset",
    "isocenter predict register/landmarks before.png after.png -o out/ --landmarks after.csv",
    "isocenter predict --all patient/ -o page/ --bundles my-bundles/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("method", metavar="BUNDLE|TASK/METHOD", help="a bundle (path or name) or a method of a task")
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="a file, a series folder, a folder of images; ROLE=PATH and FACT=VALUE bind one case by name",
    )
    parser.add_argument("--all", action="store_true", dest="every",
                        help="ask every bundle about one patient (no BUNDLE before INPUT): one page")
    parser.add_argument("--bundles", action="append", default=[], metavar="FOLDER",
                        help="with --all: more bundles than `isocenter models` lists; may be given several times")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="folder of the answers, or one file")
    parser.add_argument("--overwrite", action="store_true", help="replace answers that are there")
    parser.add_argument(
        "--as",
        dest="formats",
        default="",
        metavar="FORMATS",
        help="more files of boxes or objects: coco, voc, yolo, geojson (QuPath), roiset (ImageJ), nrrd (3D Slicer); of "
        "tracks: ctc, trackmate, geojson, mp4, avi",
    )
    parser.add_argument(
        "--least",
        type=float,
        default=0.5,
        metavar="SCORE",
        help="boxes from this score on are written and counted (default 0.5); 0: all, as curves need them",
    )
    parser.add_argument("--outside", choices=("refuse", "answer"), default="refuse",
                        help="images unlike those that a bundle learnt from: not evaluated (default), or answered")
    parser.add_argument("--landmarks", metavar="CSV",
                        help="of a registration: points of the moving image (X, Y[, Z] in pixels) to bring over")
    parser.add_argument("--recipe", metavar="FILE", help="settings as a JSON file")
    opening(parser)


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call; with --all the words are all inputs."""
    if args.every:
        from isocenter.verbs._patient import predict_all

        given = [args.method, *args.inputs]
        return predict_all(given, out=args.out, bundles=args.bundles, overwrite=args.overwrite, command=typed(),
                           outside=args.outside, **opened(args), **options(args, report))
    if not args.inputs or args.bundles:
        what = "--bundles belongs to --all" if args.inputs else "nothing to answer"
        raise UsageError(what, wanted="BUNDLE INPUT, or --all INPUT", remedy="See: isocenter predict --help")
    return predict(
        args.method,
        args.inputs,
        out=args.out,
        settings=settings(args),
        overwrite=args.overwrite,
        formats=[f for f in args.formats.split(",") if f],
        least=args.least,
        outside=args.outside,
        landmarks=args.landmarks,
        **opened(args),
        **options(args, report),
    )


def resume(words: Sequence[str]) -> str:
    """The command that goes on after an interruption: it does only what is missing."""
    return shlex.join(["isocenter", *words])
