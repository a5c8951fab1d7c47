from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.boxes import clip, iou, nms
from isocenter.ops.proposals import (
    BACKGROUND,
    UNSURE,
    chosen,
    detected,
    first_of,
    grid,
    matched,
    moved,
    propose,
    steps,
)


def boxes(rng, n, *, within=60.0, axes=2):
    low = rng.uniform(0, within, (n, axes))
    return np.stack([low, low + rng.uniform(2, 25, (n, axes))], 1)


def test_a_grid_is_centred_on_its_cells_with_the_sizes_running_fastest():
    out = grid((2, 3), 4, [(4, 4), (2, 6)])
    assert out.shape == (12, 2, 2)
    # The first cell covers pixels 0..3.
    assert out[0].tolist() == [[-0.5, -0.5], [3.5, 3.5]]
    assert out[1].tolist() == [[0.5, -1.5], [2.5, 4.5]]
    assert out.mean(1)[::2].tolist() == [[1.5, 1.5], [1.5, 5.5], [1.5, 9.5], [5.5, 1.5], [5.5, 5.5], [5.5, 9.5]]
    assert grid((2, 2, 2), 2, [(1, 1, 1)]).shape == (8, 2, 3)


@pytest.mark.parametrize("spread", [(1.0, 1.0), (0.1, 0.2)])
def test_steps_lead_there_and_back(spread, rng):
    start, edges = boxes(rng, 50), boxes(rng, 50)
    assert np.allclose(moved(start, steps(edges, start, spread), spread), edges)
    assert np.allclose(steps(start, start, spread), 0)


def test_the_steps_of_the_paper():
    start, edges = np.array([[[0.0, 0.0], [10.0, 20.0]]]), np.array([[[5.0, 0.0], [25.0, 20.0]]])
    assert np.allclose(steps(edges, start)[0], [[1.0, 0.0], [np.log(2), 0.0]])


def test_a_wild_guess_stays_finite():
    out = moved(np.array([[[0.0, 0.0], [1.0, 1.0]]]), np.full((1, 2, 2), 1e4))
    assert np.isfinite(out).all()


def test_boxes_stand_for_what_they_overlap_enough():
    truth = np.array([[[0.0, 0.0], [10.0, 10.0]], [[50.0, 50.0], [60.0, 60.0]]])
    edges = np.array(
        [[[0.0, 0.0], [10.0, 8.0]], [[0.0, 0.0], [10.0, 4.5]], [[0.0, 0.0], [10.0, 2.0]], [[55.0, 55.0], [70.0, 70.0]]]
    )
    assert matched(edges, truth, low=0.3, high=0.6).tolist() == [0, UNSURE, BACKGROUND, BACKGROUND]
    # The second truth would be lost; the box that overlaps it most stands for it.
    assert matched(edges, truth, low=0.3, high=0.6, rescue=True).tolist() == [0, UNSURE, BACKGROUND, 1]


def test_every_truth_that_is_touched_has_a_box(rng):
    truth, edges = boxes(rng, 20), boxes(rng, 300)
    out = matched(edges, truth, low=0.3, high=0.7, rescue=True)
    overlap = iou(edges, truth)
    best = overlap.argmax(0)
    assert set(out[best]) >= {int(out[b]) for b in best} and (out[best] >= 0).all()
    sure = out[overlap.max(1) >= 0.7]
    assert (sure >= 0).all()
    assert (overlap.max(1)[out == BACKGROUND] < 0.3).all()


def test_without_truth_all_is_background():
    edges = np.zeros((3, 2, 2))
    assert matched(edges, np.zeros((0, 2, 2)), low=0.3, high=0.7, rescue=True).tolist() == [BACKGROUND] * 3
    assert matched(edges[:0], np.zeros((2, 2, 2)), low=0.3, high=0.7).shape == (0,)


def test_some_of_each_are_drawn():
    stands = np.array([0, BACKGROUND, 1, UNSURE, BACKGROUND, 2, BACKGROUND])
    draw = np.array([0.9, 0.8, 0.1, 0.0, 0.2, 0.3, 0.5])
    assert chosen(stands, draw, count=4, share=0.5).tolist() == [2, 5, 4, 6]
    # Background fills what objects leave, and nothing else is taken.
    assert chosen(stands, draw, count=20, share=1.0).tolist() == [2, 5, 0, 4, 6, 1]
    assert chosen(stands[:0], draw[:0], count=4, share=0.5).shape == (0,)


@pytest.mark.parametrize("axes", [2, 3])
def test_the_kernel_keeps_what_plain_suppression_keeps(axes, rng):
    for limit in (0.1, 0.5, 0.9):
        edges = boxes(rng, 200, within=30.0, axes=axes)
        labels = rng.integers(0, 3, 200)
        plain = nms(edges, -np.arange(200.0), labels, limit=limit)
        assert first_of(edges, labels, limit, 200).tolist() == plain.tolist()
        assert first_of(edges, labels, limit, 7).tolist() == plain[:7].tolist()
    assert first_of(edges[:0], labels[:0], 0.5, 5).shape == (0,)


def test_proposals_are_the_surest_moved_clipped_and_once_each(rng):
    shape, anchors = (64, 48), grid((16, 12), 4, [(8, 8), (16, 16)])
    scores, by = rng.normal(size=len(anchors)), rng.normal(size=(len(anchors), 2, 2)) * 0.3
    levels = np.repeat([0, 1], len(anchors) // 2)
    out = propose(scores, by, anchors, levels, shape=shape, counts=(60, 30))
    assert 0 < len(out) <= 30 and np.array_equal(out, clip(out, shape))
    # The same by plain means.
    top = np.concatenate([np.flatnonzero(levels == k)[np.argsort(-scores[levels == k])[:60]] for k in (0, 1)])
    edges = clip(moved(anchors[top], by[top]), shape)
    whole = ((edges[:, 1] - edges[:, 0]) >= 1).all(1)
    edges, top = edges[whole], top[whole]
    kept = nms(edges, scores[top], levels[top], limit=0.7)[:30]
    assert np.allclose(out, edges[kept])


def test_objects_are_sure_enough_and_once_each():
    edges = np.array([[[0.0, 0.0], [10.0, 10.0]], [[0.0, 0.0], [10.0, 9.0]], [[30.0, 30.0], [40.0, 40.0]]])
    scores = np.array([[0.9, 0.2], [0.8, 0.6], [0.1, 0.55]])
    found, sure, labels = detected(edges, scores, least=0.5, limit=0.5, most=10)
    assert sure.tolist() == [0.9, 0.6, 0.55] and labels.tolist() == [0, 1, 1]
    assert np.array_equal(found, edges[[0, 1, 2]])
    assert len(detected(edges, scores, least=0.5, limit=0.5, most=1)[0]) == 1
    assert len(detected(edges, scores, least=0.95, limit=0.5, most=9)[0]) == 0
