"""Where things are: boxes with a class and a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.data.geometry import Geometry
from isocenter.errors import LabelError
from isocenter.ops.array import Array

# The score from which a box is acted upon: methods put the limit of their greatest F1 on val there.
OPERATING = 0.5


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes on the grid of one image.

    Parameters
    ----------
    edges
        float64 (n, 2, axes): low and high edge per axis in pixels, array order; a box over pixels i..j is
        [i - 0.5, j + 0.5].
    labels
        int64 (n,): index into `classes`.
    classes
        Class names; no background.
    geometry
        Of the image.
    scores
        float64 (n,) in [0, 1], how sure; None for truth.
    ignored
        bool (n,): truth that is neither to be found nor wrong to find (COCO's crowds, VOC's difficult); None: none.

    Raises
    ------
    LabelError
        Shapes do not fit, an edge is not finite, a box has no extent, or a label has no name.
    """

    edges: Array
    labels: Array
    classes: tuple[str, ...]
    geometry: Geometry
    scores: Array | None = None
    ignored: Array | None = None

    def __post_init__(self) -> None:
        n, rank = len(self.edges), len(self.geometry.shape)
        if self.edges.shape != (n, 2, rank) or self.labels.shape != (n,):
            raise LabelError(
                "boxes and labels do not fit", got=f"{self.edges.shape} and {self.labels.shape}",
                wanted=f"(n, 2, {rank}) and (n,)",
            )  # fmt: skip
        if not np.isfinite(self.edges).all() or (self.edges[:, 1] <= self.edges[:, 0]).any():
            raise LabelError("a box has no extent", wanted="finite edges, high above low on every axis")
        if n and (self.labels.min() < 0 or self.labels.max() >= len(self.classes)):
            raise LabelError("a box has no class", got=str(int(self.labels.max())), wanted=", ".join(self.classes))
        for name, values in (("scores", self.scores), ("ignored", self.ignored)):
            if values is not None and values.shape != (n,):
                raise LabelError(f"{name} and boxes differ in number", got=str(values.shape), wanted=str((n,)))
        if self.scores is not None and not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise LabelError("a score is no probability", wanted="0 to 1")

    @classmethod
    def none(cls, classes: Sequence[str], geometry: Geometry, *, scored: bool = True) -> Boxes:
        """No box at all: a valid answer, and a valid truth with ``scored=False``."""
        empty = np.zeros((0, 2, len(geometry.shape)))
        return cls(
            empty, np.zeros(0, np.int64), tuple(classes), geometry, np.zeros(0) if scored else None
        )

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def sizes(self) -> Array:
        """float64 (n, axes): extent in pixels."""
        return np.asarray(self.edges[:, 1] - self.edges[:, 0])

    @property
    def sizes_mm(self) -> Array | None:
        """float64 (n, axes): extent in mm; None where the spacing is unknown."""
        spacing = self.geometry.spacing
        return None if spacing is None else np.asarray(self.sizes * np.asarray(spacing))

    def chosen(self, which: Array) -> Boxes:
        """The boxes at these positions, or where a bool array (n,) holds."""
        scores, ignored = (None if v is None else v[which] for v in (self.scores, self.ignored))
        return replace(self, edges=self.edges[which], labels=self.labels[which], scores=scores, ignored=ignored)

    def ranked(self) -> Boxes:
        """The boxes by falling score, in their order where scores are equal; as they are without scores."""
        return self if self.scores is None else self.chosen(np.argsort(-self.scores, kind="stable"))
