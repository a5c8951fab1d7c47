"""isocenter convert FILE.pth OUT.safetensors"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.convert import convert

EXAMPLES = ("isocenter convert resnet18.pth resnet18.safetensors",)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments."""
    parser.add_argument("source", metavar="FILE.pth", help="a state dict, or a checkpoint that holds one")
    parser.add_argument("out", metavar="OUT.safetensors", help="where the tensors go")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return convert(args.source, args.out, overwrite=args.overwrite)
