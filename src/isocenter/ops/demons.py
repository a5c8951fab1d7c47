"""Demons that are symmetric and cannot tear: a stationary velocity, found from coarse to fine.

Both images are brought half the way towards each other, by exp(v / 2) and exp(-v / 2). There what is left is a small
step u for each pixel (efficient second-order minimisation), and exp(v / 2) exp(u) exp(v / 2) = exp(v + u) to third
order: halfway no Lie bracket is needed. The step is smoothed like a fluid, the sum like something elastic.

Sources: Vercauteren, Pennec, Perchant and Ayache, Symmetric log-domain diffeomorphic registration, MICCAI 2008, LNCS
5241, 754; the same, Diffeomorphic demons, NeuroImage 45 (2009) S61.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel
from isocenter.ops.pyramid import Level, doubled, halved
from isocenter.ops.smoothing import gaussian
from isocenter.ops.velocity import carry, exponential

# Steps between two looks at whether the images still come nearer, and by what share they must.
LOOK, STILL = 5, 1e-3


@dataclass(frozen=True)
class Rules:
    """How demons move.

    Parameters
    ----------
    steps
        At most, on each level; of the finest, of whose pixels the last share is asked, a third.
    fluid, elastic
        Standard deviations of the smoothing of a step and of the velocity, in pixels of the level.
    longest
        Step of a single pixel, in pixels of the level, at most.
    """

    steps: int = 30
    fluid: float = 1.0
    elastic: float = 2.0
    longest: float = 2.0


def demons(levels: Sequence[Level], rules: Rules) -> Array:
    """The velocity whose flow brings the moving image to the fixed one.

    Parameters
    ----------
    levels
        Of the pyramid, finest first.
    rules
        Of the movement.

    Returns
    -------
    float32 (3, *grid) on the grid below the finest level's, in its pixels, array order:
    ``moving(x + exponential(v)(x))`` is like ``fixed(x)``. `whole` brings it to the finest level.
    """
    velocity = np.zeros((3, *levels[-1].below), np.float32)
    for n, level in reversed(list(enumerate(levels))):
        if level is not levels[-1]:
            velocity = _scaled(doubled(velocity, levels[n + 1].which), levels[n + 1].which, 2.0)
        velocity = _moved(velocity, level, rules, rules.steps if n or len(levels) == 1 else -(-rules.steps // 3))
    return velocity


def whole(displacement: Array, level: Level) -> Array:
    """A displacement of the grid below a level on the level's own, in its pixels."""
    return _scaled(doubled(displacement, level.which), level.which, 2.0)


def _moved(velocity: Array, level: Level, rules: Rules, steps: int) -> Array:
    size = np.asarray(level.spacing, np.float32) / np.float32(level.finest)
    coarse = size * np.where(level.which, 2, 1)
    fixed, moving = np.empty_like(level.fixed), np.empty_like(level.moving)
    push = np.empty((3, *level.fixed.shape[1:]), np.float32)
    before = np.inf
    for n in range(steps):
        carry(level.moving, whole(exponential(0.5 * velocity), level), moving)
        carry(level.fixed, whole(exponential(-0.5 * velocity), level), fixed)
        left = _push(fixed, moving, level.weight, size, rules.longest, push)
        if n % LOOK == 0:
            if left >= (1 - STILL) * before:
                break
            before = left
        step = _scaled(halved(push, level.which), level.which, 0.5)
        velocity = gaussian(velocity + gaussian(step, rules.fluid / coarse), rules.elastic / coarse)
    return velocity


def _scaled(field: Array, which: Sequence[bool], factor: float) -> Array:
    """In place."""
    for part, one in zip(field, which, strict=True):
        if one:
            part *= np.float32(factor)
    return field


@kernel
def _push(fixed: Array, moving: Array, weight: Array, size: Array, longest: float, out: Array) -> float:
    """The step of every pixel, in pixels of each axis; returns the weighted sum of squared differences.

    Of several channels the steps are those of least squares, damped as one channel's are.
    """
    nc, nz, ny, nx = fixed.shape
    half, one, tiny = np.float32(0.5), np.float32(1), np.float32(1e-9)
    bound = one / np.float32(4 * longest * longest)
    total = 0.0
    for z in range(nz):
        za, zb = max(z - 1, 0), min(z + 1, nz - 1)
        hz = half / (np.float32(max(zb - za, 1)) * size[0])
        for y in range(ny):
            ya, yb = max(y - 1, 0), min(y + 1, ny - 1)
            hy = half / (np.float32(max(yb - ya, 1)) * size[1])
            for x in range(nx):
                xa, xb = max(x - 1, 0), min(x + 1, nx - 1)
                hx = half / (np.float32(max(xb - xa, 1)) * size[2])
                bz = by = bx = azz = ayy = axx = azy = azx = ayx = left = np.float32(0)
                for c in range(nc):
                    f, m = fixed[c], moving[c]
                    gz = ((f[zb, y, x] - f[za, y, x]) + (m[zb, y, x] - m[za, y, x])) * hz
                    gy = ((f[z, yb, x] - f[z, ya, x]) + (m[z, yb, x] - m[z, ya, x])) * hy
                    gx = ((f[z, y, xb] - f[z, y, xa]) + (m[z, y, xb] - m[z, y, xa])) * hx
                    r = f[z, y, x] - m[z, y, x]
                    left += r * r
                    bz += r * gz
                    by += r * gy
                    bx += r * gx
                    azz += gz * gz
                    ayy += gy * gy
                    axx += gx * gx
                    azy += gz * gy
                    azx += gz * gx
                    ayx += gy * gx
                total += weight[z, y, x] * left
                damp = left * bound + tiny
                if nc == 1:
                    k = weight[z, y, x] / (azz + ayy + axx + damp)
                    out[0, z, y, x] = k * bz / size[0]
                    out[1, z, y, x] = k * by / size[1]
                    out[2, z, y, x] = k * bx / size[2]
                    continue
                azz, ayy, axx = azz + damp, ayy + damp, axx + damp
                # By the adjugate of the symmetric matrix.
                czz, cyy, cxx = ayy * axx - ayx * ayx, azz * axx - azx * azx, azz * ayy - azy * azy
                czy, czx, cyx = azx * ayx - azy * axx, azy * ayx - azx * ayy, azy * azx - azz * ayx
                k = weight[z, y, x] / (azz * czz + azy * czy + azx * czx)
                out[0, z, y, x] = k * (czz * bz + czy * by + czx * bx) / size[0]
                out[1, z, y, x] = k * (czy * bz + cyy * by + cyx * bx) / size[1]
                out[2, z, y, x] = k * (czx * bz + cyx * by + cxx * bx) / size[2]
    return total
