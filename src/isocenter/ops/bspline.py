"""Free-form deformation: a displacement of cubic B-splines, found by gradients from coarse to fine.

Source: Rueckert, Sonoda, Hayes, Hill, Leach and Hawkes, Nonrigid registration using free-form deformations, IEEE TMI 18
(1999) 712. A lattice of weights lies over the box of the finest grid; from level to level it is halved, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel
from isocenter.ops.pyramid import Level
from isocenter.ops.similarity import BINS, MEASURES

# Second derivatives along two axes, and how often each stands in the sum of the squares of all.
BENDS = {(2, 0, 0): 1.0, (0, 2, 0): 1.0, (0, 0, 2): 1.0, (1, 1, 0): 2.0, (1, 0, 1): 2.0, (0, 1, 1): 2.0}
# Points a weight by which integrals over the lattice are taken.
DENSE = 8


@dataclass(frozen=True)
class Form:
    """What is sought.

    Parameters
    ----------
    measure
        Of likeness, of `isocenter.ops.similarity.MEASURES`.
    spacing
        Of the lattice on the finest level, in its smallest pixels.
    bending
        Weight of the mean squared second derivative of the displacement, both in these pixels, against the likeness
        (squares by twice the fixed image's variance).
    steps
        Of the search (L-BFGS), at most, on each level; on the finest a third.
    """

    measure: str = "correlation"
    spacing: float = 8.0
    bending: float = 1.0
    steps: int = 30


@dataclass(frozen=True, eq=False)
class Lattice:
    """Weights of cubic B-splines over a box of pixels.

    Parameters
    ----------
    weights
        float64 (3, z, y, x): displacement in pixels of the finest grid, array order.
    shape
        Of the finest grid.
    spacing
        Between weights, in pixels of the finest grid per axis.
    """

    weights: Array
    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    @classmethod
    def flat(cls, shape: Sequence[int], spacing: Sequence[float]) -> Lattice:
        """No displacement; along an axis of a single pixel there is one weight."""
        counts = [int(np.ceil(n / s)) + 3 if n > 1 else 1 for n, s in zip(shape, spacing, strict=True)]
        return cls(np.zeros((3, *counts)), tuple(shape), tuple(spacing))

    def bases(self, places: Sequence[Array], orders: Sequence[int] = (0, 0, 0)) -> list[Array]:
        """Per axis (n, weights): each spline, or a derivative of it by pixels, at pixels of the finest grid."""
        return [
            basis(p, s, m, order=o)
            for p, s, m, o in zip(places, self.spacing, self.weights.shape[1:], orders, strict=True)
        ]

    def displacement(self, shape: Sequence[int]) -> Array:
        """float32 (3, *shape) on a grid of the same box: in pixels of the finest grid."""
        return expanded(self.weights.astype(np.float32), self.bases(_centres(self.shape, shape)))

    def halved(self, spacing: Sequence[float]) -> Lattice:
        """The same displacement by a lattice of another spacing, exactly where that divides this one's."""
        other = Lattice.flat(self.shape, spacing)
        every = _everywhere(other)
        turns = [np.linalg.pinv(b) @ a for a, b in zip(self.bases(every), other.bases(every), strict=True)]
        return replace(other, weights=expanded(self.weights, turns))


def basis(places: Array, spacing: float, count: int, *, order: int = 0) -> Array:
    """Cubic B-splines at places of an axis.

    Parameters
    ----------
    places
        (n,) in pixels; the first pixel's edge is at -0.5, where the lattice begins.
    spacing, count
        Of the lattice; one weight stands for a constant.
    order
        Of the derivative, 0 to 2.

    Returns
    -------
    float64 (n, count).

    >>> basis(np.array([-0.5]), 4.0, 4).round(3).tolist()
    [[0.167, 0.667, 0.167, 0.0]]
    """
    if count == 1:
        return np.full((len(places), 1), 0.0 if order else 1.0)
    at = (np.asarray(places, float)[:, None] + 0.5) / spacing + 1.0 - np.arange(count)
    away, side = np.abs(at), np.sign(at)
    near, far = away < 1, away < 2
    inner = ((3 * away - 6) * away**2 + 4, side * (9 * away - 12) * away, 18 * away - 12)[order]
    outer = ((2 - away) ** 3, side * -3 * (2 - away) ** 2, 6 * (2 - away))[order]
    return np.asarray(np.where(near, inner, np.where(far, outer, 0.0)) / 6.0 / spacing**order)


def expanded(weights: Array, bases: Sequence[Array]) -> Array:
    """(3, *lattice) to (3, *grid): sums of splines, axis by axis."""
    out = weights
    for axis, matrix in enumerate(bases, start=1):
        rows = out.reshape(int(np.prod(out.shape[:axis])), out.shape[axis], -1)
        m = matrix.astype(weights.dtype)
        made = rows[:, :, 0] @ m.T if rows.shape[2] == 1 else m @ rows
        out = made.reshape(*out.shape[:axis], len(m), *out.shape[axis + 1 :])
    return np.ascontiguousarray(out)


def bent(lattice: Lattice, size: Sequence[float]) -> tuple[float, Array]:
    """The mean squared second derivative over the box, and its slope by each weight.

    Parameters
    ----------
    lattice
        Of the displacement.
    size
        Of the finest grid's pixels, per axis, in the unit in which lengths are counted.
    """
    every = _everywhere(lattice)
    grams = [
        [b.T @ b / len(b) for b in lattice.bases(every, (order,) * 3)] for order in range(3)
    ]
    scale = np.square(np.asarray(size, float))
    slope = np.zeros_like(lattice.weights)
    for orders, times in BENDS.items():
        lengths = np.prod(scale ** np.asarray(orders))
        slope += times / lengths * expanded(lattice.weights, [grams[o][a] for a, o in enumerate(orders)])
    slope *= scale[:, None, None, None]
    return float((slope * lattice.weights).sum()), 2.0 * slope


def freeform(levels: Sequence[Level], form: Form) -> Lattice:
    """The displacement under which the moving image is most like the fixed one: ``moving(x + u(x))`` like ``fixed(x)``.

    Parameters
    ----------
    levels
        Of the pyramid, finest first; the images' first channel, with values of about 0 to 1.
    form
        What is sought.
    """
    lattice: Lattice | None = None
    for n, level in reversed(list(enumerate(levels))):
        spacing = [form.spacing * 2**n * levels[0].finest / s for s in levels[0].spacing]
        shape = levels[0].weight.shape
        lattice = Lattice.flat(shape, spacing) if lattice is None else lattice.halved(spacing)
        lattice = searched(lattice, level, form, steps=form.steps if n or len(levels) == 1 else -(-form.steps // 3))
    assert lattice is not None
    return lattice


def searched(lattice: Lattice, level: Level, form: Form, *, steps: int) -> Lattice:
    """A better displacement on one level, by at most so many steps of L-BFGS.

    Source: Liu and Nocedal, Mathematical Programming 45 (1989) 503 (scipy's).
    """
    from scipy import optimize

    goal = _Goal(level, lattice, form)
    if steps < 1 or not level.weight.any():
        return lattice
    found = optimize.minimize(goal, lattice.weights.ravel(), jac=True, method="L-BFGS-B",
                              options={"maxiter": steps, "maxfun": 2 * steps, "maxcor": 6, "ftol": 1e-6, "gtol": 0.0})
    return replace(lattice, weights=np.asarray(found.x).reshape(lattice.weights.shape))


class _Goal:
    """What is made small: minus the likeness, and the bending."""

    def __init__(self, level: Level, lattice: Lattice, form: Form) -> None:
        self.level, self.lattice, self.form = level, lattice, form
        shape = level.weight.shape
        self.bases = [b.astype(np.float32) for b in lattice.bases(_centres(lattice.shape, shape))]
        self.pixels = np.array([a / b for a, b in zip(lattice.shape, shape, strict=True)], np.float32)
        self.size = [s / p / level.finest for s, p in zip(level.spacing, self.pixels, strict=True)]
        known = level.weight > 0.5
        self.fixed = np.where(known, binned(level.fixed[0], form.measure), np.float32(0)).ravel()
        self.moving = binned(level.moving[0], form.measure)
        self.known = known.ravel()
        self.scale = 1.0
        if form.measure == "squares" and known.any():
            # By twice the variance they are 1 less correlation where contrast is alike: one weight of bending for all.
            self.scale = 0.5 / max(float(self.fixed[self.known].var(dtype=np.float64)), 1e-9)
        self.value = np.empty(shape, np.float32)
        self.gradient = np.empty((3, *shape), np.float32)
        self.slopes = np.empty(known.size)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        lattice = replace(self.lattice, weights=flat.reshape(self.lattice.weights.shape))
        field = expanded(lattice.weights.astype(np.float32), self.bases)
        _sloped(self.moving, field, 1 / self.pixels, self.value, self.gradient)
        self.value.ravel()[~self.known] = np.nan
        likeness = MEASURES[self.form.measure](self.fixed, self.value.ravel(), self.slopes)
        likeness, slopes = self.scale * likeness, self.scale * self.slopes
        self.gradient *= slopes.reshape(self.value.shape).astype(np.float32)
        up = _gathered(self.gradient, self.bases) / self.pixels[:, None, None, None]
        bending, slope = bent(lattice, self.size)
        return self.form.bending * bending - likeness, (self.form.bending * slope - up).ravel()


def binned(values: Array, measure: str) -> Array:
    """Finite values as float32, as a measure wants them: numbers of bins for mutual information."""
    if measure != "mutual":
        return np.ascontiguousarray(values, np.float32)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * np.float32((BINS - 1) / max(high - low, 1e-6))
    return np.ascontiguousarray(np.clip(scaled, 0, BINS - 1.001), np.float32)


def _gathered(field: Array, bases: Sequence[Array]) -> Array:
    """What `expanded` turns round: (3, *grid) to float64 (3, *lattice)."""
    out = field
    for axis in (3, 2, 1):
        matrix = bases[axis - 1]
        rows = out.reshape(int(np.prod(out.shape[:axis])), out.shape[axis], -1)
        made = rows[:, :, 0] @ matrix if rows.shape[2] == 1 else matrix.T @ rows
        out = made.reshape(*out.shape[:axis], matrix.shape[1], *out.shape[axis + 1 :])
    return out.astype(np.float64)


def _centres(fine: Sequence[int], shape: Sequence[int]) -> list[Array]:
    """Where the pixels of a grid of the same box have their centres, in pixels of the finest."""
    return [(np.arange(m) + 0.5) * n / m - 0.5 for n, m in zip(fine, shape, strict=True)]


def _everywhere(lattice: Lattice) -> list[Array]:
    """Many evenly spaced places over the box, for sums that stand for integrals."""
    return _centres(lattice.shape, [DENSE * n for n in lattice.weights.shape[1:]])


@kernel
def _sloped(image: Array, field: Array, scale: Array, value: Array, gradient: Array) -> None:
    """An image (z, y, x) at x + scale field(x), linear, and its gradient there; beyond the edge as at the edge."""
    nz, ny, nx = image.shape
    plane = ny * nx
    f, s, v, g = field.reshape(3, -1), image.reshape(-1), value.reshape(-1), gradient.reshape(3, -1)
    zero = np.float32(0)
    i = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                pz = min(max(np.float32(z) + scale[0] * f[0, i], zero), np.float32(nz - 1))
                py = min(max(np.float32(y) + scale[1] * f[1, i], zero), np.float32(ny - 1))
                px = min(max(np.float32(x) + scale[2] * f[2, i], zero), np.float32(nx - 1))
                z0, y0, x0 = np.int64(pz), np.int64(py), np.int64(px)
                wz, wy, wx = pz - np.float32(z0), py - np.float32(y0), px - np.float32(x0)
                dz = plane if z0 < nz - 1 else 0
                dy = nx if y0 < ny - 1 else 0
                dx = 1 if x0 < nx - 1 else 0
                a = z0 * plane + y0 * nx + x0
                b = a + dz
                d00, d01 = s[a + dx] - s[a], s[a + dy + dx] - s[a + dy]
                d10, d11 = s[b + dx] - s[b], s[b + dy + dx] - s[b + dy]
                v00, v01 = s[a] + wx * d00, s[a + dy] + wx * d01
                v10, v11 = s[b] + wx * d10, s[b + dy] + wx * d11
                e0, e1 = v01 - v00, v11 - v10
                v0, v1 = v00 + wy * e0, v10 + wy * e1
                d0, d1 = d00 + wy * (d01 - d00), d10 + wy * (d11 - d10)
                v[i] = v0 + wz * (v1 - v0)
                # Beyond the edge nothing changes; at its far end both neighbours are one.
                g[0, i] = v1 - v0 if pz > zero else zero
                g[1, i] = e0 + wz * (e1 - e0) if py > zero else zero
                g[2, i] = d0 + wz * (d1 - d0) if px > zero else zero
                i += 1
