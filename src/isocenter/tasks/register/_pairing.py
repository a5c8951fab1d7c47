"""A pair of images as a network sees it: two channels on the fixed image's grid, the moving one brought near first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np

from isocenter.data import (
    Case,
    Cases,
    Correspondence,
    Entry,
    Image,
    NotEvaluated,
    Progress,
    Transform,
    Watch,
    as_settings,
    build,
)
from isocenter.data.findings.transform import dimension, to_world
from isocenter.data.warping import warped
from isocenter.errors import BundleError, InputError, RecipeError
from isocenter.infer import unusable
from isocenter.ops.array import Array
from isocenter.ops.warping import sampled
from isocenter.tasks._named import class_name, ours
from isocenter.tasks._settled import Settled
from isocenter.tasks.register._grey import grey

FIXED, MOVING = SIDES = ("fixed", "moving")


@runtime_checkable
class Part(Protocol):
    """Another method of this question."""

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """Its map between the case's two images."""
        ...


@dataclass(frozen=True)
class Centred(Settled):
    """The middle of the moving image's grid on that of the fixed one."""

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The shift; NotEvaluated where the two worlds differ in dimension or unit."""
        fixed, moving = (case.image(role).still().geometry for role in SIDES)
        if dimension(fixed) != dimension(moving) or fixed.unit != moving.unit:
            return NotEvaluated("the two images have no unit in common", f"{fixed.unit} and {moving.unit}, "
                                f"{fixed.ndim} and {moving.ndim} axes", "one unit and number of axes")
        here, there = (to_world(g, (np.asarray(g.shape, float)[None] - 1) / 2)[0] for g in (fixed, moving))
        matrix = np.eye(len(here) + 1)
        matrix[:-1, -1] = there - here
        return Transform.of_matrix(matrix, fixed, moving)


def paired(case: Case, start: Transform) -> Case:
    """The case as one image of two channels on the fixed image's grid, its regions brought there as well."""
    fixed, moving = (case.image(role).still() for role in SIDES)
    grid = fixed.geometry

    def load() -> Array:
        places = start.sampled()[1].reshape(*grid.shape, -1)
        return np.stack([seen(fixed), sampled(seen(moving), places, outside=None)])

    def truth() -> Any:
        found = case.truth()
        if not isinstance(found, Correspondence) or found.regions is None:
            return None
        return Correspondence(grid, grid, regions=(found.regions[0], warped(start, found.regions[1])))

    axes = "czyx" if grid.ndim == 3 else "cyx"
    image = fixed.replaced(load, shape=(2, *grid.shape), axes=axes, dtype="float32", channels=SIDES)
    held = None if case.load_truth is None else truth
    return replace(case, images={"pair": image}, lead="pair", load_truth=held, load_given=None)


def seen(image: Image) -> Array:
    """float32 (*grid): the mean of the channels but transparency; InputError where no pixel holds a finite value."""
    found = grey(image, None)
    if isinstance(found, NotEvaluated):
        raise InputError(found.reason, where=image.name)
    return found


def near(case: Case, start: Part) -> Transform | NotEvaluated:
    """The map by which the moving image is brought near; NotEvaluated where the start has none or an image holds NaN.

    Raises
    ------
    NotFoundError
        The case has no image `fixed` or `moving`.
    InputError
        An image is a film.
    """
    for role in SIDES:
        lack = unusable(case.image(role).channels_first())
        if lack is not None:
            return replace(lack, reason=f"{lack.reason} ({role})")
    return start.predict(case)


def brought(cases: Cases, start: Part, *, watch: Watch) -> tuple[Cases, int]:
    """Every pair brought near once, as `paired`; and how many were left out because the start found no map.

    Raises
    ------
    InputError
        No pair is left.
    """
    entries: list[Entry] = []
    classes = cases.classes
    for n, entry in enumerate(cases.entries):
        watch.report(Progress("bring pairs near", n / len(cases)))
        case = entry.open()
        found = near(case, start)
        if isinstance(found, NotEvaluated):
            continue
        truth = case.truth() if not classes else None
        if isinstance(truth, Correspondence) and truth.regions is not None:
            classes = truth.regions[0].names[1:]
        entries.append(replace(entry, open=partial(_opened, entry, found), unlabelled=False))
    if len(cases) and not entries:
        raise InputError("no pair could be brought near", where=cases.name, got=f"{len(cases)} pairs",
                         remedy="Name another start")
    return replace(cases, entries=tuple(entries), classes=classes), len(cases) - len(entries)


def _opened(entry: Entry, start: Transform) -> Case:
    return paired(entry.open(), start)


def described(part: Any) -> dict[str, Any]:
    """What a bundle says of a part; RecipeError where it is no method of this question, or holds parts itself."""
    whole = hasattr(part, "state") or not any(isinstance(value, Part) for value in vars(part).values())
    if not whole or not ours(class_name(part), "register"):
        raise RecipeError("the part cannot be kept in a bundle", where="start", got=type(part).__name__)
    about = getattr(part, "about", None)
    return {"class": class_name(part), "about": {"recipe": as_settings(part)} if about is None else dict(about)}


def restored(said: Mapping[str, Any], arrays: Mapping[str, Array]) -> Part:
    """The part that `described` said; BundleError where it is no method of this question."""
    import importlib

    match = ours(str(said.get("class", "")), "register")
    found = getattr(importlib.import_module(match[1]), match[2], None) if match else None
    if not isinstance(found, type) or not hasattr(found, "predict"):
        raise BundleError("the start is no method of isocenter", got=str(said.get("class", "")))
    made: Part
    if hasattr(found, "from_state"):
        made = found.from_state(said["about"], arrays)
    else:
        made = build(found, said["about"]["recipe"])
    return made
