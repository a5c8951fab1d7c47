"""Each object by itself: its mask, class and score; overlaps survive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data.findings.boxes import Boxes
from isocenter.data.geometry import Geometry
from isocenter.errors import LabelError
from isocenter.ops.array import Array

# The class of objects that nobody named.
OBJECT = "object"


@dataclass(frozen=True, eq=False)
class Instances:
    """Objects on the grid of one image.

    Parameters
    ----------
    starts
        int64 (n, axes): first pixel of each object's crop, array order.
    masks
        bool arrays, one an object: its pixels within its crop; each holds a pixel.
    labels
        int64 (n,): index into `classes`.
    classes
        Class names; no background.
    geometry
        Of the image.
    scores
        float64 (n,) in [0, 1], how sure; None for truth.

    Raises
    ------
    LabelError
        Numbers or shapes do not fit, a crop leaves the image, an object has no pixel, or a label has no name.
    """

    starts: Array
    masks: tuple[Array, ...]
    labels: Array
    classes: tuple[str, ...]
    geometry: Geometry
    scores: Array | None = None

    def __post_init__(self) -> None:
        n, shape = len(self.masks), np.asarray(self.geometry.shape)
        if self.starts.shape != (n, len(shape)) or self.labels.shape != (n,):
            raise LabelError(
                "objects and labels do not fit", got=f"{self.starts.shape} and {self.labels.shape}",
                wanted=f"({n}, {len(shape)}) and ({n},)",
            )  # fmt: skip
        ends = [s + np.asarray(m.shape) for s, m in zip(self.starts, self.masks, strict=True)]
        if n and ((self.starts < 0).any() or (np.asarray(ends) > shape).any()):
            raise LabelError("an object leaves the image", wanted=f"within {tuple(shape)}")
        if any(m.dtype != np.bool_ or not m.any() for m in self.masks):
            raise LabelError("an object has no pixel", wanted="bool masks that hold a pixel")
        if n and (self.labels.min() < 0 or self.labels.max() >= len(self.classes)):
            raise LabelError("an object has no class", got=str(int(self.labels.max())), wanted=", ".join(self.classes))
        if self.scores is not None and (
            self.scores.shape != (n,) or not ((self.scores >= 0) & (self.scores <= 1)).all()
        ):
            raise LabelError("scores do not fit", got=str(self.scores.shape), wanted=f"({n},), 0 to 1")

    @classmethod
    def none(cls, classes: Sequence[str], geometry: Geometry, *, scored: bool = True) -> Instances:
        """No object at all: a valid answer, and a valid truth with ``scored=False``."""
        starts = np.zeros((0, len(geometry.shape)), np.int64)
        return cls(starts, (), np.zeros(0, np.int64), tuple(classes), geometry, np.zeros(0) if scored else None)

    @classmethod
    def from_label_map(
        cls,
        numbers: Array,
        geometry: Geometry,
        *,
        classes: Sequence[str] = (OBJECT,),
        labels: Sequence[int] | None = None,
        scores: Sequence[float] | None = None,
    ) -> Instances:
        """The objects of a map with one number an object, by rising number.

        Parameters
        ----------
        numbers
            Integer array on the grid; 0 is background.
        geometry
            Of the image.
        classes, labels, scores
            Class names, and the class and score of each object by rising number; one class without `labels`.
        """
        from scipy import ndimage

        compact = numbers
        # To sort all pixels takes long, and is needed only where the numbers are far apart.
        if numbers.size and not 0 <= numbers.min() <= numbers.max() <= numbers.size:
            there, flat = np.unique(numbers, return_inverse=True)
            compact = flat.reshape(numbers.shape) + int(there[0] != 0)
        found = ndimage.find_objects(compact.astype(np.int32))
        boxes = [(k, box) for k, box in enumerate(found, start=1) if box is not None]
        starts = np.asarray([[s.start for s in box] for _, box in boxes], np.int64).reshape(-1, numbers.ndim)
        masks = tuple(np.asarray(compact[box] == k) for k, box in boxes)
        kinds = np.zeros(len(masks), np.int64) if labels is None else np.asarray(labels, np.int64)
        sure = None if scores is None else np.asarray(scores, np.float64)
        return cls(starts, masks, kinds, tuple(classes), geometry, sure)

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def areas(self) -> Array:
        """int64 (n,): pixels of each object."""
        return np.asarray([int(np.count_nonzero(m)) for m in self.masks], np.int64)

    def where(self, i: int) -> tuple[slice, ...]:
        """The part of the grid that the crop of object `i` covers."""
        return tuple(slice(int(s), int(s) + n) for s, n in zip(self.starts[i], self.masks[i].shape, strict=True))

    def label_map(self) -> Array:
        """int32 (*grid): object i is i + 1; of overlapping objects the surer shows (without scores the earlier)."""
        out = np.zeros(self.geometry.shape, np.int32)
        order = np.arange(len(self))[::-1] if self.scores is None else np.argsort(self.scores, kind="stable")
        for i in order:
            part = out[self.where(int(i))]
            part[self.masks[i]] = i + 1
        return out

    def boxes(self) -> Boxes:
        """The tight box of each object."""
        edges = np.zeros((len(self), 2, len(self.geometry.shape)))
        for i, (start, mask) in enumerate(zip(self.starts, self.masks, strict=True)):
            held = np.argwhere(mask)
            edges[i] = start + held.min(0) - 0.5, start + held.max(0) + 0.5
        return Boxes(edges, self.labels, self.classes, self.geometry, self.scores)

    def chosen(self, which: Array) -> Instances:
        """The objects at these positions, or where a bool array (n,) holds."""
        at = np.flatnonzero(which) if which.dtype == np.bool_ else which
        scores = None if self.scores is None else self.scores[at]
        masks = tuple(self.masks[int(i)] for i in at)
        return replace(self, starts=self.starts[at], masks=masks, labels=self.labels[at], scores=scores)
