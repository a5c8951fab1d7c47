"""Texture pixel by pixel: local SD, local entropy, Gabor energy; 2D and 3D."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.texture import quantised

# Grey levels of the local entropy: a window of 7 x 7 pixels fills no more.
LEVELS = 8
# Wavelengths in widths of the window, and the Gaussian's SD in wavelengths: a bandwidth of one octave.
WAVELENGTH, WIDTH = 1.0, 0.56


def local_sd(values: Array, size: int) -> Array:
    """SD of the pixels in a box around each pixel.

    Parameters
    ----------
    values
        Finite numbers (*grid).
    size
        Pixels per edge of the box, odd; beyond the edge the outermost pixel is repeated.

    Returns
    -------
    float32 (*grid).
    """
    from scipy import ndimage

    # Less the mean first: the difference of two squares would lose small SDs on large offsets.
    centred = np.asarray(values, np.float64) - np.mean(values, dtype=np.float64)
    mean = ndimage.uniform_filter(centred, size, mode="nearest")
    square = ndimage.uniform_filter(centred * centred, size, mode="nearest")
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0.0)), np.float32)


def local_entropy(values: Array, size: int) -> Array:
    """Entropy in bits of the grey levels in a box around each pixel; as `local_sd`, 8 levels over the whole image."""
    from scipy import ndimage

    bins = quantised(values, LEVELS)
    found = np.zeros(bins.shape, np.float32)
    for level in range(LEVELS):
        share = ndimage.uniform_filter((bins == level).astype(np.float32), size, mode="nearest")
        share = np.clip(share, 1e-7, 1.0)
        found -= share * np.log2(share)
    return np.maximum(found, 0.0)


def gabor_energy(values: Array, size: int) -> Array:
    """Root of the mean energy of Gabor filters of one wavelength.

    Four orientations in 2D, the three axes in 3D; the local mean is removed first, so that brightness does not count.

    Source: Jain, Farrokhnia, Unsupervised texture segmentation using Gabor filters, Pattern Recognit. 24 (1991) 1167.

    Parameters
    ----------
    values
        Finite numbers (*grid).
    size
        Wavelength in pixels.

    Returns
    -------
    float32 (*grid).
    """
    from scipy import ndimage

    array = np.asarray(values, np.float32)
    wavelength = WAVELENGTH * size
    array = array - ndimage.gaussian_filter(array, WIDTH * wavelength, mode="nearest")
    energy = np.zeros(array.shape, np.float32)
    ways = _orientations(array.ndim)
    for way in ways:
        phase = _phase(array.shape, way) * np.float32(2 * np.pi / wavelength)
        # A Gaussian of the image shifted in frequency is the Gabor filter's answer but for its phase.
        for wave in (np.cos(phase), np.sin(phase)):
            energy += ndimage.gaussian_filter(array * wave, WIDTH * wavelength, mode="nearest", truncate=3.0) ** 2
    return np.sqrt(energy / len(ways))


def texture_maps(values: Array, size: int = 7) -> Array:
    """The three maps, each from its 1 percentile (0) to its 99 percentile (1), clipped.

    Returns
    -------
    float32 (3, *grid): SD, entropy, Gabor energy. A map that is flat is 0.
    """
    maps = np.stack([how(values, size) for how in (local_sd, local_entropy, gabor_energy)])
    for one in maps:
        low, high = np.quantile(one, (0.01, 0.99))
        # Rounding leaves crumbs on a flat image.
        flat = high - low <= 1e-5 * max(1.0, abs(float(np.mean(values))))
        one[...] = 0.0 if flat else np.clip((one - low) / (high - low), 0.0, 1.0)
    return maps


def _orientations(ndim: int) -> Sequence[tuple[float, ...]]:
    if ndim == 3:
        return ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    slant = 0.5**0.5
    return ((1.0, 0.0), (0.0, 1.0), (slant, slant), (slant, -slant))


def _phase(shape: tuple[int, ...], way: tuple[float, ...]) -> Array:
    found = np.zeros(shape, np.float32)
    for axis, share in enumerate(way):
        line = np.arange(shape[axis], dtype=np.float32) * np.float32(share)
        found += line.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return found
