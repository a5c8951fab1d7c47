"""Unlabelled: the lesion of an ultrasound image by what lesions look like, without any label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from isocenter.data import After, Before, Case, NotEvaluated, Segmentation, knob
from isocenter.ops.array import Array
from isocenter.ops.resample import resize
from isocenter.ops.speckle import speckle_diffusion
from isocenter.ops.star import INSIDE, OUTSIDE, scales, star_outlines
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import answered, spaced

# An image is looked at with this many pixels along its longer side, of equal size in space; a smaller one than SMALLEST
# pixels along a side has no room for a lesion and what is around it.
SIDE, SMALLEST = 160, 8
# Every so many pixels stands a centre, that far from the edge; directions from it; ratio of two radii.
EVERY, MARGIN, DIRECTIONS, RATIO = 3.0, 6.0, 32, 1.12
# Radius of the smallest lesion in pixels of that grid, and of the largest as a share of its width.
SMALL, LARGE = 3.2, 0.4
# Directions that look down count half: behind a lesion may lie its shadow (down: within 45 degrees).
SHADED, DOWN = 0.5, 0.7
# Contrast that tissue without a lesion shows, in SD of the image.
NOISE = 0.35
# Where, as shares of the radius, it is looked at how dark a region is.
WITHIN = (0.2, 0.4, 0.6, 0.8)
# Where lesions lie, as shares of height and width: mean and SD.
MIDDLE, SPREAD = (0.38, 0.5), (0.25, 0.3)
# The outline is drawn again with this many pixels on its radius, directions and ratio, between these shares of it.
DRAWN, FINER, FINE, BETWEEN = 24.0, 64, 1.06, (0.6, 1.4)
# What leaving it by one ratio costs, as contrast; of several its square.
LEAVING = 0.02
# Where its middle lies on it or beyond, the least radius as a share of the largest.
NEAREST = 0.1
# A slice goes on what the one before shows where they agree so well.
AGREED = 0.5
# Share of a row's pixels that are darker than its level, and the share of rows that are skin.
ROW, SKIN = 0.6, 0.1
# Share of the fall with depth that is given back: machines have given back most of it, and tissue differs by layer.
GIVEN = 0.5


class Found(NamedTuple):
    """An outline (n, 2) in pixels (y, x) and the evidence for it."""

    outline: Array
    evidence: float


@dataclass(frozen=True)
class Unlabelled(Settled):
    """The dark, compact region that its surroundings outshine in most directions: one lesion an image, never none.

    Speckle is smoothed, half of what depth took is given back, and around every point the best star-shaped outline is
    found. The one kept has the most evidence: contrast against what tissue shows by chance, at as many places as have
    room; how few pixels are as dark; and a place where lesions lie. It is then drawn again on a finer grid. A volume is
    answered slice by slice, from the slice with the most evidence on as long as neighbours agree. No mask was used for
    any choice or default.

    Sources: Yu & Acton, IEEE Trans. Image Process. 11 (2002) 1260 (speckle); Horsch et al., Med. Phys. 28 (2001) 1652
    and Drukker et al., Med. Phys. 29 (2002) 1438 (radial contrast finds and outlines lesions); Timp & Karssemeijer,
    Med. Phys. 31 (2004) 958 (outline); Desolneux, Moisan, Morel, Int. J. Comput. Vis. 40 (2000) 7 (evidence against
    chance); Madabhushi & Metaxas, IEEE Trans. Med. Imaging 22 (2003) 155 (place).

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour.
    """

    before: Before = knob(Before, "channel, denoise (beside the smoothing of speckle, which is always done) and window")
    after: After = knob(After, "smallest; largest and fill change nothing: the answer is one region without holes")
    bright: bool = knob(False, "whether the lesion is brighter than its surroundings, as some are outside the breast")
    placed: bool = knob(True, "whether a lesion is expected in the middle and above it, where a sonographer puts it")
    name: str = knob("foreground", "name of the region in the answer")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="unlabelled")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where all pixels are alike or too few."""
        values = grey(case, self.before)
        if isinstance(values, NotEvaluated):
            return values
        if min(values.shape[-2:]) < SMALLEST:
            return NotEvaluated(
                "too small for a lesion and what is around it",
                measured=" x ".join(map(str, values.shape[-2:])),
                limit=f"{SMALLEST} pixels",
            )
        geometry = case.image().geometry
        spacing = spaced(geometry)[-2:]
        slices = values.reshape(-1, *values.shape[-2:])
        found = [most_evident(one, spacing, bright=self.bright, placed=self.placed) for one in slices]
        if all(one is None for one in found):
            return NotEvaluated("nothing differs from the background")
        return answered(_followed(found, slices).reshape(values.shape), self.after, self.name, geometry)


