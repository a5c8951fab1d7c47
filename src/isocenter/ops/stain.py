"""Colours and stains: optical density unmixed into the amounts of known dyes, hue and saturation, CIELAB.

Colours are (3, *grid): red, green, blue in any integer or floating type. White is the full scale of an integer type; of
floating values it is 1, or 255 where they go beyond 1, or their own maximum where they go beyond 255.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from isocenter.errors import InputError, nearest
from isocenter.ops.array import Array

# Optical density of each dye in red, green and blue, from the source.
DYES: dict[str, tuple[float, float, float]] = {
    "hematoxylin": (0.65, 0.70, 0.29),
    "eosin": (0.07, 0.99, 0.11),
    "dab": (0.27, 0.57, 0.78),
}
RUIFROK = "Ruifrok & Johnston, Anal. Quant. Cytol. Histol. 23 (2001) 291"
# Pairs that are told apart: the usual stain of tissue, and a counterstain beside the brown of an antibody.
PAIRS = (("hematoxylin", "eosin"), ("hematoxylin", "dab"))
# Pixels that a pair is told by.
LOOKED = 100_000
# What counts as black: light below this share of white is not told apart from it.
DARKEST = 1e-6


def unit(colours: Array) -> Array:
    """The colours as shares of white.

    Returns
    -------
    float32 (3, *grid) from 0 to 1; what is not a number is black.

    >>> unit(np.full((3, 1), 255, np.uint8)).ravel().tolist()
    [1.0, 1.0, 1.0]
    """
    colours = np.asarray(colours)
    if colours.ndim < 1 or len(colours) != 3:
        raise InputError("three colours were needed", got=str(colours.shape), wanted="(3, *grid)")
    if colours.dtype.kind in "ui":
        white = float(np.iinfo(colours.dtype).max)
    elif colours.dtype.kind == "b":
        white = 1.0
    else:
        top = float(np.max(colours, initial=0.0, where=np.isfinite(colours)))
        white = next((w for w in (1.0, 255.0) if top <= w), top)
    shares = np.nan_to_num(np.asarray(colours, np.float32) / np.float32(white), nan=0.0, posinf=1.0)
    return np.asarray(np.clip(shares, 0.0, 1.0))


def density(colours: Array) -> Array:
    """Optical density, log10 of white over light, of each colour: float32 (3, *grid), at least 0."""
    return np.asarray(-np.log10(np.maximum(unit(colours), np.float32(DARKEST))))


def separate(colours: Array, dyes: Sequence[str] = ("hematoxylin", "eosin")) -> Array:
    """The amount of each dye: colour deconvolution.

    Absorbances add up (Lambert and Beer), so that optical density is a weighted sum of the dyes' directions; the
    weights are what comes back. With two dyes the third direction is perpendicular to both and takes up the rest.

    Source: Ruifrok & Johnston, Quantification of histochemical staining by color deconvolution, Anal. Quant. Cytol.
    Histol. 23 (2001) 291.

    Parameters
    ----------
    colours
        (3, *grid), transmitted light.
    dyes
        Two or three of `DYES`.

    Returns
    -------
    float32 (len(dyes), *grid), at least 0: optical density along the dye's own unit vector.

    Raises
    ------
    InputError
        An unknown dye, or not two or three different ones.
    """
    return np.asarray(np.maximum(np.tensordot(_unmixing(dyes), density(colours), axes=1), 0.0))


def _unmixing(dyes: Sequence[str]) -> Array:
    """float32 (len(dyes), 3): optical densities to amounts."""
    for dye in dyes:
        if dye not in DYES:
            raise InputError("no such dye", got=dye, remedy=nearest(dye, DYES))
    if len(set(dyes)) != len(dyes) or len(dyes) not in (2, 3):
        raise InputError("two or three different dyes were needed", got=str(tuple(dyes)))
    rows = [np.asarray(DYES[dye]) for dye in dyes]
    if len(rows) == 2:
        rows.append(np.cross(rows[0], rows[1]))
    mixing = np.stack([r / np.linalg.norm(r) for r in rows])
    return np.asarray(np.linalg.inv(mixing).T[: len(dyes)], np.float32)


def pair_of(colours: Array) -> tuple[str, str] | None:
    """Which of `PAIRS` stains a picture: the one that leaves less of its optical density unexplained.

    Nobody's labels take part: amounts are fitted to each pixel by least squares, none below 0, and what is left over is
    compared as a sum of squares.

    Parameters
    ----------
    colours
        (3, *grid).

    Returns
    -------
    None where the three colours are equal, and where the middle pixel holds less than half of white: light that passed
    through a section has a bright ground.

    >>> pair_of(np.full((3, 2), 200, np.uint8)) is None
    True
    """
    flat = unit(colours).reshape(3, -1)
    flat = flat[:, :: max(1, flat.shape[1] // LOOKED)]
    if not flat.size or bool((flat[0] == flat).all()) or float(np.median(flat.mean(0))) < 0.5:
        return None
    densities = density(flat).astype(np.float64)
    left = [_unexplained(densities, [np.asarray(DYES[d]) / np.linalg.norm(DYES[d]) for d in pair]) for pair in PAIRS]
    return PAIRS[int(np.argmin(left))]


def _unexplained(densities: Array, dyes: Sequence[Array]) -> float:
    """Sum of squares of (3, n) that no amounts of two dyes (unit vectors), none below 0, account for."""
    shared = float(dyes[0] @ dyes[1])
    along = [np.maximum(d @ densities, 0.0) for d in dyes]
    first, second = ((along[k] - shared * along[1 - k]) / (1 - shared**2) for k in (0, 1))
    # Where one amount would be below 0, the other dye alone fits best.
    amounts = np.where(first < 0, 0.0, np.where(second < 0, along[0], first))
    others = np.where(second < 0, 0.0, np.where(first < 0, along[1], second))
    rest = densities - np.outer(dyes[0], amounts) - np.outer(dyes[1], others)
    return float((rest**2).sum())


def hsv(colours: Array) -> Array:
    """Hue, saturation and value.

    Source: Smith, Color gamut transform pairs, SIGGRAPH 1978.

    Returns
    -------
    float32 (3, *grid) from 0 to 1; hue is a share of the whole circle from red, 0 where there is no colour.
    """
    red, green, blue = unit(colours)
    top = np.maximum(np.maximum(red, green), blue)
    span = top - np.minimum(np.minimum(red, green), blue)
    some = np.where(span > 0, span, 1.0)
    hue = np.where(
        top == red, (green - blue) / some % 6, np.where(top == green, (blue - red) / some + 2, (red - green) / some + 4)
    )
    return np.asarray(np.stack([np.where(span > 0, hue / 6 % 1, 0.0), span / np.where(top > 0, top, 1.0), top]), "f4")


# sRGB to CIE XYZ and the white point D65 of the 2 degree observer: IEC 61966-2-1, CIE 15.
XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(colours: Array) -> Array:
    """CIELAB under D65: lightness 0 to 100, a from green to red, b from blue to yellow.

    Source: CIE 15:2004, Colorimetry; IEC 61966-2-1 for sRGB.

    Returns
    -------
    float32 (3, *grid).
    """
    light = unit(colours)
    linear = np.where(light > 0.04045, ((light + 0.055) / 1.055) ** 2.4, light / 12.92)
    xyz = np.tensordot((XYZ / WHITE[:, None]).astype(np.float32), linear, axes=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.asarray(np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)]), np.float32)


# Channels that three colours make, by name: (what makes them, which of its rows).
DERIVED: dict[str, tuple[Callable[[Array], Array], int]] = {
    "hsv-hue": (hsv, 0),
    "hsv-saturation": (hsv, 1),
    "hsv-value": (hsv, 2),
    "lab-lightness": (lab, 0),
    "lab-a": (lab, 1),
    "lab-b": (lab, 2),
    "he-hematoxylin": (lambda c: separate(c, ("hematoxylin", "eosin")), 0),
    "he-eosin": (lambda c: separate(c, ("hematoxylin", "eosin")), 1),
    "hdab-hematoxylin": (lambda c: separate(c, ("hematoxylin", "dab")), 0),
    "hdab-dab": (lambda c: separate(c, ("hematoxylin", "dab")), 1),
}


def derived(colours: Array, name: str) -> Array:
    """One channel that three colours make: float32 (*grid).

    Parameters
    ----------
    colours
        (3, *grid).
    name
        Of `DERIVED`.

    Raises
    ------
    InputError
        No such channel.
    """
    if name not in DERIVED:
        raise InputError("no such channel of colours", got=name, remedy=nearest(name, DERIVED))
    make, row = DERIVED[name]
    return np.asarray(make(colours)[row])
