"""What a detector adds to a picture. Every function draws from the generator that it is handed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array


def smooth(shape: Sequence[int], rng: np.random.Generator, *, grain: float) -> Array:
    """A Gaussian random field.

    Parameters
    ----------
    shape
        Of the grid.
    rng
        Generator.
    grain
        SD in pixels of the blur that makes neighbours alike; 0 gives white noise.

    Returns
    -------
    float64 (*shape) with mean 0 and SD 1 over the field (0 where it is one pixel).
    """
    from scipy import ndimage

    field = rng.standard_normal(tuple(shape))
    if grain > 0:
        field = ndimage.gaussian_filter(field, grain, mode="wrap")
    sd = field.std()
    return np.asarray((field - field.mean()) / sd if sd > 0 else field * 0)


def gaussian(image: Array, rng: np.random.Generator, *, sd: float, grain: float = 0.0) -> Array:
    """The image with additive Gaussian noise of SD `sd` in its own unit, correlated over `grain` pixels."""
    return np.asarray(image + sd * smooth(image.shape, rng, grain=grain))


def rician(image: Array, rng: np.random.Generator, *, sd: float) -> Array:
    """The magnitude of a complex image with noise `sd` in each part, as in magnetic resonance.

    Source: Gudbjartsson, Patz, The Rician distribution of noisy MRI data, Magn. Reson. Med. 34 (1995) 910.
    """
    real = image + sd * rng.standard_normal(image.shape)
    return np.asarray(np.hypot(real, sd * rng.standard_normal(image.shape)))


def poisson(image: Array, rng: np.random.Generator, *, counts: float) -> Array:
    """The image as counted quanta: value 1 is `counts` quanta on average; values below 0 count as 0."""
    return np.asarray(rng.poisson(np.maximum(image, 0.0) * counts) / counts)


def speckle(image: Array, rng: np.random.Generator, *, looks: float = 1.0, grain: float = 0.0) -> Array:
    """Amplitude under fully developed speckle, as in ultrasound: the mean of `looks` independent intensities.

    Source: Goodman, Some fundamental properties of speckle, J. Opt. Soc. Am. 66 (1976) 1145.

    Parameters
    ----------
    image
        Mean amplitude, at least 0.
    rng
        Generator.
    looks
        Number of intensities averaged; 1 is the Rayleigh distribution. SD / mean of the intensity is looks ** -0.5.
    grain
        SD in pixels of the blur applied to the complex field, the size of a speckle.

    Returns
    -------
    float64 with the same mean square as the image's.
    """
    power = np.zeros(image.shape)
    for _ in range(max(1, round(looks))):
        power += smooth(image.shape, rng, grain=grain) ** 2 + smooth(image.shape, rng, grain=grain) ** 2
    return np.asarray(image * np.sqrt(power / (2 * max(1, round(looks)))))


def shading(shape: Sequence[int], rng: np.random.Generator, *, strength: float) -> Array:
    """A slowly varying factor about 1, as coils and light make it, from 1 - `strength` to 1 + `strength`."""
    axes = np.meshgrid(*[np.linspace(-1, 1, s) if s > 1 else np.zeros(1) for s in shape], indexing="ij")
    field = sum(rng.normal() * a + rng.normal() * a**2 for a in axes) + 0.5 * rng.normal() * np.prod(axes, axis=0)
    field = field - field.mean()
    top = np.abs(field).max()
    return np.asarray(1.0 + strength * (field / top if top > 0 else field))
