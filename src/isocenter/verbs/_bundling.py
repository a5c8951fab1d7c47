"""What a bundle says about its making, and the folder in which it is made."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from isocenter.data import Cases, Scores
from isocenter.errors import OutputError
from isocenter.verbs._method import Method


def facts(
    method: Method, cases: Cases, *, scores: Scores | None, seed: int, fingerprint: Mapping[str, Any],
    card: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What `isocenter.bundle.write` takes beside the method: made, origins, fingerprint, card.

    Nothing here depends on the clock: the same training gives the same bytes.
    """
    about = method.object.about
    made = {
        "isocenter": version("isocenter"), "python": platform.python_version(), "numpy": version("numpy"),
        "torch": _version("torch"), "processor": platform.machine(), "system": sys.platform, "seed": seed,
        "threads": scores.threads if scores else 1, "codes": dict(cases.codes),
    }
    return {
        "made": made, "origins": {**about.get("origins", {}), **method.origins}, "fingerprint": dict(fingerprint),
        "card": {**_card(method, cases, scores=scores), **(card or {})},
    }


def vacant(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuses early what `workspace` would refuse after the data were read."""
    part = out.with_name(out.name + ".part")
    if out.exists() and not overwrite:
        raise OutputError("the bundle exists", where=str(out), remedy="Pass --overwrite or name another")
    if part.is_dir() and any(part.iterdir()) and not (resume or overwrite):
        raise OutputError(
            "an unfinished run lies here",
            where=str(part),
            remedy="Pass --resume to continue it, or --overwrite to begin anew",
        )


@contextmanager
def workspace(out: Path, *, resume: bool, overwrite: bool) -> Iterator[Path]:
    """The folder ``OUT.part`` under the bundle's lock; removed again when nothing was left in it.

    Raises
    ------
    OutputError
        The bundle exists, or an unfinished run lies there and nobody said what to do with it.
    """
    from isocenter.bundle import workspace as locked_part

    vacant(out, resume=resume, overwrite=overwrite)
    part = out.with_name(out.name + ".part")
    if part.is_dir() and not resume:
        shutil.rmtree(part)
    try:
        with locked_part(out, overwrite=overwrite) as folder:
            yield folder
    finally:
        with suppress(OSError):
            part.rmdir()


def report_folder(out: Path) -> Path:
    """Where the training report lies: beside the bundle, because it shows cases and a bundle is handed on.

    >>> report_folder(Path("eyes.bundle")).name
    'eyes.report'
    """
    return out.with_name((out.stem if out.suffix == ".bundle" else out.name) + ".report")


def _card(method: Method, cases: Cases, *, scores: Scores | None) -> dict[str, Any]:
    rows = [
        {"metric": metric, "target": target, "value": s.value, "low": s.low, "high": s.high, "n": s.n, "split": "val"}
        for metric, targets in (scores.metrics if scores else {}).items() for target, s in targets.items()
        if target != "all" or len(targets) != 2
    ]
    counts = ", ".join(f"{name} {n}" for name, n in cases.splits.items())
    data = f"{cases.name}: {counts} cases of {cases.n_subjects} subjects" + (
        "" if cases.subjects_known else " (unknown)"
    )
    allowed = {f"allowed_{what}": why for what, why in cases.allow.items()}
    about = getattr(method.object, "about", None) or {}
    first = {name: about[name]["text"] for name in ("pretraining", "adversarial") if about.get(name)}
    shown = {"name": f"{method.task} / {method.name}", "data": data, "metrics": rows, **_sure(scores)}
    return {**shown, **first, **allowed}


def _sure(scores: Scores | None) -> dict[str, Any]:
    """How often a classifier was right on val when it was how sure; nothing where val is too small to say."""
    from isocenter.metrics.assurance import bands

    found = bands(scores) if scores is not None and scores.task == "classify" else ()
    return {"sureness": [band.as_json() for band in found]} if found else {}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
