"""Where an image looks like a template: normalised cross-correlation."""

from __future__ import annotations

import numpy as np

from isocenter.ops.array import Array

# Variance of a window, as a share of the image's own, below which it is flat.
FLAT = 1e-8


def normalised_correlation(array: Array, template: Array) -> Array:
    """Correlation coefficient of the template with every window of the image, over all channels at once.

    The mean of each channel is taken out of window and template. The products are computed by FFT, the sums of the
    windows from running sums.

    Source: Lewis, Fast normalized cross-correlation, Vision Interface 1995.

    Parameters
    ----------
    array
        (c, *grid), finite.
    template
        (c, *window), not larger than the grid on any axis.

    Returns
    -------
    float64 (*(grid - window + 1)) in [-1, 1]; element i belongs to the window that begins at pixel i. 0 where window or
    template is flat.
    """
    from scipy.signal import fftconvolve

    image = np.asarray(array, np.float64)
    pattern = np.asarray(template, np.float64)
    axes = tuple(range(1, pattern.ndim))
    image = image - image.mean(axes, keepdims=True)
    pattern = pattern - pattern.mean(axes, keepdims=True)
    window, count = pattern.shape[1:], float(np.prod(pattern.shape[1:]))
    own = float((pattern**2).sum())
    products, spread = np.zeros(1), np.zeros(1)
    for channel, part in zip(image, pattern, strict=True):
        products = products + fftconvolve(channel, np.flip(part), mode="valid")
        spread = spread + np.maximum(_sums(channel**2, window) - _sums(channel, window) ** 2 / count, 0.0)
    sound = spread > FLAT * count * max(float(image.var()), 1e-300) * len(image)
    if own <= 0:
        return np.zeros_like(products)
    out = np.where(sound, products / np.sqrt(np.where(sound, spread, 1.0) * own), 0.0)
    return np.asarray(np.clip(out, -1.0, 1.0))


def _sums(channel: Array, window: tuple[int, ...]) -> Array:
    """Sum of every window, from running sums along each axis."""
    out = channel
    for axis, n in enumerate(window):
        running = np.cumsum(out, axis=axis)
        head = [slice(None)] * out.ndim
        tail = head.copy()
        head[axis], tail[axis] = slice(n - 1, None), slice(0, -n)
        ends = running[tuple(head)].copy()
        later = head.copy()
        later[axis] = slice(1, None)
        ends[tuple(later)] -= running[tuple(tail)]
        out = ends
    return out
