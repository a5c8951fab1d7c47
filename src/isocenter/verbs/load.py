"""A bundle as a predictor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isocenter.verbs._method import opened


def load(bundle: str | Path, *, outside: str = "refuse") -> Any:
    """The predictor of a bundle: ``load("liver.bundle").predict(case)``.

    Parameters
    ----------
    bundle
        Its folder, or the name of one that comes with isocenter (`isocenter models`).

    outside
        Of images unlike those that it learnt from: ``"refuse"`` gives `NotEvaluated`, ``"answer"`` answers.

    Raises
    ------
    NotFoundError
        No such bundle.
    BundleError
        It is damaged, or was made by a newer version.
    UsageError
        Another word for `outside`.
    """
    return opened(bundle).answering(outside)
