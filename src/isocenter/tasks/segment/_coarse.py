"""A few cases averaged down: enough for coarse choices, at a fraction of the time."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.data import IGNORE, Case, Cases, Image, Segmentation
from isocenter.ops.array import Array
from isocenter.ops.texture import averaged
from isocenter.tasks._looked import evenly

# Cases on which a choice is made, and pixels per axis that they are averaged down to at most.
FEW = 8
COARSE = {2: 160, 3: 48}


def few(train: Cases, most: int = FEW) -> Cases:
    """At most so many cases evenly spaced over train, as they are."""
    return train.subset(evenly(train, most))


def coarse(method: Any, train: Cases) -> Cases:
    """At most 8 cases averaged down to at most 160 pixels per axis (volumes 48), with their truth, in memory.

    Lengths keep their unit: a coarse pixel is as long as the pixels that it stands for. A method that works on texture
    or on another method, or begins with seeds or another method, sees the cases as they are: these know the pixel.
    """
    some = few(train)
    if method.on != "intensity" or method.start.seeds is not None or method.start.region is not None:
        return some
    labelled = [c for c in some if isinstance(c.truth(), Segmentation)]
    if not labelled:
        return some
    images, masks = zip(*(_averaged(c) for c in labelled), strict=True)
    return Cases.from_arrays(images, masks, task="segment", classes=("foreground",))


def _averaged(case: Case) -> tuple[Image, Array]:
    """The image and its union of classes, each coarse pixel to whom the most of it belongs."""
    image, truth = case.image(), case.truth()
    if not isinstance(truth, Segmentation):
        raise TypeError(type(truth).__name__)
    factors = [-(-n // COARSE[image.ndim]) for n in image.geometry.shape]
    planes = np.stack([averaged(plane, factors) for plane in image.channels_first()]).astype(np.float32)
    spacing = image.geometry.spacing or (1.0,) * image.ndim
    wide = tuple(s * f for s, f in zip(spacing, factors, strict=True))
    axes = "yx" if image.ndim == 2 else "zyx"
    axes, planes = ("c" + axes, planes) if "c" in image.axes else (axes, planes[0])
    ignored = averaged((truth.labels == IGNORE).astype(np.float32), factors) > 0
    inside = averaged(((truth.labels != 0) & (truth.labels != IGNORE)).astype(np.float32), factors) >= 0.5
    labels = np.where(ignored, IGNORE, inside.astype(np.uint8)).astype(np.uint8)
    return Image.from_array(planes, axes=axes, spacing=wide, channels=image.channels), labels
