from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Image
from isocenter.inspect import near_duplicates
from isocenter.inspect.copies import residuals
from isocenter.inspect.thumbs import thumbnail


def stack(arrays: list[np.ndarray]) -> np.ndarray:
    thumbs = [thumbnail(Image.from_array(a), a) for a in arrays]
    assert all(t is not None for t in thumbs)
    return np.stack([t for t in thumbs if t is not None])


def jpeg(array: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(buffer))


def smaller(array: np.ndarray) -> np.ndarray:
    h, w = array.shape
    return np.asarray(PIL.Image.fromarray(array).resize((w * 2 // 3, h * 2 // 3), PIL.Image.Resampling.BILINEAR))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "jpeg 90": lambda a: jpeg(a, 90), "jpeg 60": lambda a: jpeg(a, 60), "smaller": smaller,
    "brighter": lambda a: np.clip(a * 0.8 + 30, 0, 255).astype(np.uint8),
    "noise": lambda a: np.clip(a + np.random.default_rng(5).normal(0, 4, a.shape), 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_near_copies_are_found_and_nothing_else(picture: Callable[..., np.ndarray], change: str, shared: float) -> None:
    originals = [picture(i, shared=shared) for i in range(40)]
    copies = [CHANGES[change](a) for a in originals[:10]]
    pairs = near_duplicates(stack(originals + copies))
    assert [(p.a, p.b) for p in pairs] == [(i, 40 + i) for i in range(10)]
    assert all(0.99 <= p.correlation <= 1.001 for p in pairs)


def test_what_all_share_is_removed_first(picture: Callable[..., np.ndarray]) -> None:
    thumbs = stack([picture(i, shared=0.97) for i in range(30)])
    raw = np.corrcoef(thumbs.astype(np.float32))
    assert (raw[np.triu_indices(30, 1)] > 0.99).any(), "the pictures look alike while their mean is in"
    assert near_duplicates(thumbs) == ()


def test_the_hash_loses_no_pair(picture: Callable[..., np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    # A random walk: neighbours resemble each other by all degrees.
    arrays, now = [], picture(0).astype(float)
    for i in range(150):
        now = now + rng.uniform(0.02, 0.5) * (picture(i + 1).astype(float) - 128)
        arrays.append(now.copy())
    thumbs = stack(arrays)
    units = residuals(thumbs)[0].astype(np.float32)
    table = np.round(units @ units.T, 4)
    wanted = {(int(i), int(j)) for i, j in np.argwhere(np.triu(table >= 0.99, 1))}
    assert len(wanted) > 20
    assert {(p.a, p.b) for p in near_duplicates(thumbs)} == wanted


def test_images_of_high_frequency_alone_are_compared_too() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((12, 128 * 128))
    noise[11] = noise[3] + 0.02 * rng.standard_normal(128 * 128)
    noise = (noise - noise.mean(1, keepdims=True)) / noise.std(1, keepdims=True)
    assert [(p.a, p.b) for p in near_duplicates(noise.astype(np.float16))] == [(3, 11)]


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_to_compare(n: int) -> None:
    assert near_duplicates(np.ones((n, 128 * 128), np.float16)) == ()


def test_two_images_are_compared_as_they_are(picture: Callable[..., np.ndarray]) -> None:
    assert [(p.a, p.b) for p in near_duplicates(stack([picture(0), jpeg(picture(0), 80)]))] == [(0, 1)]
    assert near_duplicates(stack([picture(0), picture(1)])) == ()


def test_it_is_fast() -> None:
    thumbs = np.random.default_rng(0).standard_normal((1500, 128 * 128), np.float32).astype(np.float16)
    start = time.process_time()
    near_duplicates(thumbs)
    assert time.process_time() - start < 10