def most_evident(
    values: Array, spacing: tuple[float, ...], *, bright: bool = False, placed: bool = True
) -> Found | None:
    """The region with the most evidence.

    Parameters
    ----------
    values
        float32 (y, x), finite.
    spacing
        (y, x), in any unit.
    bright, placed
        As in `Unlabelled`.

    Returns
    -------
    Its outline on the grid of `values`; None where all values are equal.
    """
    extent = np.array(values.shape) * spacing
    shape = np.maximum(np.round(SIDE * extent / extent.max()), SMALLEST).astype(int)
    image = _level(speckle_diffusion(resize(values[None], shape)[0]))
    image = -image if bright else image
    spread = float(image.std(dtype=np.float64))
    if values.min() == values.max() or not spread > 0:
        return None
    radii = _radii(SMALL, LARGE * min(shape), RATIO)
    centres = _grid(shape)
    weights = _weights(DIRECTIONS)
    chosen, contrasts = star_outlines(scales(image / np.float32(spread), radii), radii, centres, weights)
    outlines = _points(radii[chosen], centres)
    evidence = _evidence(contrasts @ (weights / weights.sum()), outlines, shape, placed=placed)
    evidence += _darkness(image, radii[chosen], centres)
    best = int(np.argmax(evidence))
    factor = np.array(values.shape) / shape
    drawn = _drawn_again(-values if bright else values, (outlines[best] + 0.5) * factor - 0.5, np.asarray(spacing))
    return Found(drawn, float(evidence[best]))


def _level(image: Array) -> Array:
    """The image with half of what depth took given back: on a logarithmic scale attenuation is a falling line."""
    from scipy.stats import theilslopes

    rows = np.quantile(image, ROW, axis=1)
    depth = np.arange(len(rows), dtype=np.float64)
    below = slice(round(SKIN * len(rows)), None)
    slope = GIVEN * min(float(theilslopes(rows[below], depth[below])[0]), 0.0)
    return np.asarray(image - (slope * (depth - depth.mean()))[:, None], np.float32)


def _radii(low: float, high: float, ratio: float) -> Array:
    """Radii in one ratio so that outlines lie between `low` and `high`."""
    steps = max(0, round(np.log(max(high / low, 1.0)) / np.log(ratio)))
    return np.asarray(low * ratio ** np.arange(-INSIDE, steps + 1 + OUTSIDE))


