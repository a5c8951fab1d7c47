"""Which class an object is, by its size and colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import OBJECT, Boxes, Geometry, knob
from isocenter.infer.detecting import rated
from isocenter.ops.array import Array
from isocenter.ops.boxes import area, clip

# An SD of a feature is at least this: sizes differ by 10 %, colours by a tenth of the image's SD.
LEAST_SD = 0.1
# Number per class or feature of a recipe that was learnt.
ANY = 1e9


@dataclass(frozen=True)
class Kinds:
    """What the objects of each class look like: learnt from train, one nameless class before.

    A feature is the logarithm of the size (geometric mean of the box's sides in pixels), then the mean of each channel
    in the middle half of the box, in SDs of the image.
    """

    classes: tuple[str, ...] = knob((OBJECT,), "names of the classes")
    means: tuple[tuple[float, ...], ...] = knob((), "mean features of each class", low=-ANY, high=ANY)
    spread: tuple[float, ...] = knob((), "SD of each feature within a class", low=0.0, high=ANY)
    limits: tuple[float, ...] = knob((), "score of each class from which a box counts, before scaling", low=0, high=1)

    @property
    def smallest(self) -> float:
        """Least side in pixels of what may be an object: a third of the smallest class; 2 before study."""
        return float(np.exp(min(m[0] for m in self.means)) / 3) if self.means else 2.0

    def named(self, edges: Array, array: Array, geometry: Geometry) -> Boxes:
        """Boxes with the nearest class and a score: 0.5 is the limit learnt from train.

        Parameters
        ----------
        edges
            (n, 2, axes).
        array
            float32 (c, *grid), as `_pixels.pixels` gives it.
        geometry
            Of the image.
        """
        edges = clip(np.asarray(edges, np.float64).reshape(-1, 2, len(geometry.shape)), geometry.shape)
        edges = edges[(area(edges) > 0)]
        if not self.means or not len(edges):
            return Boxes(edges, np.zeros(len(edges), np.int64), self.classes, geometry, np.ones(len(edges)))
        away = (features(edges, array)[:, None] - np.asarray(self.means)) / np.asarray(self.spread)
        likely = np.exp(-0.5 * (away**2).mean(2))
        labels = likely.argmax(1)
        scores = likely.max(1)
        if self.limits:
            scores = rated(scores, np.asarray(self.limits)[labels])
        return Boxes(edges, labels, self.classes, geometry, scores)


def features(edges: Array, array: Array) -> Array:
    """float64 (n, 1 + c): logarithm of the size, mean of each channel in the middle half of the box."""
    sides = edges[:, 1] - edges[:, 0]
    inner = np.stack((edges[:, 0] + sides / 4, edges[:, 1] - sides / 4), 1)
    low = np.clip(np.ceil(inner[:, 0]), 0, np.asarray(array.shape[1:]) - 1).astype(np.int64)
    high = np.clip(np.floor(inner[:, 1]) + 1, low + 1, array.shape[1:]).astype(np.int64)
    out = np.empty((len(edges), 1 + len(array)))
    out[:, 0] = np.log(sides).mean(1)
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        part = array[(slice(None), *(slice(s, t) for s, t in zip(a, b, strict=True)))]
        out[i, 1:] = part.reshape(len(array), -1).mean(1)
    return out


def learnt(classes: Sequence[str], rows: Sequence[Array], labels: Sequence[Array]) -> Kinds:
    """The classes as the true boxes of some cases show them.

    Parameters
    ----------
    classes
        Names.
    rows, labels
        Features and class of the boxes of each case; every class occurs.
    """
    every, kinds = np.concatenate(rows), np.concatenate(labels)
    means = np.stack([every[kinds == c].mean(0) for c in range(len(classes))])
    # Each class counts alike, however often it occurs.
    within = [((every[kinds == c] - means[c]) ** 2).mean(0) for c in range(len(classes))]
    spread = np.maximum(np.sqrt(np.mean(within, axis=0)), LEAST_SD)
    return Kinds(tuple(classes), tuple(map(tuple, means.tolist())), tuple(spread.tolist()))
