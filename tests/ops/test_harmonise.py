"""What one device shows differently from another, and what must stay."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.harmonise import PERCENTILES, clahe, foreground, inside, landmarks, matched, sloped, standard


def head(seed: int, *, gamma: float = 1.0, gain: float = 1.0, lesion: bool = False) -> np.ndarray:
    """Three tissues on a dark ground (48, 48), as a device with another contrast shows them; a lesion is brighter."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48] - 23.5
    r = np.hypot(y * rng.uniform(0.95, 1.05), x) + rng.uniform(-1, 1)
    image = np.select([r < 8, r < 15, r < 20], [0.9, 0.65, 0.5], 0.02)
    if lesion:
        image[(np.hypot(y - 17, x) < 3)] = 0.8
    image = np.clip(image + rng.normal(0, 0.02, image.shape), 0.001, None)
    return (1000 * gain * image**gamma).astype(np.float32)


def tissue(image: np.ndarray) -> float:
    y, x = np.mgrid[:48, :48] - 23.5
    ring = np.hypot(y, x)
    return float(np.median(image[(ring > 10) & (ring < 13) & (y < 0)]))


def test_the_foreground_is_what_is_brighter_than_the_mean() -> None:
    image = head(0)
    assert np.array_equal(inside(image), image > image.mean())
    assert inside(np.full((4, 4), 3.0)).all()
    values = image[image > image.mean()]
    assert np.allclose(landmarks(image), np.percentile(values, PERCENTILES))


def test_the_standard_scale_is_the_mean_of_stretched_landmarks() -> None:
    rows = np.stack([landmarks(head(s, gain=g)) for s, g in ((0, 1.0), (1, 3.0), (2, 0.2))])
    found = standard(rows)
    by_hand = np.mean([np.interp(r, [r[0], r[-1]], [-2, 2]) for r in rows], axis=0)
    assert np.allclose(found, by_hand) and found[0] == -2 and found[-1] == 2
    # A gain leaves the scale as it is.
    assert np.allclose(standard(rows * 7.0), found)
    assert np.allclose(standard(np.ones((3, 11))), np.linspace(-2, 2, 11))


def test_an_image_with_the_landmarks_of_the_scale_is_moved_in_a_straight_line() -> None:
    image = head(0)
    own = landmarks(image)
    scale = standard(own[None])
    out = matched(image[None], scale)[0]
    line = -2 + 4 * (image - own[0]) / (own[-1] - own[0])
    assert out.dtype == np.float32 and np.allclose(out, np.clip(line, -4, 4), atol=1e-4)


def test_landmarks_take_the_site_away_and_leave_the_lesion() -> None:
    old = [head(s) for s in range(6)]
    new = [head(10 + s, gamma=1.5, gain=2.5) for s in range(6)]
    scale = standard(np.stack([landmarks(i) for i in old + new]))
    between = {}
    for name, how in (("plain", lambda i: (i - i.mean()) / i.std()), ("matched", lambda i: matched(i[None], scale)[0])):
        a, b = ([tissue(how(i)) for i in side] for side in (old, new))
        between[name] = abs(np.mean(a) - np.mean(b))
    assert between["matched"] < 0.35 * between["plain"]
    for more in ({}, {"gamma": 1.5, "gain": 2.5}):
        ill, well = (matched(head(3, lesion=sick, **more)[None], scale)[0] for sick in (True, False))
        y, x = np.mgrid[:48, :48] - 23.5
        spot = np.hypot(y - 17, x) < 2
        assert ill[spot].mean() - well[spot].mean() > 0.5


def test_landmarks_that_coincide_and_images_without_a_spread() -> None:
    # More than half of the foreground has one value.
    image = np.zeros((1, 10, 10), np.float32)
    image[0, :6] = 5
    image[0, 9] = np.arange(10) + 6
    out = matched(image, np.linspace(-2, 2, 11))
    assert np.isfinite(out).all() and np.abs(out).max() <= 4
    order = np.argsort(image.ravel(), kind="stable")
    assert (np.diff(out.ravel()[order]) >= -1e-6).all()
    assert not matched(np.full((1, 4, 4), 7.0), np.linspace(-2, 2, 11)).any()


def test_every_channel_has_its_own_scale() -> None:
    both = np.stack([head(0), head(1, gamma=2.0)])
    scales = [standard(landmarks(c)[None]) for c in both]
    out = matched(both, np.concatenate(scales))
    for i in range(2):
        assert np.array_equal(out[i], matched(both[i : i + 1], scales[i])[0])


def test_the_foreground_has_mean_0_and_sd_1() -> None:
    array = np.stack([head(0), head(1, gain=9.0)])
    out = foreground(array)
    for before, after in zip(array, out, strict=True):
        seen = after[inside(before)]
        assert seen.mean() == pytest.approx(0, abs=1e-4) and seen.std() == pytest.approx(1, abs=1e-4)
    # How much dark ground there is does not matter, as it does for the mean over all.
    wide = np.pad(head(0), 24)
    assert np.allclose(foreground(wide[None])[0][24:72, 24:72], out[0], atol=0.05)
    assert not foreground(np.full((1, 5, 5), 3.0)).any()


def test_local_contrast_is_raised_where_it_is_low_and_limited() -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1000, 128)[None].repeat(128, 0)
    image = ramp + 20 * ((np.arange(128) // 2) % 2)[:, None]
    out = clahe(image[None].astype(np.float32))[0]
    assert out.dtype == np.float32 and np.abs(out).max() <= 2.0

    def stripes(a: np.ndarray) -> float:
        return float(np.abs(np.diff(a[1::2], axis=0)).mean() / (a.max() - a.min()))

    assert stripes(out) > 1.5 * stripes(image)
    # A global gain and offset leave it as it is.
    assert np.allclose(clahe((3 * image + 50)[None])[0], out, atol=0.05)
    assert not clahe(np.full((2, 16, 16), 4.0)).any()
    noise = clahe(rng.normal(100, 1, (1, 64, 64)))[0]
    assert noise.std() < 2
    assert np.isfinite(clahe(rng.random((1, 3, 5)))).all()


def test_the_slope_is_that_of_the_map_with_given_landmarks() -> None:
    image = head(0)[None]
    scale = np.linspace(-2, 2, 11) ** 3 / 4
    out, slope = sloped(image, scale)
    assert np.array_equal(out, matched(image, scale))
    own = landmarks(image[0])
    kinks = np.abs(image[0][..., None] - own).min(-1) < 0.01 * (own[-1] - own[0])
    middle = (own[4] + own[5]) / 2
    near = (np.abs(image[0] - middle) < 0.3 * (own[5] - own[4])) & ~kinks
    expected = (scale[5] - scale[4]) / (own[5] - own[4])
    assert near.any() and np.allclose(slope[0][near], expected, rtol=1e-3)
    assert not sloped(np.full((1, 4, 4), 2.0), scale)[1].any()


def test_one_channel_takes_the_mean_of_several_scales() -> None:
    image, rows = head(0)[None], np.stack([np.linspace(-2, 2, 11), np.linspace(-2, 2, 11) ** 3 / 4])
    assert np.array_equal(matched(image, rows.ravel()), matched(image, rows.mean(0)))
