"""isocenter models"""

from __future__ import annotations

import argparse
from typing import Any

from isocenter.faces.arguments import Report
from isocenter.verbs.models import models

EXAMPLES = ("isocenter models",)


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none of its own."""


def call(args: argparse.Namespace, report: Report) -> Any:
    """The one call."""
    return models()
