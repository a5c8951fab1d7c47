"""Fields read where another field points, linearly, and the way back of a gradient through that."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel


def pulled(field: Array, move: Array) -> Array:
    """A field (c, *grid) read where each pixel goes; beyond the edge the nearest pixel's value.

    Parameters
    ----------
    field
        (c, *grid) of two or three axes.
    move
        (axes, *grid): displacement in pixels, array order.

    Returns
    -------
    float32 (c, *grid).

    >>> pulled(np.array([[[0.0, 4.0, 8.0]]]), np.array([[[0.0, 0, 0]], [[0.5, -3.0, 0.25]]])).tolist()
    [[[2.0, 0.0, 8.0]]]
    """
    source, by = _deep(field), _deep(move)
    out = np.empty(source.shape, np.float32)
    _pull(source, by, out)
    return out.reshape(field.shape)


def pushed(field: Array, move: Array, gradient: Array) -> tuple[Array, Array]:
    """What a gradient by ``pulled(field, move)`` is by `field` and by `move`.

    Parameters
    ----------
    field, move
        As in `pulled`.
    gradient
        (c, *grid).

    Returns
    -------
    float32 (c, *grid) and (axes, *grid).
    """
    source, by, flow = _deep(field), _deep(move), _deep(gradient)
    back, turn = np.zeros(source.shape, np.float32), np.empty(by.shape, np.float32)
    _push(source, by, flow, back, turn)
    return back.reshape(field.shape), turn.reshape(move.shape)


def _deep(array: Array) -> Array:
    """float32 (c, z, y, x)."""
    flat = np.ascontiguousarray(array, np.float32)
    return flat if flat.ndim == 4 else flat.reshape(len(flat), 1, *flat.shape[1:])


@kernel
def _axis(place: float, n: int) -> tuple[int, int, float, bool]:
    """The two pixels around a place, the share of the second, and whether it moves with the place."""
    if place <= 0.0:
        return 0, 0, 0.0, False
    if place >= n - 1:
        return n - 1, n - 1, 0.0, False
    low = int(place)
    return low, low + 1, place - low, True


@kernel
def _pull(source: Array, move: Array, out: Array) -> None:
    channels, nz, ny, nx = source.shape
    axes = len(move)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                u, v, w = 0.0, move[axes - 2, z, y, x], move[axes - 1, z, y, x]
                if axes == 3:
                    u = move[0, z, y, x]
                z0, z1, a, _ = _axis(z + u, nz)
                y0, y1, b, _ = _axis(y + v, ny)
                x0, x1, c, _ = _axis(x + w, nx)
                for k in range(channels):
                    low = (1 - b) * ((1 - c) * source[k, z0, y0, x0] + c * source[k, z0, y0, x1]) + b * (
                        (1 - c) * source[k, z0, y1, x0] + c * source[k, z0, y1, x1]
                    )
                    high = (1 - b) * ((1 - c) * source[k, z1, y0, x0] + c * source[k, z1, y0, x1]) + b * (
                        (1 - c) * source[k, z1, y1, x0] + c * source[k, z1, y1, x1]
                    )
                    out[k, z, y, x] = (1 - a) * low + a * high


@kernel
def _push(source: Array, move: Array, gradient: Array, back: Array, turn: Array) -> None:
    channels, nz, ny, nx = source.shape
    axes = len(move)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                u, v, w = 0.0, move[axes - 2, z, y, x], move[axes - 1, z, y, x]
                if axes == 3:
                    u = move[0, z, y, x]
                z0, z1, a, free_z = _axis(z + u, nz)
                y0, y1, b, free_y = _axis(y + v, ny)
                x0, x1, c, free_x = _axis(x + w, nx)
                dz, dy, dx = 0.0, 0.0, 0.0
                for k in range(channels):
                    g = gradient[k, z, y, x]
                    p000, p001 = source[k, z0, y0, x0], source[k, z0, y0, x1]
                    p010, p011 = source[k, z0, y1, x0], source[k, z0, y1, x1]
                    p100, p101 = source[k, z1, y0, x0], source[k, z1, y0, x1]
                    p110, p111 = source[k, z1, y1, x0], source[k, z1, y1, x1]
                    q00, q01 = (1 - c) * p000 + c * p001, (1 - c) * p010 + c * p011
                    q10, q11 = (1 - c) * p100 + c * p101, (1 - c) * p110 + c * p111
                    dz += g * ((1 - b) * (q10 - q00) + b * (q11 - q01))
                    dy += g * ((1 - a) * (q01 - q00) + a * (q11 - q10))
                    dx += g * ((1 - a) * ((1 - b) * (p001 - p000) + b * (p011 - p010))
                               + a * ((1 - b) * (p101 - p100) + b * (p111 - p110)))
                    back[k, z0, y0, x0] += g * (1 - a) * (1 - b) * (1 - c)
                    back[k, z0, y0, x1] += g * (1 - a) * (1 - b) * c
                    back[k, z0, y1, x0] += g * (1 - a) * b * (1 - c)
                    back[k, z0, y1, x1] += g * (1 - a) * b * c
                    back[k, z1, y0, x0] += g * a * (1 - b) * (1 - c)
                    back[k, z1, y0, x1] += g * a * (1 - b) * c
                    back[k, z1, y1, x0] += g * a * b * (1 - c)
                    back[k, z1, y1, x1] += g * a * b * c
                if axes == 3:
                    turn[0, z, y, x] = dz if free_z else 0.0
                turn[axes - 2, z, y, x] = dy if free_y else 0.0
                turn[axes - 1, z, y, x] = dx if free_x else 0.0
