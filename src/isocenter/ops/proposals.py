"""Where objects may be: boxes as steps from others, which truth a box stands for, which boxes are worth a look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.boxes import clip, iou, nms
from isocenter.ops.kernel import kernel

# What a box stands for, other than a truth.
BACKGROUND, UNSURE = -1, -2
# No step makes a box more than this many times larger or smaller: exp() of a wild guess stays finite.
GROWTH = 60.0
# Boxes thinner than this are no boxes.
THINNEST = 1.0


def grid(shape: Sequence[int], stride: int, sizes: Sequence[Sequence[float]]) -> Array:
    """Boxes of given sizes about every cell of a grid: float64 (cells * sizes, 2, axes), the sizes running fastest.

    Source: anchors of Ren et al., Faster R-CNN, NeurIPS 2015.

    Parameters
    ----------
    shape
        Cells per axis.
    stride
        Pixels per cell; cell i is centred on (i + 0.5) * stride - 0.5.
    sizes
        Extents per axis in pixels.
    """
    axes = [(np.arange(n) + 0.5) * stride - 0.5 for n in shape]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 1, len(shape))
    half = np.asarray(sizes, np.float64)[None] / 2
    return np.stack([centres - half, centres + half], 2).reshape(-1, 2, len(shape))


def steps(edges: Array, start: Array, spread: Sequence[float] = (1.0, 1.0)) -> Array:
    """Steps that lead from one box to another: shift of the centre by the size, and logarithm of growth.

    Source: Girshick et al., R-CNN, CVPR 2014, appendix C.

    Parameters
    ----------
    edges, start
        (n, 2, axes): where to, and where from; each with an extent.
    spread
        Usual size of shifts and growths, by which they are divided.

    Returns
    -------
    float64 (n, 2, axes): shifts, then growths.
    """
    to, of = edges[:, 1] - edges[:, 0], start[:, 1] - start[:, 0]
    shift = (edges.mean(1) - start.mean(1)) / of
    return np.stack([shift / spread[0], np.log(to / of) / spread[1]], 1)


def moved(start: Array, by: Array, spread: Sequence[float] = (1.0, 1.0)) -> Array:
    """Boxes float64 (n, 2, axes) that `by` leads to: the way back from `steps`."""
    of = start[:, 1] - start[:, 0]
    centre = start.mean(1) + by[:, 0] * spread[0] * of
    half = np.exp(np.clip(by[:, 1] * spread[1], -np.log(GROWTH), np.log(GROWTH))) * of / 2
    return np.stack([centre - half, centre + half], 1)


def matched(edges: Array, truth: Array, *, low: float, high: float, rescue: bool = False) -> Array:
    """Which truth each box stands for.

    Source: Ren et al., Faster R-CNN, NeurIPS 2015, section 3.1.2.

    Parameters
    ----------
    edges, truth
        (n, 2, axes) and (m, 2, axes).
    low, high
        IoU below which a box is background, and from which it stands for its truth.
    rescue
        The boxes that overlap a truth most stand for it however little that is.

    Returns
    -------
    int64 (n,): position in `truth`, `BACKGROUND` or `UNSURE`.
    """
    if not len(truth) or not len(edges):
        return np.full(len(edges), BACKGROUND, np.int64)
    overlap = iou(edges, truth)
    best = overlap.argmax(1)
    most = overlap[np.arange(len(edges)), best]
    out = np.where(most >= high, best, np.where(most < low, BACKGROUND, UNSURE))
    if rescue:
        top = overlap.max(0)
        rows, columns = np.nonzero((overlap >= top - 1e-9) & (top > 0))
        out[rows] = columns
    return np.asarray(out, np.int64)


def chosen(stands: Array, draw: Array, *, count: int, share: float) -> Array:
    """Boxes to learn from: some that stand for a truth, filled up with background.

    Parameters
    ----------
    stands
        As `matched` gives.
    draw
        (n,) random numbers; the lowest are taken.
    count
        At most this many.
    share
        At most this share of them stands for a truth.

    Returns
    -------
    int64 (k,): positions, those that stand for a truth first.
    """
    held, empty = np.flatnonzero(stands >= 0), np.flatnonzero(stands == BACKGROUND)
    held = held[np.argsort(draw[held], kind="stable")[: int(count * share)]]
    empty = empty[np.argsort(draw[empty], kind="stable")[: count - len(held)]]
    return np.concatenate([held, empty])


def propose(
    scores: Array, by: Array, anchors: Array, levels: Array, *, shape: Sequence[int], counts: tuple[int, int],
    limit: float = 0.7,
) -> Array:  # fmt: skip
    """The boxes worth a second look.

    Source: Ren et al., Faster R-CNN, NeurIPS 2015, section 3.3; on a pyramid after Lin et al., CVPR 2017.

    Parameters
    ----------
    scores
        (n,), larger is surer.
    by
        (n, 2, axes) steps from the anchors.
    anchors
        (n, 2, axes).
    levels
        (n,) level of the pyramid; suppression stays within it.
    shape
        Of the image; boxes are clipped to it.
    counts
        Most boxes of a level before suppression, and most of all after it.
    limit
        IoU above which the less sure of two boxes is dropped.

    Returns
    -------
    float64 (k, 2, axes), the surest first.
    """
    kept = []
    for one in np.unique(levels):
        here = np.flatnonzero(levels == one)
        if len(here) > counts[0]:
            here = here[np.sort(np.argpartition(-scores[here], counts[0] - 1)[: counts[0]])]
        kept.append(here)
    at = np.concatenate(kept)
    edges = clip(moved(anchors[at].astype(np.float64), by[at].astype(np.float64)), shape)
    whole = ((edges[:, 1] - edges[:, 0]) >= THINNEST).all(1)
    edges, at = edges[whole], at[whole]
    order = np.argsort(-scores[at], kind="stable")
    edges, at = np.ascontiguousarray(edges[order]), at[order]
    return np.asarray(edges[first_of(edges, levels[at].astype(np.int64), limit, counts[1])])


@kernel
def first_of(edges: Array, labels: Array, limit: float, most: int) -> Array:
    """The first `most` boxes that `nms` keeps of boxes by falling score: int64 (k,) positions, rising.

    Thousands of proposals are thinned in every step of training, which is why this is compiled.

    Parameters
    ----------
    edges
        float64 (n, 2, axes), contiguous.
    labels
        int64 (n,): boxes remove their own kind alone.
    limit
        IoU above which a box is removed.
    most
        Boxes wanted; it ends with the last of them.
    """
    n, axes = edges.shape[0], edges.shape[2]
    sizes = np.ones(n)
    for i in range(n):
        for a in range(axes):
            sizes[i] *= edges[i, 1, a] - edges[i, 0, a]
    kept = np.empty(min(n, most), np.int64)
    count = 0
    for i in range(n):
        free = count < most
        for k in range(count if free else 0):
            j = kept[k]
            if labels[j] != labels[i]:
                continue
            both = 1.0
            for a in range(axes):
                both *= max(min(edges[i, 1, a], edges[j, 1, a]) - max(edges[i, 0, a], edges[j, 0, a]), 0.0)
            if both > limit * (sizes[i] + sizes[j] - both):
                free = False
                break
        if not free:
            if count >= most:
                break
            continue
        kept[count] = i
        count += 1
    return kept[:count]


def detected(
    edges: Array, scores: Array, *, least: float, limit: float, most: int
) -> tuple[Array, Array, Array]:
    """Objects among boxes with a score for every class: sure enough, each once.

    Parameters
    ----------
    edges
        (n, 2, axes).
    scores
        (n, classes) without background.
    least
        Lowest score of an object.
    limit
        IoU above which the less sure of two objects of a class is dropped.
    most
        Most objects.

    Returns
    -------
    edges, scores, labels of the objects, the surest first.
    """
    rows, labels = np.nonzero(scores >= least)
    sure = scores[rows, labels]
    kept = nms(edges[rows], sure, labels, limit=limit)[:most]
    return edges[rows[kept]], sure[kept], labels[kept].astype(np.int64)
