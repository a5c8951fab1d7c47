"""Clusters: what a threshold finds, gathered to objects by where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Boxes, Case, Cases, NotEvaluated, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.ops.components import filled, parts
from isocenter.ops.mean_shift import mean_shift
from isocenter.tasks._settled import Settled
from isocenter.tasks.detect._kinds import Kinds
from isocenter.tasks.detect._pixels import channel, foreground, pixels
from isocenter.tasks.detect._settled import settled

HOW = ("dbscan", "mean_shift")
# Positions that mean shift works on; more are thinned evenly.
POSITIONS = 2000
# Reaches that `fit` tries, in radii of the smallest and of the largest class.
TRIED = (0.5, 0.8, 1.2)


@dataclass(frozen=True)
class Clusters(Settled):
    """Otsu's foreground, gathered to objects. Needs no training, but names no class before it.

    ``dbscan`` joins connected parts whose centres lie near each other: nuclei of several lobes, broken objects.
    ``mean_shift`` parts the foreground at its densest places: objects that touch. `fit` learns channel, side, way,
    reach and what the classes look like.

    Sources: Otsu 1979; Ester et al. (DBSCAN), KDD 1996; Comaniciu and Meer, IEEE Trans. PAMI 24 (2002) 603.
    """

    channel: str | None = knob(None, "name of the channel, or mean; None: learnt from train, else mean")
    bright: bool | None = knob(
        None, "objects are brighter than the background; None: learnt from train, else whichever side is smaller"
    )
    how: str | None = knob(None, "way of gathering; None: learnt from train, else dbscan", choices=HOW)
    reach: float | None = knob(
        None, "how far parts of one object may lie apart; None: learnt from train, else 3", unit="pixels", low=0.1,
        high=1e6, tunable=True,
    )  # fmt: skip
    kinds: Kinds = knob(Kinds, "what the classes look like; learnt from train")

    def predict(self, case: Case) -> Boxes | NotEvaluated:
        """The boxes of the leading image, on its own grid; a score of 0.5 is the limit learnt from train."""
        array = pixels(case)
        if isinstance(array, NotEvaluated):
            return array
        image = case.image()
        values = channel(array, image, self.channel or "mean")
        mask = filled(_side(values, self.bright))
        gather = _shifted if self.how == "mean_shift" else _joined
        edges = gather(mask, self.reach or 3.0)
        held = (edges[:, 1] - edges[:, 0]).max(1) >= self.kinds.smallest if len(edges) else np.zeros(0, bool)
        return self.kinds.named(edges[held], array, image.geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Clusters:
        """The same method with the fields that stand open learnt from train.

        Raises
        ------
        LabelError
            A class has no box in train.
        """
        return settled(self, train, _tried, watch=watch)


def _tried(kinds: Kinds) -> dict[str, Sequence[Any]]:
    """Both ways of gathering, and reaches by the radii of the smallest and of the largest class."""
    radii = sorted({float(np.exp(m[0])) / 2 for m in kinds.means})
    return {"how": HOW, "reach": sorted({t * r for t in TRIED for r in (radii[0], radii[-1])})}


def _side(values: Array, bright: bool | None) -> Array:
    if bright is not None:
        return foreground(values, bright=bright)
    both = [foreground(values, bright=b) for b in (True, False)]
    return both[int(np.count_nonzero(both[1]) < np.count_nonzero(both[0]))]


def _joined(mask: Array, reach: float) -> Array:
    """Edges (n, 2, axes) around the connected parts whose centres are linked by steps of at most `reach` pixels."""
    from scipy import ndimage
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    numbered, sizes = parts(mask)
    if len(sizes) == 1:
        return np.zeros((0, 2, mask.ndim))
    boxes = np.array([[[s.start, s.stop - 1] for s in b] for b in ndimage.find_objects(numbered)], float)
    edges = boxes.transpose(0, 2, 1) + np.array([-0.5, 0.5])[None, :, None]
    tree = KDTree(edges.mean(1))
    # With one neighbour enough, the clusters of DBSCAN are the parts of the graph of near centres.
    groups = connected_components(
        tree.sparse_distance_matrix(tree, reach, output_type="coo_matrix") + _self(len(edges))
    )[1]
    low = np.stack([edges[groups == g, 0].min(0) for g in np.unique(groups)])
    high = np.stack([edges[groups == g, 1].max(0) for g in np.unique(groups)])
    return np.stack((low, high), 1)


def _self(n: int) -> Any:
    from scipy.sparse import identity

    return identity(n, format="coo")


def _shifted(mask: Array, reach: float) -> Array:
    """Edges (n, 2, axes) around the pixels that climb to the same densest place."""
    at = np.argwhere(mask)
    if not len(at):
        return np.zeros((0, 2, mask.ndim))
    step = max(1, int(np.ceil((len(at) / POSITIONS) ** (1 / mask.ndim))))
    thin = at[(at % step == 0).all(1)]
    at = thin if len(thin) else at[:: max(1, len(at) // POSITIONS)]
    groups = mean_shift(at, max(reach, 1.0))
    low = np.stack([at[groups == g].min(0) for g in np.unique(groups)]) - 0.5
    high = np.stack([at[groups == g].max(0) for g in np.unique(groups)]) + step - 0.5
    return np.stack((low, np.minimum(high, np.asarray(mask.shape) - 0.5)), 1)
