"""Answers as files: which ones, under which names, and the numbers of a table's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Boxes, Image, Instances, Probabilities, Segmentation, Tracks, Transform, Value, Values
from isocenter.data.warping import warped
from isocenter.errors import UsageError, nearest
from isocenter.files import write_text
from isocenter.io.annotations import BOXES, NAMES, OBJECTS
from isocenter.verbs._overlaid import FILES
from isocenter.verbs._writing_tracks import FILES as TRACKS
from isocenter.verbs._writing_tracks import FORMATS, written_tracks

# Format that was read to the suffix of the label map written; others follow the grid.
SUFFIX = {
    "nifti": ".nii.gz",
    "dicom": ".nii.gz",
    "png": ".png",
    "jpeg": ".png",
    "tiff": ".tif",
    "npy": ".npy",
    "npz": ".npz",
}


def planned(
    name: str, image: Image, *, task: str, out: Path | None, formats: Sequence[str] = ()
) -> dict[str, str]:
    """Files that an answer will be, by kind, relative to the folder; none for answers that are rows of a table.

    Parameters
    ----------
    name
        Of the answer.
    image
        That it is about; it decides the format.
    task
        ``"segment"`` gives a label map and an overlay, ``"instances"`` these and a table, ``"detect"`` a table, COCO
        where the image is flat, and a picture with boxes; ``"register"`` a displacement field on the fixed image's
        grid, the moving image brought onto it, what `isocenter.verbs._overlaid.FILES` names; ``"track"`` what
        `isocenter.verbs._writing_tracks.FILES` names.
    out
        The one file that was asked for, or None.
    formats
        More formats of boxes or objects, by the names of `isocenter.io.annotations`; of tracks, by those of
        `isocenter.verbs._writing_tracks.FORMATS`.
    """
    if out is not None:
        return {"answer": out.name}
    if task == "track":
        return {kind: name + (TRACKS | FORMATS)[kind] for kind in (*TRACKS, *formats)}
    more = {f: name + NAMES[f] for f in formats}
    if task == "detect":
        flat = {"coco": f"{name}.json"} if image.ndim == 2 else {}
        return {"answer": f"{name}.csv", **flat, "overlay": f"{name}_overlay.png", **more}
    if task == "instances":
        volume = image.ndim == 3 or image.source.format in ("nifti", "dicom")
        label = name + (".nii.gz" if volume else ".tif")
        return {"answer": label, "csv": f"{name}.csv", "overlay": f"{name}_overlay.png", **more}
    if task == "register":
        field, moved = (".nii.gz", ".nii.gz") if image.ndim == 3 else (".npz", ".tif")
        beside = {kind: name + end for kind, end in FILES.items()}
        return {"answer": f"{name}_field{field}", "moved": f"{name}_moved{moved}", **beside}
    if task != "segment":
        return {}
    usual = ".nii.gz" if image.ndim == 3 else ".png"
    end = SUFFIX.get(image.source.format, usual)
    return {"answer": name + end, "overlay": f"{name}_overlay.png"}


def written(
    found: Any, image: Image, *, folder: Path, files: Mapping[str, str], codes: Mapping[str, int],
    moving: Image | None = None,
) -> list[str]:
    """Writes an answer's files and gives their names; raises as `isocenter.io.write`."""
    from isocenter.io import write
    from isocenter.io.writing import write_overlay

    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(found, Tracks):
        return written_tracks(found, image, folder=folder, files=files)
    kept: list[str] = []
    if "answer" in files:
        known = codes if isinstance(found, Segmentation) and set(found.names) <= set(codes) else None
        write(found, folder / files["answer"], like=image, codes=known, overwrite=True)
        kept.append(files["answer"])
    if "moved" in files and moving is not None:
        write(warped(found, moving), folder / files["moved"], overwrite=True)
        kept.append(files["moved"])
    if "overlay" in files and isinstance(found, Segmentation | Boxes | Instances) and "t" not in image.axes:
        write_overlay(image, found, folder / files["overlay"], overwrite=True)
        kept.append(files["overlay"])
    for kind in (k for k in files if k in NAMES and files[k] not in kept):
        write(found, folder / files[kind], like=image, overwrite=True)
        kept.append(files[kind])
        if kind == "yolo":
            # Its lines hold numbers alone.
            write_text(folder / "classes.txt", "".join(f"{c}\n" for c in found.classes), overwrite=True)
            kept.append("classes.txt")
    return kept


def asked_formats(names: Sequence[str], task: str) -> tuple[str, ...]:
    """The formats that were asked for beside those that an answer always gets.

    Raises
    ------
    UsageError
        The task answers neither boxes, objects nor tracks, or no such format (the nearest is named).
    """
    if task == "track":
        return _known(names, list(FORMATS), task)
    ends = {"detect": BOXES, "instances": OBJECTS}.get(task)
    if names and ends is None:
        raise UsageError(f"formats can be named for boxes, objects and tracks, not for {task}", got=",".join(names))
    return _known(names, [n for n, end in NAMES.items() if ends and end in ends], task)


