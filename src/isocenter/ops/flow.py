"""How every pixel moves from one image to another: dense optical flow, and how far it can be believed."""

from __future__ import annotations

import numpy as np

from isocenter.errors import InputError
from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

# The coarsest image has at least so many pixels on its shortest axis; steps at each level, fewer at the finest.
COARSEST, STEPS = 24, 6
# Added to the diagonal of the structure tensor, by its mean trace: where an image is even nothing moves by itself.
EVEN = 1e-3
# Added to the variance of a window, by that of the image, where it is divided by.
FLAT = 1e-4
# No step is longer, in pixels of its level.
LONGEST = 1.0
# Width of the median that takes out single vectors after each level.
MEDIAN = 3


def flow(first: Array, second: Array, *, window: float = 4.0, start: Array | None = None) -> Array:
    """The displacement that brings each pixel of one image to its place in another: ``second(x + u) ~ first(x)``.

    Least squares over a Gaussian window about each pixel (Lucas and Kanade), coarse to fine, the second image warped by
    cubic splines after each step. Both images are made even in local mean and spread first, so that gain does not
    matter. Where an image has no pattern the field is that of the coarser level.

    Sources: Lucas and Kanade, IJCAI 1981; Bouguet, Intel technical report, 2000 (pyramid); Le Besnerais and Champagnat,
    ICIP 2005 (dense, by filtering).

    Parameters
    ----------
    first, second
        (*grid), finite, two or three axes, of one shape.
    window
        SD of the window, in pixels of each level.
    start
        float (axes, *grid): a field to begin with; then the finest level alone is solved.

    Returns
    -------
    float32 (axes, *grid), in pixels along the array's axes.

    Raises
    ------
    InputError
        The images differ in shape.
    """
    if first.shape != second.shape:
        raise InputError("frames of one film differ in size", got=str(second.shape), wanted=str(first.shape))
    pairs = [(np.asarray(first, np.float32), np.asarray(second, np.float32))]
    while start is None and min(pairs[-1][0].shape) >= 2 * COARSEST:
        pairs.append((_halved(pairs[-1][0]), _halved(pairs[-1][1])))
    field = np.zeros((first.ndim, *pairs[-1][0].shape), np.float32) if start is None else np.array(start, np.float32)
    for a, b in reversed(pairs):
        field = _solved(_evened(a, window), _evened(b, window), _enlarged(field, a.shape), window)
    return field


def warped(image: Array, field: Array) -> Array:
    """The image at x + u for each pixel x, by cubic splines; beyond the border the nearest pixel's.

    Parameters
    ----------
    image
        (*grid).
    field
        (axes, *grid) in pixels.

    Returns
    -------
    float32 (*grid).
    """
    return _at(_spline(image), field)


def likeness(first: Array, second: Array, *, window: float = 4.0) -> Array:
    """The correlation coefficient of two images in a Gaussian window about each pixel.

    Parameters
    ----------
    first, second
        (*grid).
    window
        SD in pixels.

    Returns
    -------
    float32 (*grid) in [-1, 1]; 0 where one of them is even.
    """
    a, b = np.asarray(first, np.float32), np.asarray(second, np.float32)
    a, b = a - a.mean(), b - b.mean()
    ma, mb = _blur(a, window), _blur(b, window)
    va, vb = _blur(a * a, window) - ma * ma, _blur(b * b, window) - mb * mb
    least_a, least_b = (FLAT * float(v.mean()) + 1e-12 for v in (np.maximum(va, 0), np.maximum(vb, 0)))
    sound = (va > least_a) & (vb > least_b)
    product = np.where(sound, va * vb, 1.0)
    return np.asarray(np.where(sound, np.clip((_blur(a * b, window) - ma * mb) / np.sqrt(product), -1, 1), 0.0))


def composed(first: Array, then: Array) -> Array:
    """The displacement after one field and then another: ``u(x) + v(x + u(x))``; float32 (axes, *grid)."""
    return np.stack([u + _at(_spline(v), first) for u, v in zip(first, then, strict=True)])


def returning(forward: Array, backward: Array) -> Array:
    """How far from itself each pixel comes back after the flow there and the flow back, float32 (*grid) in pixels.

    Source: Kalal, Mikolajczyk and Matas, ICPR 2010.
    """
    return np.asarray(np.sqrt((composed(forward, backward) ** 2).sum(axis=0)))


def inside(field: Array) -> Array:
    """bool (*grid): whether x + u lies among the pixels of the image; `field` as in `flow`."""
    shape = field.shape[1:]
    along = [np.arange(n).reshape([-1 if a == b else 1 for b in range(len(shape))]) for a, n in enumerate(shape)]
    within = [(x + u >= 0) & (x + u <= n - 1) for x, u, n in zip(along, field, shape, strict=True)]
    return np.asarray(np.logical_and.reduce(within))


