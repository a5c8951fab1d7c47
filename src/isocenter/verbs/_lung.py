"""`measure --lung`: read-outs of lung ultrasound, of one picture or film or of every case of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from isocenter.data import Image, Problem, Progress
from isocenter.errors import InputError, UsageError
from isocenter.inspect.readout import Readout, joined
from isocenter.verbs._labels import is_data
from isocenter.verbs._options import Options, opening_of, reporter

# Options of `measure` that are about labels.
LABELS = ("names", "parts", "reach", "thresholds", "frames", "frame", "slice", "given", "task")
# Columns of the summary that are shown.
LEAD = (
    ("case",), ("subject",), ("probe",), ("measure",), ("unit",), ("frames",), ("mean",), ("sd",), ("median",),
)  # fmt: skip
NOTES = (
    "simulated frames alone chose the constants: look at the lines first (isocenter predict segment/lung_lines)",
    "no diagnosis: what the lines mean is for a reader to say",
)
ULTRASOUND = "US"
UNSAID = "no file says whether it shows ultrasound: of other images these numbers mean nothing"
UNKNOWN = "the spacing is unknown: lengths are in px (--spacing gives mm)"


class LungTables(NamedTuple):
    """Tables ``frames`` and ``summary``, notes, and cases that could not be measured."""

    tables: Mapping[str, Readout]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def lung_tables(images: Any, options: Any) -> LungTables:
    """Measures a picture, a film, or each case of a data set.

    Raises
    ------
    UsageError
        Options that are about labels, or an unknown probe.
    InputError
        The only picture cannot be measured, or none of several.
    """
    from isocenter.inspect.lung import lung_frames, lung_summary

    probe = _probe(options)
    parts: dict[str, list[tuple[Mapping[str, Any], Readout]]] = {"summary": [], "frames": []}
    problems: list[Problem] = []
    errors: list[InputError] = []
    notes = list(NOTES)
    for where, opened in _images(images, options):
        try:
            image = opened()
            if image.modality not in (None, "", ULTRASOUND):
                raise InputError("no ultrasound", where=image.name, got=str(image.modality), wanted=ULTRASOUND,
                                 remedy="Measure labels of other images: isocenter measure LABELS IMAGE")
            frames, kind = lung_frames(image, probe=probe)
        except InputError as error:
            if not is_data(images):
                raise
            errors.append(error)
            problems.append(Problem.of(error, str(where["case"])))
            continue
        if not image.modality and UNSAID not in notes:
            notes.append(UNSAID)
        if image.geometry.affine is None and UNKNOWN not in notes:
            notes.append(UNKNOWN)
        parts["frames"].append((where, frames))
        parts["summary"].append((where | {"probe": kind}, lung_summary(frames)))
    if not parts["frames"]:
        raise errors[0] if errors else InputError("there is no image", where=str(images))
    return LungTables({title: joined(part) for title, part in parts.items()}, tuple(notes), tuple(problems))


def _probe(options: Any) -> str:
    from isocenter.inspect.lung import PROBES

    said = [name for name in LABELS if options.get(name)]
    if said:
        raise UsageError(f"--{said[0]} is about labels, and --lung measures images", remedy=f"Leave out --{said[0]}")
    probe = options.get("probe") or "auto"
    if probe not in PROBES:
        raise UsageError("no such probe", got=str(probe), wanted=", ".join(PROBES))
    return str(probe)


def _images(images: Any, options: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """What says which image it is, and what opens it."""
    if not is_data(images):
        yield {}, lambda: _opened(images, options)
        return
    from isocenter.verbs._cases import cases_of

    reading: Options = {k: v for k, v in options.items() if k in ("target", "facts", "group", "positive", "role")}  # type: ignore[assignment]
    cases = cases_of(images, "", options=reading)
    for i, entry in enumerate(cases.entries):
        yield {"case": entry.id, "subject": entry.subject}, lambda entry=entry: entry.open().image()
        reporter(options)(Progress("measure", (i + 1) / len(cases)))


def _opened(image: Any, options: Any) -> Image:
    from isocenter.io import as_image, read_image

    how = opening_of(options)
    if isinstance(image, str | Path):
        return read_image(image, **how)
    return as_image(image, **{k: v for k, v in how.items() if k != "series"})
