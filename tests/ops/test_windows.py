from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.windows import LEAST, blend, corners, gaussian, multiple, padded, trimmed, unpadded


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(
    ("shape", "patch"), [((10,), (10,)), ((100, 37), (32, 37)), ((33, 40, 50), (16, 16, 32)), ((5,), (1,))]
)
def test_windows_cover_the_grid_and_overlap_as_said(shape, patch, overlap):
    seen = np.zeros(shape, int)
    where = corners(shape, patch, overlap)
    assert list(where) == sorted(set(where))
    for corner in where:
        box = tuple(slice(c, c + p) for c, p in zip(corner, patch, strict=True))
        assert seen[box].shape == tuple(patch)
        seen[box] += 1
    assert seen.min() >= 1
    for axis, p in enumerate(patch):
        steps = np.diff(sorted({c[axis] for c in where}))
        assert not len(steps) or steps.max() <= max(1, np.ceil(p * (1 - overlap)))


def test_gaussian_is_symmetric_and_never_vanishes():
    weight = gaussian((17, 32))
    assert weight.max() == 1 and weight.min() == np.float32(LEAST)
    assert np.array_equal(weight, weight[::-1, ::-1])
    row = weight[8]
    assert row[16 - 4] == pytest.approx(np.exp(-0.5 * (3.5 / 4) ** 2) / np.exp(-0.5 * (0.5 / 4) ** 2), rel=1e-5)


def cut(array, corner, patch):
    return array[(slice(None), *(slice(c, c + p) for c, p in zip(corner, patch, strict=True)))]


@pytest.mark.parametrize(("shape", "patch"), [((50, 40), (16, 24)), ((20, 33, 18), (8, 16, 18)), ((16, 16), (16, 16))])
def test_blending_windows_of_one_image_gives_the_image_back(shape, patch, rng):
    image = rng.normal(size=(3, *shape)).astype(np.float32)
    where = corners(shape, patch, 0.5)
    slabs = list(blend((cut(image, c, patch) for c in where), where, shape))
    np.testing.assert_allclose(np.concatenate(slabs, axis=1), image, atol=1e-5)
    assert len(slabs) == len({c[0] for c in where})


def test_blending_is_the_weighted_mean(rng):
    shape, patch = (20, 14), (8, 8)
    where = corners(shape, patch, 0.5)
    answers = rng.normal(size=(len(where), 2, *patch)).astype(np.float32)
    sums, total = np.zeros((2, *shape)), np.zeros(shape)
    for corner, answer in zip(where, answers, strict=True):
        cut(sums, corner, patch)[...] += answer * gaussian(patch)
        cut(total[None], corner, patch)[...] += gaussian(patch)
    np.testing.assert_allclose(np.concatenate(list(blend(answers, where, shape)), axis=1), sums / total, atol=1e-5)


def test_blending_holds_no_more_than_a_window_of_rows():
    """Slabs come while later windows are still unanswered."""
    shape, patch, asked = (64, 8), (16, 8), []
    where = corners(shape, patch, 0.5)

    def answers():
        for corner in where:
            asked.append(corner)
            yield np.zeros((1, *patch), np.float32)

    first = next(iter(blend(answers(), where, shape)))
    assert first.shape == (1, 8, 8) and len(asked) == 2


@pytest.mark.parametrize(
    ("have", "want"), [((5, 9), (8, 16)), ((5, 9), (5, 9)), ((1, 3), (16, 16)), ((4, 4, 4), (9, 4, 5))]
)
def test_padding_and_back(have, want, rng):
    array = rng.normal(size=(2, *have))
    out = padded(array, want)
    assert out.shape == (2, *want)
    assert np.array_equal(unpadded(out, have), array)
    assert np.isin(out, array).all(), "padding invents no values"
    pieces = np.split(out, range(1, want[0]), axis=1)
    assert np.array_equal(np.concatenate(list(trimmed(pieces, want, have)), axis=1), array)


def test_padding_mirrors_without_the_edge_twice():
    assert padded(np.array([[1, 2, 3]]), (5,)).tolist() == [[2, 1, 2, 3, 2]]
    assert padded(np.array([[1, 2]]), (7,)).tolist() == [[1, 1, 1, 2, 2, 2, 2]]


def test_multiple():
    assert multiple((17, 32), ()) == (17, 32)
    assert multiple((1, 33), (4, 32)) == (4, 64)
