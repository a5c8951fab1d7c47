"""Key points of flat images and their matches: found, described, compared both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from isocenter.ops.array import Array
from isocenter.ops.resample import resize

KINDS = ("sift", "orb")
# Share of the diagonal over which brightness and contrast are evened out.
EVEN = 0.03
# Contrast of a blob that is a key point, of images that were evened to a spread of 1 / 8.
CONTRAST = 0.01
MOST = 3000
# Blocks of which means are taken, to a sigma.
COARSE = 6.0


@dataclass(frozen=True, eq=False)
class KeyPoints:
    """Key points of one image.

    Parameters
    ----------
    at
        float64 (n, 2): index (y, x).
    descriptors
        float32 (n, d) of length 1; their product is the likeness.
    """

    at: Array
    descriptors: Array


def evened(image: Array) -> Array:
    """Brightness and contrast made alike everywhere, in [0, 1]: two devices or gains then look the same.

    Parameters
    ----------
    image
        (y, x) numbers, finite.
    """
    sigma = max(EVEN * float(np.hypot(*image.shape)), 2.0)
    values = image.astype(np.float32)
    centred = values - blurred(values, sigma)
    spread = np.sqrt(blurred(centred**2, sigma))
    # Where nothing is but noise it must not become structure.
    floor = 0.2 * float(spread.mean()) + 1e-6 * float(np.abs(values).max(initial=0.0)) + 1e-12
    return np.asarray(np.clip(0.5 + centred / (8.0 * (spread + floor)), 0.0, 1.0))


def blurred(image: Array, sigma: float) -> Array:
    """A Gaussian blur; a wide one is taken from block means and interpolated, which is many times faster.

    Parameters
    ----------
    image
        float32 (y, x), mirrored at the edge.
    sigma
        In pixels.

    >>> ramp = np.add.outer(np.zeros(80), np.arange(90)).astype(np.float32)
    >>> bool(np.abs(blurred(ramp, 9.0) - ramp)[:, 30:60].max() < 0.02)
    True
    """
    block = min(int(sigma / COARSE), *image.shape)
    if block < 2:
        return np.asarray(ndimage.gaussian_filter(image, sigma, truncate=3.0))
    rows, columns = (-(-n // block) for n in image.shape)
    padded = np.pad(image, [(0, n * block - s) for n, s in zip((rows, columns), image.shape, strict=True)], "symmetric")
    means = padded.reshape(rows, block, columns, block).mean(axis=(1, 3))
    # Means and interpolation blur, too: by 1 / 12 and 1 / 6 of a block squared.
    own = np.sqrt((sigma / block) ** 2 - 0.25)
    wide = ndimage.gaussian_filter(means, own, truncate=3.0)
    return np.asarray(resize(wide[None], padded.shape)[0][: image.shape[0], : image.shape[1]])


def found(image: Array, kind: str, *, side: int) -> KeyPoints:
    """Key points of an image, on its own grid.

    SIFT: Lowe, IJCV 60 (2004) 91. ORB: Rublee et al., ICCV 2011.

    Parameters
    ----------
    image
        (y, x) in [0, 1].
    kind
        One of `KINDS`.
    side
        Longest side in pixels at which they are looked for; a larger image is made smaller first.
    """
    factor = max(max(image.shape) / side, 1.0)
    shape = tuple(max(round(s / factor), 1) for s in image.shape)
    small = resize(image[None], shape)[0] if factor > 1 else image
    if min(small.shape) < 32 or float(np.ptp(small)) < 1e-6:
        return KeyPoints(np.zeros((0, 2)), np.zeros((0, 1), np.float32))
    at, descriptors = (_sift if kind == "sift" else _orb)(small)
    scale = np.array(image.shape) / np.array(small.shape)
    return KeyPoints((at + 0.5) * scale - 0.5, descriptors)


def _sift(image: Array) -> tuple[Array, Array]:
    from skimage.feature import SIFT

    machine = SIFT(upsampling=1, c_dog=CONTRAST)
    try:
        machine.detect_and_extract(image)
    except RuntimeError:
        return np.zeros((0, 2)), np.zeros((0, 1), np.float32)
    order = np.argsort(-machine.sigmas, kind="stable")[:MOST]
    # The square root compares histograms as such (Arandjelovic and Zisserman, CVPR 2012).
    values = np.sqrt(machine.descriptors[order].astype(np.float32))
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return machine.positions[order], values / np.maximum(length, 1e-9)


def _orb(image: Array) -> tuple[Array, Array]:
    from skimage.feature import ORB

    machine = ORB(n_keypoints=MOST, fast_threshold=0.05)
    try:
        machine.detect_and_extract(image)
    except RuntimeError:
        return np.zeros((0, 2)), np.zeros((0, 1), np.float32)
    values = np.where(machine.descriptors, 1.0, -1.0).astype(np.float32)
    return machine.keypoints.astype(float), values / np.sqrt(values.shape[1])


def likeness(a: KeyPoints, b: KeyPoints) -> Array:
    """float32 (n, m): the product of all pairs of descriptors, at most 1."""
    if not len(a.at) or not len(b.at):
        return np.zeros((len(a.at), len(b.at)), np.float32)
    return np.asarray(a.descriptors @ b.descriptors.T)


def matched(like: Array, ratio: float) -> Array:
    """Pairs (k, 2) that are each other's best, and clearly better than the second best.

    Parameters
    ----------
    like
        (n, m); -inf for pairs that are out of the question.
    ratio
        Largest distance to the best over that to the second best (Lowe 2004); 1: no such test.
    """
    if min(like.shape) < 2:
        return np.zeros((0, 2), np.int64)
    best = like.argmax(axis=1)
    rows = np.arange(len(like))
    mutual = like.argmax(axis=0)[best] == rows
    top = np.partition(like, -2, axis=1)[:, -2:]
    far = np.sqrt(np.maximum(2.0 - 2.0 * top, 0.0))
    kept = np.flatnonzero(mutual & np.isfinite(top[:, 1]) & (far[:, 1] <= ratio * far[:, 0]))
    return np.stack([kept, best[kept]], axis=1)


def apart(source: Array, target: Array, step: float = 1.0) -> Array:
    """Positions of pairs of which no two are the same place in either image, the first of each kept.

    Several descriptors of one place are one witness, not several.
    """
    kept = np.arange(len(source))
    for points in (source, target):
        if len(kept):
            kept = kept[np.sort(np.unique(np.round(points[kept] / step), axis=0, return_index=True)[1])]
    return kept
