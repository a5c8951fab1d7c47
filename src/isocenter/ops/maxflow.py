"""The cheapest division of a grid into two sides: maximum flow on an implicit grid of 4 or 6 neighbours.

Source: Boykov, Kolmogorov, An experimental comparison of min-cut/max-flow algorithms for energy minimization in
vision, IEEE Trans. PAMI 26 (2004) 1124: two search trees, of the source and of the sink, that grow until they meet, are
cut by the flow, and adopt their orphans.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.kernel import kernel

FREE, SOURCE, SINK = 0, 1, 2
# Where the way to a terminal goes: over a neighbour (its direction), straight, nowhere at the moment.
STRAIGHT, ORPHAN = 6, 7
FAR = 1 << 30
# Places in `Net.at`: of the active nodes the first and how many, of the orphans likewise, and the clock.
FIRST, WAITING, FIRST_ORPHAN, ORPHANS, CLOCK = range(5)
# The greatest capacity: twice it, and the flow of a whole image, still fit their integers.
LARGEST = 1 << 29


class Net(NamedTuple):
    """A grid with a frame of one pixel, flat, and the two trees on it.

    Direction 2a leads to the next pixel along axis a, 2a + 1 to the one before; d ^ 1 is the way back.
    """

    residual: Array
    terminal: Array
    steps: Array
    tree: Array
    parent: Array
    stamp: Array
    depth: Array
    active: Array
    queued: Array
    orphans: Array
    at: Array


def min_cut(source: Array, sink: Array, weights: Sequence[Array]) -> tuple[Array, int]:
    """The division of a grid that costs least.

    A pixel on the sink's side pays its `source`, one on the source's side its `sink`, and neighbours on different sides
    the weight between them.

    Parameters
    ----------
    source, sink
        int32 (*grid), 0 to 2**29: capacities from the source and to the sink.
    weights
        Per axis int32 (*grid), 0 to 2**29: between a pixel and the next one along the axis; the last ones do not count.

    Returns
    -------
    mask
        Boolean (*grid): the source's side, the smallest of all that cost as little.
    cost
        Of the division: the maximum flow.

    >>> weights = [np.zeros((1, 3), int), np.array([[5, 2, 0]])]
    >>> mask, cost = min_cut(np.array([[9, 9, 0]]), np.array([[0, 0, 9]]), weights)
    >>> mask.tolist(), cost
    ([[True, True, False]], 2)
    """
    net, shape = _net(np.asarray(source), np.asarray(sink), [np.asarray(w) for w in weights])
    flow = int(np.minimum(source, sink).sum(dtype=np.int64)) + int(_solve(net))
    inner = tuple(slice(1, -1) for _ in shape)
    return np.asarray(net.tree.reshape(shape)[inner] == SOURCE), flow


def cost_of(mask: Array, source: Array, sink: Array, weights: Sequence[Array]) -> int:
    """What a division costs; as `min_cut`."""
    total = int(np.where(mask, sink, source).sum(dtype=np.int64))
    for axis, weight in enumerate(weights):
        along = np.moveaxis(mask, axis, 0)
        total += int(np.moveaxis(weight, axis, 0)[:-1][along[:-1] != along[1:]].sum(dtype=np.int64))
    return total


def _net(source: Array, sink: Array, weights: list[Array]) -> tuple[Net, tuple[int, ...]]:
    shape = tuple(s + 2 for s in source.shape)
    inner = tuple(slice(1, -1) for _ in shape)
    residual = np.zeros((*shape, 2 * len(shape)), np.int32)
    for axis, weight in enumerate(weights):
        cut = np.moveaxis(np.moveaxis(weight, axis, 0)[:-1], 0, axis)
        for way, span in ((2 * axis, slice(1, -2)), (2 * axis + 1, slice(2, -1))):
            at = tuple(span if a == axis else slice(1, -1) for a in range(len(shape)))
            residual[..., way][at] = cut
    terminal = np.zeros(shape, np.int32)
    terminal[inner] = source.astype(np.int32) - sink.astype(np.int32)
    n = terminal.size
    strides = [int(np.prod(shape[a + 1 :])) for a in range(len(shape))]
    steps = np.array([s * sign for s in strides for sign in (1, -1)], np.int64)
    net = Net(
        residual.reshape(n, -1),
        terminal.ravel(),
        steps,
        tree=np.zeros(n, np.int8),
        parent=np.full(n, ORPHAN, np.int8),
        stamp=np.zeros(n, np.int32),
        depth=np.zeros(n, np.int32),
        active=np.zeros(n, np.int32),
        queued=np.zeros(n, np.bool_),
        orphans=np.zeros(n, np.int32),
        at=np.zeros(5, np.int64),
    )
    return net, shape


@kernel
def _solve(net: Net) -> int:
    for node in range(net.terminal.size):
        if net.terminal[node] != 0:
            net.tree[node] = SOURCE if net.terminal[node] > 0 else SINK
            net.parent[node] = STRAIGHT
            net.depth[node] = 1
            _activate(net, node)
    flow = 0
    while net.at[WAITING] > 0:
        node = net.active[net.at[FIRST]]
        net.at[FIRST] = (net.at[FIRST] + 1) % net.active.size
        net.at[WAITING] -= 1
        net.queued[node] = False
        while net.tree[node] != FREE:
            way = _grow(net, node)
            if way < 0:
                break
            flow += _augment(net, node, way)
            net.at[CLOCK] += 1
            while net.at[ORPHANS] > 0:
                orphan = net.orphans[net.at[FIRST_ORPHAN]]
                net.at[FIRST_ORPHAN] = (net.at[FIRST_ORPHAN] + 1) % net.orphans.size
                net.at[ORPHANS] -= 1
                _adopt(net, orphan)
    return flow


@kernel
def _activate(net: Net, node: int) -> None:
    if not net.queued[node]:
        net.queued[node] = True
        net.active[(net.at[FIRST] + net.at[WAITING]) % net.active.size] = node
        net.at[WAITING] += 1


@kernel
def _orphaned(net: Net, node: int) -> None:
    net.parent[node] = ORPHAN
    net.orphans[(net.at[FIRST_ORPHAN] + net.at[ORPHANS]) % net.orphans.size] = node
    net.at[ORPHANS] += 1


@kernel
def _grow(net: Net, node: int) -> int:
    """Takes the free neighbours of a node into its tree; the direction in which it meets the other tree, else -1."""
    side = net.tree[node]
    for way in range(net.steps.size):
        other = node + net.steps[way]
        room = net.residual[node, way] if side == SOURCE else net.residual[other, way ^ 1]
        if room <= 0:
            continue
        if net.tree[other] == FREE:
            net.tree[other] = side
            _activate(net, other)
        elif net.tree[other] != side:
            return way
        elif net.stamp[other] > net.stamp[node] or net.depth[other] <= net.depth[node]:
            continue
        # New in the tree, or nearer to the terminal this way.
        net.parent[other] = way ^ 1
        net.stamp[other] = net.stamp[node]
        net.depth[other] = net.depth[node] + 1
    return -1


@kernel
def _augment(net: Net, node: int, way: int) -> int:
    """Sends what the path through one edge between the trees can carry."""
    if net.tree[node] == SINK:
        node, way = node + net.steps[way], way ^ 1
    other = node + net.steps[way]
    least = net.residual[node, way]
    i = node
    while net.parent[i] != STRAIGHT:
        up = net.parent[i]
        i += net.steps[up]
        least = min(least, net.residual[i, up ^ 1])
    least = min(least, net.terminal[i])
    i = other
    while net.parent[i] != STRAIGHT:
        up = net.parent[i]
        least = min(least, net.residual[i, up])
        i += net.steps[up]
    least = min(least, -net.terminal[i])
    net.residual[node, way] -= least
    net.residual[other, way ^ 1] += least
    _drained(net, node, least, 1)
    _drained(net, other, least, -1)
    return int(least)


@kernel
def _drained(net: Net, i: int, least: int, sign: int) -> None:
    """Takes the flow from the edges between a node and its terminal; what they no longer reach is orphaned."""
    while net.parent[i] != STRAIGHT:
        up = net.parent[i]
        j = i + net.steps[up]
        if sign > 0:
            net.residual[j, up ^ 1] -= least
            net.residual[i, up] += least
            left = net.residual[j, up ^ 1]
        else:
            net.residual[i, up] -= least
            net.residual[j, up ^ 1] += least
            left = net.residual[i, up]
        if left == 0:
            _orphaned(net, i)
        i = j
    net.terminal[i] -= sign * least
    if net.terminal[i] == 0:
        _orphaned(net, i)


@kernel
def _origin(net: Net, node: int) -> int:
    """Steps from a node to its terminal, FAR where the way is broken; remembers them for this tick of the clock."""
    clock, steps = net.at[CLOCK], 0
    i = node
    while True:
        if net.stamp[i] == clock:
            steps += net.depth[i]
            break
        steps += 1
        if net.parent[i] == STRAIGHT:
            net.stamp[i] = clock
            net.depth[i] = 1
            break
        if net.parent[i] == ORPHAN:
            return FAR
        i += net.steps[net.parent[i]]
    found = steps
    i = node
    while net.stamp[i] != clock:
        net.stamp[i] = clock
        net.depth[i] = steps
        steps -= 1
        i += net.steps[net.parent[i]]
    return found


@kernel
def _adopt(net: Net, node: int) -> None:
    """Finds an orphan another way to its terminal, the shortest; else sets it free, and its children are orphans."""
    side = net.tree[node]
    best, nearest = -1, FAR
    for way in range(net.steps.size):
        other = node + net.steps[way]
        room = net.residual[other, way ^ 1] if side == SOURCE else net.residual[node, way]
        if room > 0 and net.tree[other] == side:
            steps = _origin(net, other)
            if steps < nearest:
                best, nearest = way, steps
    if best >= 0:
        net.parent[node] = best
        net.stamp[node] = net.at[CLOCK]
        net.depth[node] = nearest + 1
        return
    net.tree[node] = FREE
    for way in range(net.steps.size):
        other = node + net.steps[way]
        if net.tree[other] != side:
            continue
        room = net.residual[other, way ^ 1] if side == SOURCE else net.residual[node, way]
        if room > 0:
            _activate(net, other)
        if net.parent[other] == way ^ 1:
            _orphaned(net, other)
