from __future__ import annotations

import heapq

import numpy as np
import pytest

from isocenter.ops.seeded import grown_together, seeds_of


def discs(*where: tuple[int, int, int], shape: tuple[int, int] = (50, 80)) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.any([(y - a) ** 2 + (x - b) ** 2 <= r * r for a, b, r in where], axis=0)


def plain(values: np.ndarray, seeds: np.ndarray, mask: np.ndarray, tolerance: float) -> np.ndarray:
    """Adams and Bischof's algorithm with dictionaries."""
    labels = {tuple(p): int(seeds[tuple(p)]) for p in np.argwhere((seeds > 0) & mask)}
    means = {}
    for k in set(labels.values()):
        inside = [values[p] for p, v in labels.items() if v == k]
        means[k] = [float(np.sum(inside)), len(inside)]
    queue: list[tuple[float, int, tuple[int, ...], int]] = []
    turn = 0

    def push(p: tuple[int, ...], k: int) -> None:
        nonlocal turn
        for axis in range(values.ndim):
            for sign in (-1, 1):
                q = (*p[:axis], p[axis] + sign, *p[axis + 1 :])
                if all(0 <= c < n for c, n in zip(q, values.shape, strict=True)) and mask[q] and q not in labels:
                    turn += 1
                    heapq.heappush(queue, (abs(values[q] - means[k][0] / means[k][1]), turn, q, k))

    for p in sorted(labels):
        push(p, labels[p])
    while queue:
        _, _, p, k = heapq.heappop(queue)
        if p in labels or abs(values[p] - means[k][0] / means[k][1]) > tolerance:
            continue
        labels[p] = k
        means[k][0] += float(values[p])
        means[k][1] += 1
        push(p, k)
    out = np.zeros(values.shape, np.int32)
    for p, k in labels.items():
        out[p] = k
    return out


@pytest.mark.parametrize("shape", [(14, 17), (6, 7, 8)])
def test_it_does_what_the_plain_algorithm_does(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for tolerance in (0.2, 0.6, 5.0):
        values = rng.random(shape)
        mask = rng.random(shape) < 0.8
        seeds = np.zeros(shape, np.int32)
        for k, flat in enumerate(rng.choice(values.size, 4, replace=False)):
            seeds.flat[flat] = k + 1
        assert np.array_equal(
            grown_together(values, seeds, mask, tolerance=tolerance), plain(values, seeds, mask, tolerance)
        )


def test_touching_objects_of_other_brightness_part_at_their_border() -> None:
    values = np.zeros((20, 40))
    values[5:15, 5:20], values[5:15, 20:35] = 1.0, 2.0
    seeds = np.zeros((20, 40), np.int32)
    seeds[10, 8], seeds[10, 30] = 1, 2
    found = grown_together(values, seeds, values > 0, tolerance=5.0)
    assert (found[values == 1] == 1).all()
    assert (found[values == 2] == 2).all()
    assert (found[values == 0] == 0).all()


def test_growth_stops_where_values_change() -> None:
    values = np.r_[np.zeros(10), np.full(10, 3.0)][None]
    seeds = np.zeros((1, 20), np.int32)
    seeds[0, 2] = 1
    whole = np.ones((1, 20), bool)
    assert grown_together(values, seeds, whole, tolerance=1.0)[0].tolist() == [1] * 10 + [0] * 10
    assert grown_together(values, seeds, whole, tolerance=9.0).all()


def test_without_seeds_or_mask_nothing_grows() -> None:
    zero = np.zeros((4, 5), np.int32)
    assert not grown_together(np.ones((4, 5)), zero, np.ones((4, 5), bool), tolerance=1.0).any()
    assert not grown_together(np.ones((4, 5)), zero + 1, np.zeros((4, 5), bool), tolerance=1.0).any()


def test_a_seed_in_every_bulge() -> None:
    mask = discs((25, 20, 12), (25, 42, 12), (10, 70, 5))
    seeds = seeds_of(mask, apart=1.0)
    at = {int(seeds[tuple(p)]): tuple(int(v) for v in p) for p in np.argwhere(seeds)}
    assert len(at) == 3
    found = sorted(at.values(), key=lambda p: p[1])
    for (y, x), (b, a) in zip(found, ((25, 20), (25, 42), (10, 70)), strict=True):
        assert abs(y - b) <= 2
        assert abs(x - a) <= 2
    assert at[3] == found[2], "the shallowest comes last"


def test_seeds_keep_their_distance() -> None:
    ridge = np.zeros((11, 60), bool)
    ridge[2:9] = True
    near, far = (int(seeds_of(ridge, apart=a).max()) for a in (1.0, 4.0))
    assert near > far > 1
    assert not seeds_of(ridge, least=9.0).any()
    assert not seeds_of(np.zeros((4, 4), bool)).any()


def test_an_object_at_the_edge_of_the_image_is_no_deeper_for_it() -> None:
    mask = np.zeros((20, 20), bool)
    mask[:6, 5:15] = True
    seeds = seeds_of(mask)
    assert 1 <= np.argwhere(seeds == 1)[0][0] <= 4
