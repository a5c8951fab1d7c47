"""Which point of one image is which point of another, of two images that lie near each other already."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isocenter.data import Image, NotEvaluated, Plan
from isocenter.errors import BundleError
from isocenter.infer.engines import Engine
from isocenter.infer.memory import pixel_bytes, require
from isocenter.infer.preparing import back, prepared, unusable
from isocenter.ops.array import Array
from isocenter.ops.normalise import standardise
from isocenter.ops.pulling import pulled
from isocenter.ops.refining import Aim, integrated, likeness, refined
from isocenter.ops.warping import determinants, grid_points
from isocenter.ops.windows import multiple, padded, unpadded

# Times that a velocity is smoothed before a map that still folds is given up, and the SD of each in its own pixels.
TRIES, SMOOTHING = 8, 1.0
# Numbers that integration and refinement hold for each pixel; pixels along two axes below which nothing is said.
HELD, SIDE = 64, 8


@dataclass(frozen=True, eq=False)
class Moved:
    """Where the pixels of the fixed image lie in the moving one.

    Parameters
    ----------
    move
        float32 (axes, *grid): displacement in pixels of the pair's own grid, array order.
    evidence
        ``likeness_before`` and ``likeness`` (mean squared correlation in windows), ``folded`` (pixels whose folds were
        smoothed away).
    """

    move: Array
    evidence: dict[str, float]


def register(engine: Engine, pair: Image, plan: Plan) -> Moved | NotEvaluated:
    """The displacement between the two channels of a pair.

    The network answers a stationary velocity; `settings.refine` steps of optimisation on this pair improve it; its
    integral is a map without folds. Where the grid is too coarse for that, the velocity is smoothed until none is left.

    Parameters
    ----------
    engine
        As `infer.engine` makes it.
    pair
        Of two channels on one grid, the fixed image first.
    plan
        With the settings of ``register``.

    Returns
    -------
    NotEvaluated where a pixel is no number, an image is blank or tiny, the network leaves the two less alike than pairs
    of one content were on val, or folds remain.

    Raises
    ------
    InputError, GeometryError, ResourceError
        As `prepare`.
    BundleError
        The network does not answer as the plan says.
    """
    array = pair.channels_first()
    lack = unusable(array)
    lack = empty(array) if lack is None else lack
    if lack is not None:
        return lack
    seen, own = shown(prepared(array, pair, plan).array), array.shape[1:]
    inside, grid = padded(seen, multiple(seen.shape[1:], plan.divisor)), seen.shape[1:]
    pixels = math.prod(inside.shape[1:])
    require(pixels * (pixel_bytes(engine) + 4 * HELD), what=f"a pair of {tuple(grid)}",
            remedy="Train with a coarser before.spacing")
    aim, speed = aim_of(plan), velocity(engine, inside, plan)
    before, alike = (likeness(m, inside[0], aim.window) for m in (inside[1], brought(inside, speed)))
    least = plan.settings.get("least")
    if least is not None and not alike >= float(least):
        return NotEvaluated("the images share too little: the network leaves them less alike than pairs of one content",
                            f"likeness {alike:.3f}", f"{float(least):.3f}")
    speed = refined(speed, inside[0], inside[1], aim, steps=int(plan.settings.get("refine", 0)))
    scale = (np.asarray(own) / np.asarray(grid)).astype(np.float32).reshape(-1, *(1,) * len(own))

    def placed(move: Array) -> Array:
        return np.asarray(back(unpadded(move, grid), own) * scale)

    speed, move, folded = unfolded(speed, inside.shape[1:], placed)
    left = folds(move)
    if left:
        return NotEvaluated("the map that was found folds", f"{100 * left / math.prod(own):.2g} % of the fixed image",
                            "0 %")
    after = likeness(brought(inside, speed), inside[0], aim.window)
    return Moved(move, {"likeness_before": before, "likeness": after, "folded": float(folded)})


def shown(array: Array) -> Array:
    """What network and optimisation see of a prepared pair (2, *grid): mean 0 and SD 1 each, float32."""
    return standardise(array)


def empty(array: Array) -> NotEvaluated | None:
    """NotEvaluated where one of the images (c, *grid) holds a single value, or hardly a pixel; None where none does."""
    if sorted(array.shape[1:])[-2] < SIDE:
        return NotEvaluated("there are too few pixels to say how one image bends into another", str(array.shape[1:]),
                            f"{SIDE} along two axes")
    for name, values in zip(("fixed", "moving"), array, strict=False):
        if not values.min() < values.max():
            return NotEvaluated(f"the {name} image is blank", "one value", "a picture")
    return None


def velocity(engine: Engine, pair: Array, plan: Plan) -> Array:
    """float32 (axes, *coarse): the network's answer about a pair (2, *grid); BundleError where it is none."""
    found = np.asarray(engine(pair[None]))
    if found.ndim != plan.rank + 2 or found.shape[:2] != (1, plan.rank) or not np.isfinite(found).all():
        raise BundleError("the network does not answer with a velocity", got=str(found.shape),
                          wanted=f"(1, {plan.rank}, ...), finite")
    return np.asarray(found[0], np.float32)


def brought(pair: Array, speed: Array) -> Array:
    """The moving image (*grid) of a pair (2, *grid) along a velocity (axes, *coarse)."""
    return np.asarray(pulled(pair[1:], integrated(speed, pair.shape[1:]))[0])


def aim_of(plan: Plan) -> Aim:
    """What counts as registered, from the plan's settings."""
    how = plan.settings
    return Aim(str(how["similarity"]), int(how["window"]), float(how["smoothness"]))


def unfolded(
    speed: Array, shape: tuple[int, ...], placed: Callable[[Array], Array] = np.asarray
) -> tuple[Array, Array, int]:
    """A velocity (axes, *coarse) smoothed as often as its integral folds, that integral, and folds before.

    Integration leaves folds only where a velocity turns within a pixel.

    Parameters
    ----------
    speed
        In pixels of the grid.
    shape
        The grid on which it is integrated.
    placed
        Brings the integral to where it is looked at.
    """
    from scipy.ndimage import gaussian_filter

    move = placed(integrated(speed, shape))
    first = left = folds(move)
    for _ in range(TRIES if left else 0):
        speed = np.stack([gaussian_filter(part, SMOOTHING, mode="nearest") for part in speed])
        move = placed(integrated(speed, shape))
        left = folds(move)
        if not left:
            break
    return speed, move, first


def folds(move: Array) -> int:
    """Pixels at which a displacement (axes, *grid) in pixels folds."""
    places = grid_points(move.shape[1:]) + np.moveaxis(move, 0, -1)
    return int(np.count_nonzero(~(determinants(places) > 0)))
