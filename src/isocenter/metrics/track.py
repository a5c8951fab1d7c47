"""Metrics of tracks, from every film.

What is compared: masks where truth and answer both have them, else boxes where both have them, else points. Two points
are as alike as 1 - distance / 16 pixels, so that 8 pixels stand where an IoU of 0.5 stands.

==========================  ==========================================================================================
truth and answer            value
==========================  ==========================================================================================
both hold points            as defined
one of them holds none      0
neither                     1
truth without a link        leaves lnk and link_recall
points or boxes alone       leave seg
==========================  ==========================================================================================

`NotEvaluated` is an answer without a track. A link joins two successive points of one track, or the last of a parent to
the first of its child. det, tra and lnk count a link over missing frames as one of parent and child, because their
files know no track with a hole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from isocenter.data import OBJECT, Instances, NotEvaluated, Tracks
from isocenter.errors import GeometryError, LabelError
from isocenter.metrics.by_case import means
from isocenter.metrics.metric import Metric
from isocenter.ops.array import Array
from isocenter.ops.boxes import iou
from isocenter.ops.linking import cheapest
from isocenter.ops.near import pairs_within
from isocenter.ops.objects import overlaps

NEAR = 8.0
# So dear is a point without a partner that as many as possible have one.
DEAR = 1e6
# Of the graph: a split, a missed and a false point; a false, a missed and a mistaken link. Matula et al., table 1.
SPLIT, MISSED, FALSE = 5.0, 10.0, 1.0
CUT, ADDED, MISTAKEN = 1.0, 1.5, 1.0
ALPHAS = np.arange(0.05, 0.99, 0.05)


@dataclass(frozen=True, eq=False)
class Graph:
    """What must be done to an answer to make it the truth, counted.

    Parameters
    ----------
    points, links
        Of the truth.
    split, missed, false
        Points of the answer that stand for several of the truth (one less than those), and of the truth for none, and
        of the answer for nothing.
    cut, added, mistaken
        Links to be removed, to be added, and to change between one track and parent to child.
    """

    points: int
    links: int
    split: int
    missed: int
    false: int
    cut: int
    added: int
    mistaken: int

    @property
    def for_points(self) -> float:
        """Cost of all that concerns points."""
        return SPLIT * self.split + MISSED * self.missed + FALSE * self.false

    @property
    def for_links(self) -> float:
        """Cost of all that concerns links."""
        return CUT * self.cut + ADDED * self.added + MISTAKEN * self.mistaken


@dataclass(frozen=True, eq=False)
class Met:
    """The points of one film that meet: positions in answer and truth.

    Parameters
    ----------
    answer, truth
        The tracks.
    a, b
        int64 (k,): pairs of a point of `answer` and one of `truth` in one frame that are at all alike.
    alike
        float64 (k,) in (0, 1]: IoU, or of points how near.
    held
        float64 (k,): share of the true object that the answered one covers; of boxes and points 1 where they are
        partners at an IoU of 0.5 or 8 pixels, else 0.
    """

    answer: Tracks
    truth: Tracks
    a: Array
    b: Array
    alike: Array
    held: Array

    @cached_property
    def near(self) -> tuple[Array, Array]:
        """The pairs at most 8 pixels apart of the best assignment: positions in answer and truth."""
        rows, columns, distances = _by_frame(self.answer, self.truth, _close)
        best = cheapest(rows, columns, distances, DEAR)
        return rows[best], columns[best]

    @cached_property
    def graph(self) -> Graph:
        """The operations of Matula et al."""
        n, m = len(self.answer), len(self.truth)
        enough = np.flatnonzero(self.held > 0.5)
        # An answer that overlaps itself may cover one true object twice: the better counts.
        enough = enough[np.lexsort((self.a[enough], -self.held[enough], self.b[enough]))]
        enough = enough[np.unique(self.b[enough], return_index=True)[1]]
        times = np.bincount(self.a[enough], minlength=n)
        stands = np.full(n, -1, np.int64)
        stands[self.a[enough]] = self.b[enough]
        stands[times > 1] = -1
        truth, kinds = _links(self.truth)
        mine, own = _links(self.answer)
        there = stands[mine]
        inside = (there >= 0).all(axis=1)
        known = {(int(u), int(v)): int(k) for (u, v), k in zip(truth, kinds, strict=True)}
        found = [(known.get((int(u), int(v))), int(k)) for (u, v), k in zip(there[inside], own[inside], strict=True)]
        right = [(k, j) for k, j in found if k is not None]
        return Graph(m, len(truth), int((times[times > 1] - 1).sum()), m - len(enough), int((times == 0).sum()),
                     len(found) - len(right), len(truth) - len(right), sum(k != j for k, j in right))


def met(prediction: Tracks | NotEvaluated, truth: Tracks) -> Met:
    """What meets in one film.

    Raises
    ------
    GeometryError
        The frames lie on different grids.
    LabelError
        The films differ in length.
    """
    nothing = isinstance(prediction, NotEvaluated)
    answer = Tracks.none(truth.geometry, truth.length) if isinstance(prediction, NotEvaluated) else prediction
    if not nothing and not answer.geometry.same_grid(truth.geometry):
        raise GeometryError("the tracks lie on another grid than the truth", got=str(answer.geometry.shape),
                            wanted=str(truth.geometry.shape))
    if answer.length != truth.length:
        raise LabelError("the films differ in length", got=f"{answer.length} frames", wanted=f"{truth.length}")
    if isinstance(answer.objects, Instances) and isinstance(truth.objects, Instances):
        return Met(answer, truth, *_by_frame(answer, truth, _masks))
    if answer.objects is not None and truth.objects is not None:
        rows, columns, alike = _by_frame(answer, truth, _boxed)
    else:
        rows, columns, distances = _by_frame(answer, truth, _close)
        alike = 1 - distances / (2 * NEAR)
    # Boxes of neighbours overlap, and points cover nothing: each has one partner at most.
    good = np.flatnonzero(alike >= 0.5)
    held = np.zeros(len(rows))
    held[good[cheapest(rows[good], columns[good], 1 - alike[good], DEAR)]] = 1.0
    return Met(answer, truth, rows, columns, alike, held)


def _by_frame(answer: Tracks, truth: Tracks, pairs: Callable[[Tracks, Tracks], tuple[Array, ...]]) -> tuple[Array, ...]:
    """The pairs of all frames, as positions in the whole film, and what else `pairs` gives of each."""
    found = []
    for t in np.intersect1d(answer.frames, truth.frames):
        i, j = (np.flatnonzero(tracks.frames == t) for tracks in (answer, truth))
        rows, columns, *values = pairs(answer.chosen(i), truth.chosen(j))
        found.append((i[rows], j[columns], *values))
    if not found:
        return (np.zeros(0, np.int64), np.zeros(0, np.int64), *(np.zeros(0) for _ in range(1 + (pairs is _masks))))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def _close(answer: Tracks, truth: Tracks) -> tuple[Array, Array, Array]:
    return pairs_within(answer.positions, truth.positions, NEAR)


def _masks(answer: Tracks, truth: Tracks) -> tuple[Array, ...]:
    a, b = answer.objects, truth.objects
    assert isinstance(a, Instances) and isinstance(b, Instances)
    both = overlaps((a.starts, a.masks), (b.starts, b.masks), truth.geometry.shape)
    return both.a, both.b, both.iou, both.pixels / both.areas_b[both.b]


def _boxed(answer: Tracks, truth: Tracks) -> tuple[Array, Array, Array]:
    a, b = answer.boxes(), truth.boxes()
    assert a is not None and b is not None
    table = iou(a.edges, b.edges)
    rows, columns = np.nonzero(table)
    return rows, columns, table[rows, columns]


def _links(tracks: Tracks) -> tuple[Array, Array]:
    """(k, 2) positions of the points that each link joins, and 0 for one of a track from frame to frame, else 1."""
    first = np.flatnonzero(tracks.numbers[1:] == tracks.numbers[:-1])
    pairs = np.stack([first, first + 1], axis=1)
    kinds = (np.diff(tracks.frames)[first] > 1).astype(np.int64)
    if not tracks.parents:
        return pairs, kinds
    child, parent = np.asarray(tracks.parents, np.int64).T
    kin = np.stack([np.searchsorted(tracks.numbers, parent, side="right") - 1,
                    np.searchsorted(tracks.numbers, child)], axis=1)
    return np.concatenate([pairs, kin]), np.concatenate([kinds, np.ones(len(kin), np.int64)])


def det(both: Met) -> float:
    """1 less the cost of mending the points by that of making all of them."""
    whole = MISSED * both.graph.points
    return 1 - min(both.graph.for_points, whole) / whole


def tra(both: Met) -> float:
    """1 less the cost of mending points and links by that of making all of them."""
    whole = MISSED * both.graph.points + ADDED * both.graph.links
    return 1 - min(both.graph.for_points + both.graph.for_links, whole) / whole


def lnk(both: Met) -> float | None:
    """1 less the cost of mending the links by that of making all of them; None where the truth has none."""
    whole = ADDED * both.graph.links
    return 1 - min(both.graph.for_links, whole) / whole if whole else None


def seg(both: Met) -> float | None:
    """Mean IoU of each true object with the answered one that covers more than half of it; None without masks."""
    if not all(isinstance(t.objects, Instances) for t in (both.answer, both.truth)):
        return None
    best = np.zeros(len(both.truth))
    enough = both.held > 0.5
    np.maximum.at(best, both.b[enough], both.alike[enough])
    return float(best.mean())


def mota(both: Met) -> float:
    """1 less missed, false and exchanged points by those of the truth: below 0 where there are more mistakes than that.

    A pair that held when its true object was last seen holds as long as they are alike enough; the others are assigned
    anew in every frame.
    """
    good = both.alike >= 0.5
    a, b, alike = both.a[good], both.b[good], both.alike[good]
    mine, true = both.answer.numbers, both.truth.numbers
    order = np.argsort(both.truth.frames[b], kind="stable")
    edges = np.flatnonzero(np.diff(both.truth.frames[b[order]])) + 1
    last: dict[int, int] = {}
    pairs = exchanged = 0
    for part in np.split(order, edges) if len(order) else ():
        kept = [int(k) for k in part if last.get(int(true[b[k]])) == int(mine[a[k]])]
        # Two true objects may have been last seen as one answered track: the first has it.
        kept = [k for i, k in enumerate(kept) if a[k] not in {a[j] for j in kept[:i]}]
        rest = part[~np.isin(a[part], a[kept]) & ~np.isin(b[part], b[kept])]
        new = rest[cheapest(a[rest], b[rest], 1 - alike[rest], DEAR)]
        exchanged += sum(int(true[b[k]]) in last and last[int(true[b[k]])] != int(mine[a[k]]) for k in new)
        last |= {int(true[b[k]]): int(mine[a[k]]) for k in new}
        pairs += len(kept) + len(new)
    n, m = len(both.answer), len(both.truth)
    return 1 - ((m - pairs) + (n - pairs) + exchanged) / m


def idf1(both: Met) -> float:
    """2 x the points that are right when each true track may be one answered track, by all points of both."""
    good = both.alike >= 0.5
    rows, columns, counts = _together(both, np.flatnonzero(good))
    most = float(counts.max(initial=0)) + 1
    best = cheapest(rows, columns, most - counts, most)
    return 2 * float(counts[best].sum()) / (len(both.answer) + len(both.truth))


def hota(both: Met) -> float:
    """Root of detection times association, mean over thresholds of likeness from 0.05 to 0.95."""
    i, j = (np.unique(t.numbers, return_inverse=True)[1] for t in (both.answer, both.truth))
    of_answer, of_truth = np.bincount(i), np.bincount(j)
    at = i[both.a] * len(of_truth) + j[both.b]
    here, place = np.unique(at, return_inverse=True)
    row, column = np.divmod(here, len(of_truth))
    sums = np.bincount(both.a, both.alike, len(i))[both.a] + np.bincount(both.b, both.alike, len(j))[both.b]
    # How well two tracks go together over the whole film decides who meets whom in a frame.
    shared = np.bincount(place, both.alike / (sums - both.alike), len(here))
    fit = shared / (of_answer[row] + of_truth[column] - shared)
    best = cheapest(both.a, both.b, 2 - fit[place] * both.alike, 2.0)
    values = []
    for alpha in ALPHAS:
        true = best[both.alike[best] >= alpha - 1e-12]
        counts = np.bincount(place[true], minlength=len(here))
        together = counts / (of_answer[row] + of_truth[column] - counts)
        association = float((counts * together).sum()) / max(1, len(true))
        values.append(np.sqrt(len(true) / (len(i) + len(j) - len(true)) * association))
    return float(np.mean(values))


def _together(both: Met, which: Array) -> tuple[Array, Array, Array]:
    """Pairs of an answered and a true track, and in how many frames of the chosen pairs of points they meet."""
    i, j = both.answer.numbers[both.a[which]], both.truth.numbers[both.b[which]]
    pairs, counts = np.unique(np.stack([i, j], axis=1).reshape(-1, 2), axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], counts.astype(float)


def f1_8px(both: Met) -> float:
    """2 x points within 8 pixels of each other by all points of both."""
    return 2 * len(both.near[0]) / (len(both.answer) + len(both.truth))


def link_recall(both: Met) -> float | None:
    """Share of true links whose two points, met within 8 pixels, are linked in the answer too; None without a link."""
    truth, _ = _links(both.truth)
    if not len(truth):
        return None
    stands = np.full(len(both.truth), -1, np.int64)
    stands[both.near[1]] = both.near[0]
    mine = {(int(u), int(v)) for u, v in _links(both.answer)[0]}
    return sum((int(u), int(v)) in mine for u, v in stands[truth]) / len(truth)


Measure = Callable[[Met], float | None]


def _row(measure: Measure) -> Callable[[Met], dict[str, Any]]:
    def row(both: Met) -> dict[str, Any]:
        n, m = len(both.answer), len(both.truth)
        value = measure(both) if n and m else float(n == m)
        return {"true": {OBJECT: m}, "values": {OBJECT: value}}

    return row


def _metric(key: str, text: str, source: str, measure: Measure, least: float | None = 0.0) -> Metric:
    return Metric(key, "", "higher", (least, 1.0), text, source, _row(measure), means, by_case=True)


GRAPH = "Matula et al., PLoS ONE 2015"
TRACK = (
    _metric("tra", "1 less the cost of mending points and links by that of making all of them, mean over films",
            GRAPH, tra),
    _metric("det", "1 less the cost of mending the points by that of making all of them, mean over films", GRAPH, det),
    _metric("seg", "mean IoU of true objects with what covers more than half of each, mean over films",
            "Maska et al., Bioinformatics 2014", seg),
    _metric("lnk", "1 less the cost of mending the links by that of making all of them, mean over films", GRAPH, lnk),
    _metric("mota", "1 less missed, false and exchanged points by true points at IoU 0.5, mean over films",
            "Bernardin and Stiefelhagen, EURASIP Journal on Image and Video Processing 2008", mota, None),
    _metric("idf1", "F1 of points when each true track may be one answered track, at IoU 0.5, mean over films",
            "Ristani et al., ECCV Workshops 2016", idf1),
    _metric("hota", "root of detection x association, mean over IoU 0.05 to 0.95 and over films",
            "Luiten et al., IJCV 2021", hota),
    _metric("f1_8px", "F1 of points within 8 pixels, mean over films", "", f1_8px),
    _metric("link_recall", "share of true links that the answer has, points within 8 pixels, mean over films", "",
            link_recall),
)
