"""Examinations brought to the baseline: by the world that their headers share, or by a method of register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isocenter.data import Case, NotEvaluated, Progress, Transform
from isocenter.data.findings.transform import dimension
from isocenter.data.geometry import Geometry
from isocenter.errors import GeometryError, InputError, UsageError
from isocenter.inspect.following import Exam
from isocenter.inspect.registering import numbers
from isocenter.verbs._method import resolve
from isocenter.verbs._recipe import Settings

WORLD = "world"
REMEDY = ("Name a method with --register (isocenter methods register), or pass --register world where they have been "
          "aligned already")

Numbers = Mapping[str, float | None]


def aligned(
    exams: Sequence[Exam], how: Any, *, settings: Settings, report: Callable[[Progress], None] | None = None
) -> tuple[list[Transform], list[str], list[Numbers], tuple[str, ...]]:
    """From the baseline's world to each examination's; how, in words; what was measured of it; and notes.

    Parameters
    ----------
    exams
        The baseline first.
    how
        A method of register (``"intensity"``, a bundle, an object), ``"world"`` to take the headers as they are, or
        None: their world where they share one.
    settings
        Of the method's recipe.
    report
        Receives progress; None: nobody does.

    Raises
    ------
    GeometryError
        The headers share no world and no method is named, or the examinations differ in dimension.
    UsageError
        A method is named and an examination has no image.
    InputError
        The method could not bring an examination to the baseline.
    """
    base = exams[0].found.geometry
    ways, words = [Transform.identity(base, base)], ["the baseline"]
    told: list[Numbers] = [{}]
    notes: list[str] = []
    method = None if how in (None, WORLD) else resolve(how, task="register", settings=settings)
    for k, exam in enumerate(exams[1:], start=1):
        grid = exam.found.geometry
        if grid.ndim != base.ndim or dimension(grid) != dimension(base) or grid.unit != base.unit:
            raise GeometryError("the examinations lie in worlds of another kind", where=exam.name,
                                got=f"{grid.ndim} axes, {grid.unit}", wanted=f"{base.ndim} axes, {base.unit}",
                                remedy="Pass --spacing where a file lacks it")
        if method is None:
            way = Transform.identity(base, grid)
            word, note = _shared(base, grid, exam.name, how)
            notes += [note] if note else []
        else:
            way, word = _registered(exams[0], exam, method), f"register/{method.name}"
        ways.append(way)
        words.append(word)
        told.append(_measured(exams[0], exam, way))
        if report is not None:
            report(Progress("bring to the baseline", k / (len(exams) - 1)))
    return ways, words, told, tuple(dict.fromkeys(notes))


def _shared(base: Geometry, grid: Geometry, name: str, how: Any) -> tuple[str, str]:
    """Why two worlds are taken as one, and what to know about it."""
    if how == WORLD:
        return "the headers' world, as asked", ""
    if base.frame and base.frame == grid.frame:
        return "the frame of reference that the headers share", ""
    if base.frame and grid.frame:
        raise GeometryError("the examinations lie in different frames of reference, so which point is which is unknown",
                            where=name, remedy=REMEDY)
    if not base.same_grid(grid):
        raise GeometryError("nothing says that the examinations lie in one world", where=name,
                            got=f"grids {base.shape} and {grid.shape} that differ, without a frame of reference",
                            wanted="one frame of reference, or one grid", remedy=REMEDY)
    return "one grid", "the examinations share a grid and are taken as aligned; look at the pictures"


def _registered(base: Exam, exam: Exam, method: Any) -> Transform:
    if base.image is None or exam.image is None:
        raise UsageError("a registration needs the images", where=(base if base.image is None else exam).name,
                         remedy="Name them with --images, one an examination, or pass --register world")
    if not method.answers:
        raise UsageError(f"{method.name} must be trained first", remedy="Name a bundle with --register")
    found = method.object.predict(Case("pair", {"fixed": base.image, "moving": exam.image}, "fixed"))
    if isinstance(found, NotEvaluated):
        raise InputError(f"{exam.name} could not be brought to the baseline: {found.reason}", got=found.measured,
                         wanted=found.limit, remedy="Name another method with --register, or register by hand "
                         "(register/landmarks takes points) and pass --register world")
    if not isinstance(found, Transform):
        raise UsageError("a registration answers with a transform", got=type(found).__name__)
    # Labels lie on the grids of their images up to rounding.
    return Transform(found.parts, base.found.geometry, exam.found.geometry, found.evidence)


def _measured(base: Exam, exam: Exam, way: Transform) -> Numbers:
    if base.image is None or exam.image is None or "t" in base.image.axes + exam.image.axes:
        return {}
    return numbers(way, base.image, exam.image)
