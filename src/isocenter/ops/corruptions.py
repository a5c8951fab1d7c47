"""What happens to images in practice, at five severities: seeded, for pictures and volumes.

Sizes follow Hendrycks and Dietterich (ICLR 2019) and, for what scanners do, the simulations of MedMNIST-C (Di Salvo et
al., 2024) and TorchIO (Perez-Garcia et al., Computer Methods and Programs in Biomedicine 208, 2021).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy import ndimage

from isocenter.errors import NotFoundError, RecipeError, nearest
from isocenter.ops.array import Array

SEVERITIES = (1, 2, 3, 4, 5)
# From pixels as shares of the range (c, *grid) and a number of 1 to 5 to other pixels.
Change = Callable[[Array, int, np.random.Generator], Array]


def corrupted(array: Array, name: str, severity: int, *, span: tuple[float, float], seed: int = 0) -> Array:
    """An image as a worse scan would have shown it.

    Parameters
    ----------
    array
        (c, *grid) numbers, two or three spatial axes.
    name
        One of `CORRUPTIONS`.
    severity
        1 (slight) to 5 (severe); 0 changes nothing.
    span
        Lowest and highest value of a pixel (`ops.span.span`): what is added or multiplied is a share of it.
    seed
        Of what is drawn. Severities of one seed differ in strength alone.

    Returns
    -------
    float64 (c, *grid) within `span`.

    Raises
    ------
    NotFoundError
        No such corruption; names the nearest.
    RecipeError
        Another severity.
    """
    if name not in CORRUPTIONS:
        raise NotFoundError(f"no corruption {name!r}", remedy=nearest(name, CORRUPTIONS))
    if severity not in (0, *SEVERITIES):
        raise RecipeError("no such severity", got=str(severity), wanted="1 to 5")
    low, high = span
    width = (high - low) or 1.0
    shares = (np.asarray(array, np.float64) - low) / width
    if severity:
        shares = CORRUPTIONS[name](shares, severity, np.random.default_rng(seed))
    return np.asarray(np.clip(shares, 0, 1) * width + low)


def noise(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """Gaussian noise of 2, 4, 7, 11, 16 % of the range: electronics, short exposure."""
    return x + (0.02, 0.04, 0.07, 0.11, 0.16)[severity - 1] * rng.standard_normal(x.shape)


def speckle(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """Noise in proportion to the value, 8 to 60 %: coherent waves (ultrasound, OCT)."""
    return x * (1 + (0.08, 0.15, 0.25, 0.4, 0.6)[severity - 1] * rng.standard_normal(x.shape))


def blur(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """Gaussian blur of SD 0.3 to 2 % of the shorter side, at least 0.4 to 1.3 pixels: out of focus, a coarse kernel."""
    share, least = ((0.003, 0.4), (0.006, 0.55), (0.01, 0.75), (0.015, 1.0), (0.02, 1.3))[severity - 1]
    sd = max(least, share * min(x.shape[-2:]))
    return np.asarray(ndimage.gaussian_filter(x, (0, *([sd] * (x.ndim - 1))), mode="nearest"))


def motion(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """A mean along a line of 1.5 to 10 % of the shorter side in a direction drawn in the plane: moved in exposure."""
    length = (0.015, 0.03, 0.05, 0.075, 0.10)[severity - 1] * min(x.shape[-2:])
    angle = rng.uniform(0, np.pi)
    steps = max(3, 2 * round(length) + 1)
    out = np.zeros_like(x)
    for t in np.linspace(-0.5, 0.5, steps):
        shift = (*([0.0] * (x.ndim - 2)), t * length * np.sin(angle), t * length * np.cos(angle))
        out += ndimage.shift(x, shift, order=1, mode="nearest")
    return np.asarray(out / steps)


def bias_field(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """A smooth gain of up to exp(0.15) to exp(1) either way, of third order in space: the coil's field (MR)."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in x.shape[1:]), indexing="ij")
    field = np.zeros(x.shape[1:])
    for powers in np.ndindex(*([4] * len(axes))):
        if 0 < sum(powers) <= 3:
            field += rng.normal() * np.prod([a**p for a, p in zip(axes, powers, strict=True)], axis=0)
    field /= max(float(np.abs(field).max()), 1e-12)
    return np.asarray(x * np.exp((0.15, 0.3, 0.5, 0.75, 1.0)[severity - 1] * field))


