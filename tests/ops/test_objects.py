"""Shared pixels against whole masks laid on each other."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops import objects
from isocenter.ops.objects import overlaps

Objects = tuple[np.ndarray, tuple[np.ndarray, ...]]


def blobs(rng: np.random.Generator, n: int, shape: tuple[int, ...], *, overlap: bool) -> Objects:
    taken = np.zeros(shape, bool)
    starts, masks = [], []
    for _ in range(n):
        size = [int(rng.integers(1, max(2, s // 2))) for s in shape]
        start = [int(rng.integers(0, s - k + 1)) for s, k in zip(shape, size, strict=True)]
        where = tuple(slice(a, a + k) for a, k in zip(start, size, strict=True))
        mask = rng.random(size) < 0.7
        if not overlap:
            mask &= ~taken[where]
        if not mask.any():
            continue
        taken[where] |= mask
        starts.append(start)
        masks.append(mask)
    return np.asarray(starts, np.int64).reshape(-1, len(shape)), tuple(masks)


def whole(objects: Objects, shape: tuple[int, ...]) -> list[np.ndarray]:
    out = []
    for start, mask in zip(*objects, strict=True):
        full = np.zeros(shape, bool)
        full[tuple(slice(s, s + k) for s, k in zip(start, mask.shape, strict=True))] = mask
        out.append(full)
    return out


@pytest.mark.parametrize("shape", [(12, 17), (6, 7, 9)])
@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("cells", [1 << 24, 0])
def test_pairs_equal_whole_masks(
    shape: tuple[int, ...], overlap: bool, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "CELLS", cells)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        a, b = (blobs(rng, 9, shape, overlap=overlap) for _ in range(2))
        found = overlaps(a, b, shape)
        wanted = {(i, j): int((p & q).sum()) for i, p in enumerate(whole(a, shape))
                  for j, q in enumerate(whole(b, shape)) if (p & q).any()}
        got = dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), found.pixels.tolist(), strict=True))
        assert got == wanted and list(got) == sorted(wanted)
        for (i, j), value in zip(got, found.iou, strict=True):
            p, q = whole(a, shape)[i], whole(b, shape)[j]
            assert value == (p & q).sum() / (p | q).sum()
        assert found.areas_a.tolist() == [int(m.sum()) for m in a[1]]
        assert found.areas_b.tolist() == [int(m.sum()) for m in b[1]]


def test_no_object_on_either_side() -> None:
    none: Objects = (np.zeros((0, 2), np.int64), ())
    one: Objects = (np.array([[1, 1]]), (np.ones((2, 2), bool),))
    for a, b in ((none, none), (none, one), (one, none)):
        found = overlaps(a, b, (5, 5))
        assert not len(found.a) and not len(found.pixels) and not len(found.iou)
        assert len(found.areas_a) == len(a[1]) and len(found.areas_b) == len(b[1])


def test_the_same_object_twice_meets_itself_four_times() -> None:
    twice: Objects = (np.array([[1, 1], [1, 1]]), (np.ones((2, 3), bool),) * 2)
    found = overlaps(twice, twice, (5, 5))
    assert found.a.tolist() == [0, 0, 1, 1] and found.b.tolist() == [0, 1, 0, 1]
    assert found.iou.tolist() == [1.0] * 4