def _known(names: Sequence[str], known: Sequence[str], task: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise UsageError(f"no format {name!r} for {task}", remedy=nearest(name, known))
    return tuple(dict.fromkeys(names))


def answer_of(found: Any) -> dict[str, Any]:
    """The numbers of an answer as one flat row."""
    if isinstance(found, Segmentation):
        return _regions(found)
    if isinstance(found, Boxes | Instances):
        return _counted(found)
    if isinstance(found, Probabilities):
        row: dict[str, Any] = {"decision": " + ".join(found.decision)}
        return row | {c: round(float(v), 6) for c, v in zip(found.classes, found.values, strict=True)}
    if isinstance(found, Values):
        return {k: v for name, value in found.items.items() for k, v in _reaching(name, value).items()}
    if isinstance(found, Tracks):
        return _followed(found)
    return _mapped(found) if isinstance(found, Transform) else {}


def _followed(found: Tracks) -> dict[str, Any]:
    """How many tracks, points and divisions there are, and the median speed with its unit."""
    speeds = found.mean_speeds()
    speeds = speeds[~np.isnan(speeds)]
    row: dict[str, Any] = {"tracks": len(found.tracks), "points": len(found), "divisions": len(found.children())}
    name = f"median_speed_{found.unit}_per_{found.time_unit}"
    return row | ({name: float(f"{np.median(speeds):.6g}")} if len(speeds) else {})


def _mapped(found: Transform) -> dict[str, Any]:
    """The matrix row by row, where there is one, and what was measured on the way."""
    m = found.matrix
    row = {} if m is None else {f"m{i}{j}": float(f"{v:.9g}") for (i, j), v in np.ndenumerate(m)}
    return row | {name: float(f"{v:.6g}") for name, v in found.evidence}


def _reaching(name: str, value: Value) -> dict[str, float]:
    """A number, and its interval where there is one."""
    row = {f"{name} {value.unit}".strip(): value.number}
    if value.low is not None and value.high is not None:
        row |= {f"{name} low": value.low, f"{name} high": value.high}
    return row


def sure(found: Any, least: float) -> tuple[Any, str]:
    """Boxes from a score on, and what to know about the others; any other answer as it is."""
    if not isinstance(found, Boxes) or found.scores is None:
        return found, ""
    kept = found.chosen(found.scores >= least)
    left = len(found) - len(kept)
    return kept, f"{left} less sure than {least:g} left out; --least 0 writes all" if left else ""


def caution(found: Any) -> str:
    """What to know before such numbers are used, or ""."""
    if not isinstance(found, Boxes | Instances) or found.geometry.ndim != 3 or not len(found):
        return ""
    edges = (found if isinstance(found, Boxes) else found.boxes()).edges
    if (edges[:, 1, 0] - edges[:, 0, 0] > 1).any() or len(np.unique(edges[:, 0, 0])) == 1:
        return ""
    return "each object lies in one slice: what goes through several slices is counted in each"


def plain(value: Any) -> Any:
    """Settings as JSON-able values; an object stands as its type."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else type(value).__name__


def _counted(found: Boxes | Instances) -> dict[str, Any]:
    """How many there are, in all and of each class; of objects the mean size, and pixels that several claim."""
    row: dict[str, Any] = {"boxes" if isinstance(found, Boxes) else "objects": len(found)}
    if len(found.classes) > 1:
        counts = np.bincount(found.labels, minlength=len(found.classes))
        row |= {name: int(n) for name, n in zip(found.classes, counts, strict=True)}
    if isinstance(found, Instances) and len(found):
        name, unit = ("volume", "mm3") if found.geometry.ndim == 3 else ("area", "mm2")
        row[f"mean {name} px"] = round(float(found.areas.mean()), 2)
        if found.geometry.pixel_volume is not None:
            row[f"mean {name} {unit}"] = float(f"{found.areas.mean() * found.geometry.pixel_volume:.6g}")
        shared = int(found.areas.sum()) - int(np.count_nonzero(found.label_map()))
        row |= {"overlap px": shared} if shared else {}
    return row


def _regions(found: Segmentation) -> dict[str, Any]:
    counts = np.bincount(found.labels.ravel(), minlength=256)
    row: dict[str, Any] = {}
    for i, name in enumerate(found.names[1:], start=1):
        row[f"{name} pixels"] = int(counts[i])
        if found.geometry.pixel_volume is not None:
            size = float(counts[i]) * found.geometry.pixel_volume
            unit, factor = ("ml", 1e-3) if found.geometry.ndim == 3 else ("mm2", 1.0)
            row[f"{name} {unit}"] = round(size * factor, 4)
    return row