def _grid(shape: Array) -> Array:
    axes = [np.arange(min(MARGIN, (n - 1) / 2), max(n - MARGIN, n / 2), EVERY) for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def _weights(directions: int) -> Array:
    angle = 2 * np.pi * np.arange(directions) / directions
    return np.where(np.sin(angle) > DOWN, np.float32(SHADED), np.float32(1))


def _points(radii: Array, centres: Array) -> Array:
    """Points (n, a, 2) on a grid at radii (n, a) around centres (n, 2)."""
    angle = 2 * np.pi * np.arange(radii.shape[1]) / radii.shape[1]
    return np.asarray(centres[:, None] + radii[..., None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1))


def _area(outlines: Array) -> Array:
    y, x = outlines[..., 0], outlines[..., 1]
    return np.asarray(np.abs((x * np.roll(y, -1, -1) - y * np.roll(x, -1, -1)).sum(axis=-1)) / 2)


def _evidence(contrast: Array, outlines: Array, shape: Array, *, placed: bool) -> Array:
    """Minus the logarithm of how many regions of that size would show such contrast by chance, and the place's."""
    evidence = np.maximum(contrast, 0) ** 2 / (2 * NOISE**2) + np.log(_area(outlines) / np.prod(shape))
    if placed:
        away = (outlines.mean(axis=1) / shape - MIDDLE) / SPREAD
        evidence = evidence - np.square(away).sum(axis=1) / 2
    return np.asarray(evidence)


def _darkness(image: Array, radii: Array, centres: Array) -> Array:
    """Minus the logarithm of the share of the image that is darker than what is within outlines (n, a): (n,)."""
    from scipy import ndimage

    inside = [_points(radii * share, centres) for share in WITHIN]
    values = ndimage.map_coordinates(image, np.moveaxis(np.concatenate(inside, 1), -1, 0), order=1, mode="nearest")
    rank = np.searchsorted(np.sort(image, axis=None), values.mean(axis=1))
    return np.asarray(-np.log((rank + 1) / (image.size + 1)))


def _drawn_again(values: Array, outline: Array, spacing: Array) -> Array:
    """The outline (n, 2) in pixels of the image's own grid, found again on a grid that fits its size."""
    radius = float(np.sqrt(_area(outline * spacing) / np.pi))
    low = np.floor(np.maximum(outline.min(axis=0) - radius / spacing, 0)).astype(int)
    high = np.ceil(np.minimum(outline.max(axis=0) + radius / spacing + 1, values.shape)).astype(int)
    crop = values[low[0] : high[0], low[1] : high[1]]
    step = radius / DRAWN
    shape = np.maximum(np.round((high - low) * spacing / step), SMALLEST).astype(int)
    factor = (high - low) / shape
    image = speckle_diffusion(resize(crop[None], shape)[0])
    spread = float(image.std(dtype=np.float64)) or 1.0
    middle, before = _polar((outline - low + 0.5) / factor - 0.5)
    radii = _radii(BETWEEN[0] * before.min(), BETWEEN[1] * before.max(), FINE)
    bias = -LEAVING * np.square(np.log(radii / before[:, None]) / np.log(FINE))
    chosen, _ = star_outlines(
        scales(image / np.float32(spread), radii), radii, middle[None], _weights(FINER), bias=bias
    )
    finer = _points(radii[chosen], middle[None])[0]
    return np.asarray((finer + 0.5) * factor - 0.5 + low)


def _polar(outline: Array) -> tuple[Array, Array]:
    """The middle (2,) of an outline (n, 2), and its radii in FINER directions."""
    middle = outline.mean(axis=0)
    y, x = (outline - middle).T
    angle = np.arctan2(y, x)
    order = np.argsort(angle)
    wanted = 2 * np.pi * np.arange(FINER) / FINER
    radii = np.interp(wanted, angle[order], np.hypot(y, x)[order], period=2 * np.pi)
    return middle, np.maximum(radii, radii.max() * NEAREST)


def _followed(found: list[Found | None], slices: Array) -> Array:
    """bool (z, y, x): the outline of the best slice, and on both sides those that agree with the one before."""
    mask = np.zeros(slices.shape, bool)
    best = int(np.argmax([-np.inf if one is None else one.evidence for one in found]))
    mask[best] = _within(found[best], slices.shape[1:])
    for step in (-1, 1):
        i = best + step
        while 0 <= i < len(found):
            here, before = _within(found[i], slices.shape[1:]), mask[i - step]
            both = np.count_nonzero(here) + np.count_nonzero(before)
            if 2 * np.count_nonzero(here & before) < AGREED * both:
                break
            mask[i] = here
            i += step
    return mask


def _within(found: Found | None, shape: tuple[int, ...]) -> Array:
    """bool (y, x): pixels whose centres lie within the outline; at least one."""
    from skimage.draw import polygon2mask

    if found is None:
        return np.zeros(shape, bool)
    mask = np.asarray(polygon2mask(shape, found.outline))
    middle = np.clip(np.round(found.outline.mean(axis=0)), 0, np.array(shape) - 1).astype(int)
    mask[tuple(middle)] = True
    return mask