def _solved(a: Array, b: Array, field: Array, window: float) -> Array:
    """The field of one level, from where it stands."""
    from scipy import ndimage

    slopes = np.stack([_slope(a, axis) for axis in range(a.ndim)])
    inverse = _inverted(slopes, window)
    spline = _spline(b)
    for _ in range(STEPS):
        # One vector for the whole window: what each pixel has moved already is part of what is to be explained.
        rest = np.where(inside(field), a - _at(spline, field), 0) + (slopes * field).sum(axis=0)
        pull = np.stack([_blur(s * rest, window) for s in slopes])
        step = np.einsum("ij...,j...->i...", inverse, pull) - field
        size = np.sqrt((step**2).sum(axis=0))
        field = field + step / np.maximum(1.0, size / LONGEST)
    size_of = [MEDIAN if n >= MEDIAN else 1 for n in a.shape]
    return np.stack([ndimage.median_filter(u, size_of, mode="nearest") for u in field]).astype(np.float32)


def _inverted(slopes: Array, window: float) -> Array:
    """Inverse of the structure tensor at each pixel, (axes, axes, *grid)."""
    n = len(slopes)
    tensor = np.empty((n, n, *slopes.shape[1:]), np.float32)
    for i in range(n):
        for j in range(i, n):
            tensor[i, j] = tensor[j, i] = _blur(slopes[i] * slopes[j], window)
    trace = float(np.mean([tensor[i, i].mean() for i in range(n)]))
    for i in range(n):
        tensor[i, i] += EVEN * trace + 1e-12
    return np.moveaxis(np.linalg.inv(np.moveaxis(tensor, (0, 1), (-2, -1))), (-2, -1), (0, 1))


def _evened(image: Array, window: float) -> Array:
    """Less its local mean, by its local spread, both over twice the window."""
    values = np.asarray(image, np.float32)
    values = values - values.mean()
    values = values - _blur(values, 2 * window)
    spread = _blur(values * values, 2 * window)
    return np.asarray(values / np.sqrt(spread + FLAT * float(spread.mean()) + 1e-12), np.float32)


def _slope(image: Array, axis: int) -> Array:
    return np.gradient(image, axis=axis) if image.shape[axis] > 1 else np.zeros_like(image)


def _blur(image: Array, sd: float) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(image, sd, mode="nearest", truncate=3.0))


def _halved(image: Array) -> Array:
    """Every second pixel of the image under a binomial filter, so that pixel i is pixel 2 i of the finer one."""
    return np.asarray(_blur(image, 1.0)[(slice(None, None, 2),) * image.ndim])


def _enlarged(field: Array, shape: tuple[int, ...]) -> Array:
    """A field on the next finer grid, where pixel i of the coarse one is pixel 2 i."""
    from scipy import ndimage

    if field.shape[1:] == shape:
        return field
    at = np.stack(np.meshgrid(*[np.arange(n, dtype=np.float32) / 2 for n in shape], indexing="ij"))
    return np.stack([2 * ndimage.map_coordinates(u, at, order=1, mode="nearest") for u in field]).astype(np.float32)


def _spline(image: Array) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.spline_filter(np.asarray(image, np.float32), 3, output=np.float32, mode="mirror"))


def _at(spline: Array, field: Array) -> Array:
    """Cubic B-spline coefficients read at x + u."""
    field = np.ascontiguousarray(field, np.float32)
    if spline.ndim == 2:
        return np.asarray(_read(np.ascontiguousarray(spline), field))
    from scipy import ndimage

    limit = np.asarray(spline.shape, np.float32).reshape(-1, *[1] * spline.ndim) - 1
    grid = np.indices(spline.shape, dtype=np.float32) + field
    return np.asarray(ndimage.map_coordinates(spline, np.clip(grid, 0, limit), order=3, mode="mirror", prefilter=False))


@kernel
def _read(spline: Array, field: Array) -> Array:
    rows, columns = spline.shape
    out = np.empty((rows, columns), np.float32)
    wy, wx = np.empty(4, np.float32), np.empty(4, np.float32)
    for i in range(rows):
        for j in range(columns):
            y = min(max(np.float32(i) + field[0, i, j], np.float32(0)), np.float32(rows - 1))
            x = min(max(np.float32(j) + field[1, i, j], np.float32(0)), np.float32(columns - 1))
            r, c = int(y), int(x)
            _weigh(y - np.float32(r), wy)
            _weigh(x - np.float32(c), wx)
            total = np.float32(0)
            for k in range(4):
                row = _mirrored(r + k - 1, rows)
                part = np.float32(0)
                for m in range(4):
                    part += wx[m] * spline[row, _mirrored(c + m - 1, columns)]
                total += wy[k] * part
            out[i, j] = total
    return out


@kernel
def _weigh(part: float, weights: Array) -> None:
    rest = 1 - part
    weights[0] = rest * rest * rest / 6
    weights[1] = (4 - 6 * part * part + 3 * part * part * part) / 6
    weights[2] = (4 - 6 * rest * rest + 3 * rest * rest * rest) / 6
    weights[3] = part * part * part / 6


@kernel
def _mirrored(i: int, n: int) -> int:
    if n == 1:
        return 0
    i = abs(i)
    return i if i < n else 2 * n - 2 - i