def ghosting(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """Every third or fourth line of k-space along an axis weakened by 20 to 80 %: repeated edges (breathing, flow)."""
    axis, every = int(x.ndim - 2 + rng.integers(0, 2)), int(rng.integers(3, 5))
    waves = np.fft.fft(x, axis=axis)
    # The lowest lines carry the brightness and are measured best.
    lines = np.abs(np.fft.fftfreq(x.shape[axis])) * x.shape[axis]
    weak = (np.arange(x.shape[axis]) % every == 0) & (lines > 2)
    factor = np.where(weak, 1 - (0.2, 0.35, 0.5, 0.65, 0.8)[severity - 1], 1.0)
    shape = [1] * x.ndim
    shape[axis] = -1
    return np.asarray(np.fft.ifft(waves * factor.reshape(shape), axis=axis).real)


def gain(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """All values times a factor of 0.9 to 0.35, or as much nearer to white: exposure, receiver gain."""
    factor = (0.9, 0.8, 0.65, 0.5, 0.35)[severity - 1]
    return x * factor if rng.random() < 0.5 else 1 - (1 - x) * factor


def wrong_window(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """A display window of 85 to 30 % of the range, off its middle, stretched to all of it: saved with the wrong one."""
    width = (0.85, 0.70, 0.55, 0.42, 0.30)[severity - 1]
    centre = 0.5 + (0.5 - 0.5 * width) * 0.6 * rng.choice([-1.0, 1.0])
    return np.asarray(np.clip((x - centre) / width + 0.5, 0, 1))


def jpeg(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """JPEG of quality 40, 22, 12, 7, 4, slice by slice in grey levels of 8 bits: archives, messengers."""
    from PIL import Image

    quality = (40, 22, 12, 7, 4)[severity - 1]
    levels = np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)
    out = np.empty(x.shape)
    for place in np.ndindex(*x.shape[:-2]):
        file = io.BytesIO()
        Image.fromarray(levels[place]).save(file, "JPEG", quality=quality)
        with Image.open(file) as read:
            out[place] = np.asarray(read, np.float64) / 255
    return out


def metal(x: Array, severity: int, rng: np.random.Generator) -> Array:
    """A bright implant of 2 to 6 % of the shorter side, with streaks that fade: hip, pacemaker, filling (CT)."""
    size, strength = ((0.02, 0.3), (0.03, 0.45), (0.04, 0.6), (0.05, 0.8), (0.06, 1.0))[severity - 1]
    rows, columns = x.shape[-2:]
    y0, x0 = rng.uniform(0.3, 0.7, 2) * (rows, columns)
    count, turn = int(rng.integers(5, 9)), rng.uniform(0, np.pi)
    dy, dx = np.meshgrid(np.arange(rows) - y0, np.arange(columns) - x0, indexing="ij")
    away = np.hypot(dy, dx) / min(rows, columns)
    # Bright and dark rays in turn, as where beams were starved and overcorrected.
    rays = np.cos(count * (np.arctan2(dy, dx) + turn)) ** 3
    out = x + 0.5 * strength * rays * np.exp(-2.5 * away)
    out[..., away < size] = 1.0
    return np.asarray(out)


CORRUPTIONS: Mapping[str, Change] = MappingProxyType({
    "noise": noise, "speckle": speckle, "blur": blur, "motion": motion, "bias_field": bias_field, "ghosting": ghosting,
    "gain": gain, "wrong_window": wrong_window, "jpeg": jpeg, "metal": metal,
})  # fmt: skip

# What is plausible for a DICOM modality; any can be asked of any.
BY_MODALITY: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "CT": ("noise", "blur", "motion", "metal", "wrong_window", "jpeg"),
    "MR": ("noise", "blur", "motion", "bias_field", "ghosting", "gain"),
    "US": ("speckle", "blur", "gain", "jpeg"),
    "XR": ("noise", "blur", "motion", "gain", "wrong_window", "jpeg", "metal"),
    "PT": ("noise", "blur", "motion", "gain"),
    "NM": ("noise", "blur", "motion", "gain"),
    "SM": ("blur", "gain", "jpeg", "noise"),
    "OP": ("blur", "motion", "gain", "jpeg", "noise"),
})  # fmt: skip
USUAL = ("noise", "blur", "motion", "gain", "jpeg")


def usual(modality: str | None) -> tuple[str, ...]:
    """The corruptions that befall a modality; those of any image where it is unknown.

    >>> usual("US")
    ('speckle', 'blur', 'gain', 'jpeg')
    """
    return BY_MODALITY.get(modality or "", USUAL)
