"""A registration for people: its numbers, its pictures as files, and its page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Array, Case, Correspondence, Image, NotEvaluated, Transform
from isocenter.data.findings.transform import to_index
from isocenter.errors import UsageError
from isocenter.files import write_bytes
from isocenter.inspect.registering import Plane, numbers, plane
from isocenter.io.landmarks import read_landmarks, write_landmarks, write_matches
from isocenter.io.transforms import write_transform
from isocenter.report import Links, MethodResult, Overlaid, Run, blink_gif, checkerboard, difference, pick_slice, png
from isocenter.report import write_report as written_page

# What a registration leaves beside the field and the moved image, by kind.
FILES = {
    "tfm": ".tfm", "matches": "_matches.csv", "landmarks": "_landmarks.csv", "checkerboard": "_checkerboard.png",
    "difference": "_difference.png", "blink": "_blink.gif", "page": ".report/report.html",
}  # fmt: skip


def is_pair(case: Case) -> bool:
    """Whether a case is a question of registration: it has a fixed and a moving image."""
    return {"fixed", "moving"} <= set(case.images)


def overlaid(
    case: Case, answer: Transform | NotEvaluated, truth: Any = None, *, text: str | None = None
) -> Overlaid | None:
    """The pair as pictures, with what is measured of it as words; None for films.

    Parameters
    ----------
    answer
        A map, or why there is none.
    truth
        Regions in it choose the slice of a volume.
    text
        What is said under the pictures; None: the numbers.
    """
    fixed, moving = case.images["fixed"], case.images["moving"]
    if "t" in fixed.axes + moving.axes or fixed.ndim != moving.ndim:
        return None
    z = 0
    if fixed.ndim == 3:
        regions = truth.regions if isinstance(truth, Correspondence) else None
        z = pick_slice(fixed.channels_first()[0], regions[0].labels if regions else None)
    seen = plane(answer, fixed, moving, z=z)
    spacing = fixed.geometry.spacing
    if text is None:
        text = answer.line() if isinstance(answer, NotEvaluated) else sentence(numbers(answer, fixed, moving))
    return Overlaid(
        seen.fixed, spacing=None if spacing is None else _thinned(spacing, fixed, seen), case=case.id, text=text,
        before=seen.before, after=seen.after, seen_before=seen.seen_before, seen_after=seen.seen_after,
        links=_links(answer, fixed, moving, seen),
    )


def _thinned(spacing: tuple[float, ...], image: Image, seen: Plane) -> tuple[float, float]:
    """mm a pixel of the picture, which may be coarser than the image."""
    own = zip(spacing[-2:], image.geometry.shape[-2:], seen.fixed.shape[:2], strict=True)
    y, x = (s * n / few for s, n, few in own)
    return float(y), float(x)


def _links(answer: Any, fixed: Image, moving: Image, seen: Plane) -> Links | None:
    found = answer.matches if isinstance(answer, Transform) else None
    if found is None or not len(found) or fixed.ndim != 2:
        return None
    other = plane(NotEvaluated(""), moving, moving, z=0)
    spacing = moving.geometry.spacing
    own = _placed(to_index(fixed.geometry, found.fixed), fixed, seen.fixed)
    theirs = _placed(to_index(moving.geometry, found.moving), moving, other.fixed)
    size = None if spacing is None else _thinned(spacing, moving, other)
    return Links(other.fixed, size, own, theirs, found.inliers)


def _placed(at: Array, image: Image, picture: Array) -> Array:
    """Indices of an image as pixels of its picture."""
    size, few = np.asarray(image.geometry.shape, float), np.asarray(picture.shape[:2], float)
    return np.asarray(at * (few - 1) / np.maximum(size - 1, 1))


def sentence(row: Mapping[str, float | None]) -> str:
    """What `isocenter.inspect.registering.numbers` found, in words."""
    parts = []
    for name in ("correlation", "mutual information"):
        before, after = row.get(f"{name} before"), row.get(f"{name} after")
        if after is not None:
            parts.append(f"{name} {'unknown' if before is None else f'{before:.3f}'} before, {after:.3f} after")
    parts.append(f"the moving image reaches {row['overlap %']:.0f} % of the fixed one")
    parts.append(f"{row['folding %']:.3g} % folded")
    unit = next((k.rpartition(" ")[2] for k in row if k.startswith("inverse consistency")), "px")
    if (error := row.get(f"inverse consistency {unit}")) is not None:
        parts.append(f"inverse consistency {error:.2g} {unit}")
    return "; ".join(parts)


def registered(
    found: Transform, case: Case, *, folder: Path, files: Mapping[str, str], method: str, landmarks: Path | None = None,
) -> tuple[list[str], dict[str, Any]]:
    """Writes what `FILES` names, and gives the files' names and the numbers of the registration.

    Parameters
    ----------
    found
        The map.
    case
        The pair.
    folder, files
        Where, and the name of each kind.
    method
        Its name, for the page.
    landmarks
        CSV of points of the moving image, written where they lie in the fixed one; None: there are none.

    Raises
    ------
    UsageError
        No landmark has a place in the fixed image.
    TableError
        The file holds no landmarks.
    """
    fixed, moving = case.images["fixed"], case.images["moving"]
    kept = []
    matrix = found.matrix
    if matrix is not None and not np.abs(matrix[-1, :-1]).max():
        write_transform(found, folder / files["tfm"], overwrite=True)
        kept.append(files["tfm"])
    if found.matches is not None:
        grids = found.fixed, found.moving
        write_matches(found.matches, folder / files["matches"], *grids, overwrite=True)
        kept.append(files["matches"])
    if landmarks is not None:
        _brought(found, landmarks, folder / files["landmarks"])
        kept.append(files["landmarks"])
    row = numbers(found, fixed.still(), moving.still())
    shown = overlaid(case, found, text="")
    if shown is None or shown.before is None or shown.after is None:
        return kept, row
    views = {"checkerboard": png(checkerboard(shown.image, shown.after)), "difference": _both(shown),
             "blink": blink_gif(shown.image, shown.after)}
    for kind, data in views.items():
        write_bytes(folder / files[kind], data, overwrite=True)
        kept.append(files[kind])
    run = page_of(shown, row, found, case, method)
    written_page(run, (folder / files["page"]).parent, overwrite=True)
    return [*kept, files["page"]], row


def _both(shown: Overlaid) -> bytes:
    """The difference before and after, side by side."""
    assert shown.before is not None and shown.after is not None
    sides = [difference(shown.image, shown.before, shown.seen_before),
             difference(shown.image, shown.after, shown.seen_after)]
    gap = np.full((sides[0].shape[0], max(4, sides[0].shape[1] // 50), 3), 255, np.uint8)
    return png(np.concatenate([sides[0], gap, sides[1]], axis=1))


def _brought(found: Transform, source: Path, target: Path) -> None:
    points = read_landmarks(source, found.moving)
    there = found.inverse().points(np.array(list(points.values())))
    known = np.asarray(np.isfinite(there).all(axis=1))
    if not known.any():
        raise UsageError("no landmark has a place in the fixed image", where=str(source), got=f"{len(points)} "
                         "landmarks", remedy="They are pixels (X, Y[, Z]) of the moving image")
    names = tuple(name for name, there_is in zip(points, known, strict=True) if there_is)
    write_landmarks(there[known], target, found.fixed, names=names, overwrite=True)


def page_of(shown: Overlaid, row: Mapping[str, float | None], found: Transform, case: Case, method: str) -> Run:
    """The page of one registration."""
    from isocenter.verbs._explanation import stamp

    facts = {k.replace("_", " "): "unknown" if v is None else f"{v:.4g}" for k, v in (*row.items(), *found.evidence)}
    names = (case.id, case.subject, *(f for i in case.images.values() for f in i.source.files))
    return Run(
        title="Two images brought together", task="register", verb="predict", created=stamp(), headline=_headline(row),
        methods=(MethodResult(method, pictures=(shown,)),), facts=facts,
        made={"method": method, "notice": "research use only"}, identifiers=tuple(n for n in names if n),
        notes=("Likeness says how alike the images are, not how far a point is off: with landmarks or masks of both "
               "images, isocenter evaluate gives that error.",),
    )  # fmt: skip


def _headline(row: Mapping[str, float | None]) -> str:
    names = ("correlation", "mutual information")
    pairs = [(row.get(f"{n} before"), row.get(f"{n} after")) for n in names]
    known = [(abs(a), abs(b)) for a, b in pairs if a is not None and b is not None]
    if not known:
        return "How alike the images are cannot be said: too little of them overlaps. Look at the pictures."
    better = sum(b > a for a, b in known)
    word = ("The images became more alike" if better == len(known) else "The images became less alike"
            if not better else "One measure of likeness rose, the other fell")
    folded = row.get("folding %") or 0.0
    return f"{word}: {sentence(row)}." + (" A map that folds is wrong there." if folded else "")
