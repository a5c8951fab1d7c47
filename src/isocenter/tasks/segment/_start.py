"""Where a region begins: seeds or a region that were given, the place that stands out most, or a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np

from isocenter.data import After, Case, Cases, Geometry, NotEvaluated, Segmentation, Watch, knob
from isocenter.errors import InputError, RecipeError
from isocenter.ops.array import Array
from isocenter.ops.blobs import ball, outstanding
from isocenter.ops.components import filled, largest, tidied
from isocenter.ops.morphology import edge, inner_radius, open_mask, reconstruct_mask
from isocenter.ops.thresholds import multi_otsu
from isocenter.tasks.segment._choose import best, examples, region
from isocenter.tasks.segment._coarse import coarse
from isocenter.tasks.segment._grey import channels
from isocenter.tasks.segment._on import Part, deep
from isocenter.tasks.segment._parts import taught

HOWS = ("place", "threshold")
# Radius of what is looked for where nobody says and nothing was learnt, in diagonals of the image.
GUESS = 0.06
# In radii of what is looked for: how far from its place it may lie, and what a threshold leaves behind as a speck.
REACH, SPECK = 3.0, 0.25
# A part's probability from which a pixel belongs, and from which it does so without doubt.
EVEN, SURE = 0.5, 0.9

M = TypeVar("M")


@dataclass(frozen=True)
class Start:
    """Where a region begins. What is given wins over what is found: seeds, then a region."""

    how: str | None = knob(
        None,
        "how it is found: `place` the ball that stands out most and what lies within 3 radii of it, `threshold` "
        "everything on one side of Otsu's threshold (of a part: of 0.5); None: learnt from train",
        choices=HOWS,
    )
    bright: bool | None = knob(
        None, "whether it is brighter than its surroundings; None: learnt from train, else what touches the edge less"
    )
    radius: float | None = knob(
        None,
        "of the largest ball inside it; None: the median over train, else 0.06 of the image's diagonal",
        unit="mm or px",
        low=0.0,
        high=1e4,
    )
    seeds: tuple[tuple[int, ...], ...] | None = knob(
        None, "pixels inside it, each by its indices in array order", low=0, high=1e6
    )
    region: Part | None = knob(None, "another method whose answer it begins with")

    def __post_init__(self) -> None:
        if self.region is not None and not isinstance(self.region, Part):
            raise RecipeError("the part that it begins with does not answer", got=type(self.region).__name__,
                              remedy="Train it first and name its bundle")
        if self.seeds is not None and not self.seeds:
            raise RecipeError("no seed was given", got="[]", remedy="Leave seeds out and they are found")


@dataclass(frozen=True, eq=False)
class Begun:
    """Where a region begins on one image.

    Parameters
    ----------
    mask
        Boolean (*grid).
    reach
        Boolean (*grid): where the region may lie; None: anywhere.
    bright
        Whether it is the brighter side.
    radius, spacing
        Of what is looked for, and per axis, in the same unit.
    """

    mask: Array
    reach: Array | None
    bright: bool
    radius: float
    spacing: tuple[float, ...]


def begun(
    case: Case, values: Array, start: Start, *, on: str | Part, otherwise: str = "place", core: float = 1.0
) -> Begun | NotEvaluated:
    """Where the region begins.

    Parameters
    ----------
    case
        Its image gives the spacing.
    values
        What is worked on, (*grid).
    start
        As given and learnt.
    on
        What `values` are: a part's probabilities are bright where the region is.
    otherwise
        How it is found where that stands open.
    core
        Radius of the ball around a seed or a place, in radii of what is looked for; below 1 a threshold is the strict
        one: of two, the farther from the other side.

    Returns
    -------
    NotEvaluated where all pixels are alike, or the part that gives the region does not answer.

    Raises
    ------
    InputError
        A seed lies outside the image, or has another number of indices.
    """
    geometry = case.image().geometry
    spacing = geometry.spacing or (1.0,) * geometry.ndim
    radius = start.radius or max(GUESS * geometry.diagonal, min(spacing))
    bright = True if deep(on) else start.bright
    bright = stands_out(values) if bright is None else bright
    if start.seeds is not None:
        inside(start.seeds, geometry, where=case.id)
        mask = np.logical_or.reduce([ball(values.shape, s, _pixels(core * radius, spacing)) for s in start.seeds])
        return Begun(mask, None, bright, radius, spacing)
    if start.region is not None:
        given = start.region.predict(case)
        if isinstance(given, NotEvaluated):
            return given
        return Begun((given.labels != 0) & (given.labels != 255), None, bright, radius, spacing)
    if not values.min() < values.max():
        return NotEvaluated("all pixels are alike, so nothing stands out")
    if (start.how or otherwise) == "place":
        centre = outstanding(values, _pixels(radius, spacing), bright=bright)
        balls = [ball(values.shape, centre, _pixels(r * radius, spacing)) for r in (core, REACH)]
        return Begun(balls[0], balls[1], bright, radius, spacing)
    mask = _side(values, bright=bright, probable=deep(on), strict=core < 1.0)
    small = mask & reconstruct_mask(open_mask(mask, SPECK * radius, spacing), mask)
    return Begun(small if small.any() else mask, None, bright, radius, spacing)


def inside(seeds: Sequence[Sequence[int]], geometry: Geometry, *, where: str) -> None:
    """InputError that names the first seed outside the image, with its position."""
    shape = geometry.shape
    for n, seed in enumerate(seeds):
        if len(seed) != len(shape):
            raise InputError(
                f"seed {n} has another number of indices than the image has axes",
                where=where,
                got=str(tuple(seed)),
                wanted=f"{len(shape)} indices",
            )
        if not all(0 <= i < s for i, s in zip(seed, shape, strict=True)):
            raise InputError(
                f"seed {n} lies outside the image",
                where=where,
                got=str(tuple(seed)),
                wanted="indices from " + " and ".join(f"0 to {s - 1}" for s in shape),
                remedy="Give seeds in array order: slice, row, column",
            )


def stands_out(values: Array) -> bool:
    """Whether the brighter of Otsu's two classes covers less of the image's edge."""
    cuts = multi_otsu(values, 2)
    if not cuts:
        return True
    outer = values[edge(values.shape)] >= np.float32(cuts[0])
    return 2 * int(np.count_nonzero(outer)) <= outer.size


def cleaned(mask: Array, begun: Begun, after: After, *, smooth: float = 0.0) -> Array:
    """uint8 (*grid): the mask opened by `smooth` radii and tidied as `after` says; holes go unless it says no."""
    # Holes first: a single noisy pixel inside would cost a whole ball of the opening.
    mask = mask if after.fill is False else filled(mask)
    if smooth * begun.radius >= min(begun.spacing):
        opened = open_mask(mask, smooth * begun.radius, begun.spacing)
        mask = opened if opened.any() else mask
    return tidied(
        mask.astype(np.uint8),
        keep_largest=bool(after.largest),
        smallest=after.smallest or 0.0,
    )


def begun_by(method: M, train: Cases, valid: Cases, *, watch: Watch, share: tuple[float, float]) -> M:
    """The method with its parts taught, and name, radius, channel, side, start and `after.largest` learnt from train,
    all but name and radius on `coarse` cases.

    Raises
    ------
    LabelError
        Train holds no labelled pixel.
    """
    made = cast(Any, taught(method, train, valid, watch=watch))
    start: Start = made.start
    radius = median_radius(train) if start.radius is None else start.radius
    made = replace(made, name=region(train), start=replace(start, radius=radius))
    middle = (share[0] + share[1]) / 2
    names = channels_of(made, train)
    sides = (True, False) if start.bright is None and not deep(made.on) else (start.bright,)
    hows = HOWS if start.how is None and start.seeds is None and start.region is None else (start.how,)
    some = coarse(made, train)
    made = best(
        [with_start(made, channel=c, bright=b, how=hows[0]) for c in names for b in sides],
        some,
        watch=watch,
        share=(share[0], middle),
    )
    every = [with_start(made, how=h, bright=b) for h in hows for b in (sides if h != hows[0] else (made.start.bright,))]
    made = best(every, some, watch=watch, share=(middle, share[1]))
    kept = (False, True) if made.after.largest is None else (made.after.largest,)
    each = [replace(made, after=replace(made.after, largest=k)) for k in kept]
    return cast(M, best(each, some, watch=watch, share=(share[1], share[1])))


def with_start(method: Any, **chosen: Any) -> Any:
    """The method with other fields of its start, and with `channel` of its `before`."""
    if "channel" in chosen:
        method = replace(method, before=replace(method.before, channel=chosen.pop("channel")))
    return replace(method, start=replace(method.start, **chosen))


def channels_of(method: Any, train: Cases) -> tuple[str | None, ...]:
    """The channels that a method may choose from: one where it is named or another method is worked on."""
    if method.before.channel is not None or deep(method.on):
        return (method.before.channel,)
    return channels(train[0].image())


def median_radius(train: Cases) -> float:
    """Median over the examples of the radius of the largest ball inside their masks, in the unit of the spacing."""
    radii = [
        inner_radius(mask, case.image().geometry.spacing or (1.0,) * mask.ndim) for case, mask, _ in examples(train)
    ]
    return float(np.median(radii))


def answer(mask: Array, case: Case, name: str) -> Segmentation:
    """The region on the case's own grid."""
    return Segmentation(np.asarray(mask, np.uint8), ("background", name), case.image().geometry)


def biggest(mask: Array, n: int) -> list[Array]:
    """The `n` largest connected parts of a mask, each as a mask, the largest first."""
    found: list[Array] = []
    rest = mask
    while len(found) < n and rest.any():
        found.append(largest(rest))
        rest = rest & ~found[-1]
    return found


def _side(values: Array, *, bright: bool, probable: bool, strict: bool) -> Array:
    if probable:
        cut = SURE if strict and values.max() >= SURE else EVEN
        return np.asarray(values >= np.float32(cut))
    cuts = (multi_otsu(values, 3) if strict else ()) or multi_otsu(values, 2)
    if not cuts:
        return np.zeros(values.shape, bool)
    return np.asarray(values >= np.float32(cuts[-1]) if bright else values < np.float32(cuts[0]))


def _pixels(radius: float, spacing: Sequence[float]) -> list[float]:
    return [radius / s for s in spacing]
