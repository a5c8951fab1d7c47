"""Texture matrices against plain loops and against scipy and scikit-image."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import graycomatrix

from isocenter.ops import texture_matrices as t
from isocenter.ops.texture import directions


def grid(shape: tuple[int, ...], levels: int = 4, seed: int = 0) -> np.ndarray:
    """Levels 1 to `levels`, with holes."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.8, rng.integers(1, levels + 1, shape), 0)


def neighbours(at: tuple[int, ...], levels: np.ndarray) -> list[int]:
    """The levels of the neighbours of a pixel that lie in the region."""
    found = []
    for step in product((-1, 0, 1), repeat=levels.ndim):
        there = tuple(a + s for a, s in zip(at, step, strict=True))
        if any(step) and all(0 <= p < n for p, n in zip(there, levels.shape, strict=True)) and levels[there]:
            found.append(int(levels[there]))
    return found


def as_counter(found: t.Counts) -> Counter:
    return Counter({(int(g), int(s)): int(c) for g, s, c in zip(*found, strict=True)})


@pytest.mark.parametrize(
    ("offset", "angle"), [((0, 1), 0), ((1, 1), np.pi / 4), ((1, 0), np.pi / 2), ((1, -1), 3 * np.pi / 4)]
)
def test_cooccurrence_agrees_with_scikit_image(offset: tuple[int, int], angle: float) -> None:
    levels = grid((20, 17))
    theirs = graycomatrix(levels.astype(np.uint8), [1], [angle], levels=5, symmetric=True)[1:, 1:, 0, 0]
    assert np.array_equal(t.glcm(levels, offset), theirs)


def runs(levels: np.ndarray, step: tuple[int, ...]) -> Counter:
    """Runs as lines through the grid are split up: slow and plain."""
    found: Counter = Counter()
    for start in product(*(range(n) for n in levels.shape)):
        before = tuple(a - s for a, s in zip(start, step, strict=True))
        if all(0 <= p < n for p, n in zip(before, levels.shape, strict=True)):
            continue
        line, at = [], start
        while all(0 <= p < n for p, n in zip(at, levels.shape, strict=True)):
            line.append(int(levels[at]))
            at = tuple(a + s for a, s in zip(at, step, strict=True))
        length = 0
        for here, after in zip(line, [*line[1:], -1], strict=True):
            length += 1
            if here != after:
                found[here, length] += here > 0
                length = 0
    return +found


@pytest.mark.parametrize("shape", [(9, 7), (4, 5, 6)])
def test_runs_in_every_direction(shape: tuple[int, ...]) -> None:
    levels = grid(shape, levels=2)
    for step in directions(len(shape)):
        assert as_counter(t.glrlm(levels, step)) == runs(levels, step)


@pytest.mark.parametrize("shape", [(12, 15), (5, 6, 7)])
def test_zones_agree_with_scipy(shape: tuple[int, ...]) -> None:
    levels, wanted = grid(shape, levels=3), Counter()
    for level in (1, 2, 3):
        parts, _ = ndimage.label(levels == level, np.ones((3,) * len(shape)))
        for size in np.bincount(parts.ravel())[1:]:
            wanted[level, int(size)] += 1
    assert as_counter(t.glszm(levels)) == wanted


@pytest.mark.parametrize("shape", [(8, 9), (4, 5, 6)])
@pytest.mark.parametrize("coarseness", [0, 1])
def test_dependences_and_differences_against_loops(shape: tuple[int, ...], coarseness: int) -> None:
    levels = grid(shape)
    levels[(slice(0, 2),) * len(shape)] = 0
    levels[(0,) * len(shape)] = 3  # without a neighbour
    wanted: Counter = Counter()
    pixels, sums = np.zeros(4), np.zeros(4)
    for at in map(tuple, np.argwhere(levels)):
        here, near = int(levels[at]), neighbours(at, levels)
        wanted[here, 1 + sum(abs(v - here) <= coarseness for v in near)] += 1
        if near:
            pixels[here - 1] += 1
            sums[here - 1] += abs(here - np.mean(near))
    assert as_counter(t.ngldm(levels, coarseness=coarseness)) == wanted
    found = t.ngtdm(levels)
    assert np.array_equal(found[0], pixels) and np.allclose(found[1], sums)


def test_matrices_add_up() -> None:
    levels = grid((9, 7))
    parts = [t.glrlm(levels, step) for step in directions(2)]
    assert as_counter(t.added(parts)) == sum((as_counter(p) for p in parts), Counter())


def test_a_grid_is_not_changed_and_an_empty_one_has_no_entries() -> None:
    levels = grid((6, 6)).astype(np.int32)
    kept = levels.copy()
    t.glszm(levels)
    assert np.array_equal(levels, kept)
    nothing = np.zeros((3, 4), np.int32)
    assert t.glcm(nothing, (0, 1)).shape == (0, 0) and len(t.glszm(nothing).levels) == 0
    assert len(t.glrlm(nothing, (0, 1)).counts) == 0 and len(t.ngtdm(nothing)[0]) == 0
