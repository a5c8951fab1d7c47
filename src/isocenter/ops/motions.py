"""Straight maps by few numbers, all of them lengths, with derivatives: what a search over maps moves along."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Free numbers of each family, in the plane and in space.
NUMBERS = {"translation": (2, 3), "rigid": (3, 6), "similarity": (4, 7), "affine": (6, 12)}
TINY = 1e-12


def motion(family: str, numbers: Array, centre: Array, radius: float) -> tuple[Array, Array]:
    """The map x -> centre + L (x - centre) + shift, in space, and how it changes with each number.

    Parameters
    ----------
    family
        A key of `NUMBERS`.
    numbers
        (k,): the shift, then the turn (a rotation vector; in the plane an angle), then the logarithm of the scale; or,
        affine, what is added to the identity, row by row. All but the shift are times `radius`: how far a point at that
        distance from the centre goes. In the plane the third coordinate is 0 and stays so.
    centre
        (3,).
    radius
        > 0.

    Returns
    -------
    matrix
        float64 (4, 4).
    slopes
        float64 (k, 4, 4).

    >>> motion("rigid", np.array([5.0, 0, 10 * np.pi / 2]), np.zeros(3), 10.0)[0].round(6)[:2].tolist()
    [[0.0, -1.0, 0.0, 5.0], [1.0, 0.0, 0.0, 0.0]]
    """
    flat = len(numbers) == NUMBERS[family][0]
    n = 2 if flat else 3
    linear, changes = _linear(family, np.asarray(numbers, float)[n:] / radius, n)
    slopes = np.zeros((len(numbers), 4, 4))
    slopes[range(n), range(n), 3] = 1.0
    slopes[n:, :3, :3] = changes / radius
    slopes[n:, :3, 3] = -(changes @ centre) / radius
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = centre - linear @ centre
    matrix[:n, 3] += numbers[:n]
    return matrix, slopes


def _linear(family: str, rest: Array, n: int) -> tuple[Array, Array]:
    """The inner part (3, 3) and its derivatives (k - n, 3, 3)."""
    if family == "affine":
        changes = np.zeros((n * n, 3, 3))
        for k in range(n * n):
            changes[k, k // n, k % n] = 1.0
        return np.eye(3) + np.tensordot(rest, changes, 1), changes
    if family == "translation":
        return np.eye(3), np.zeros((0, 3, 3))
    turns = 1 if n == 2 else 3
    vector = np.array([0.0, 0.0, rest[0]]) if n == 2 else rest[:3]
    turn, changes = rotation(vector)
    changes = changes[2:] if n == 2 else changes
    if family == "rigid":
        return turn, changes
    scale = np.exp(rest[turns])
    return scale * turn, np.concatenate([scale * changes, scale * turn[None]])


def rotation(vector: Array) -> tuple[Array, Array]:
    """The rotation (3, 3) by |vector| radians about a vector (3,), and its derivatives (3, 3, 3).

    Rodrigues' formula; derivatives by Gallego and Yezzi, J. Math. Imaging Vis. 51 (2015) 378.
    """
    angle2 = float(vector @ vector)
    cross = _cross(vector)
    if angle2 < TINY:
        turn = np.eye(3) + cross
        return turn, np.stack([_cross(axis) for axis in np.eye(3)])
    angle = np.sqrt(angle2)
    turn = np.eye(3) + np.sin(angle) / angle * cross + (1 - np.cos(angle)) / angle2 * cross @ cross
    left = np.eye(3) - turn
    changes = [(v * cross + _cross(cross @ left[:, i])) @ turn / angle2 for i, v in enumerate(vector)]
    return turn, np.stack(changes)


def _cross(v: Array) -> Array:
    return np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
