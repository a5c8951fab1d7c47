from __future__ import annotations

import torch

from isocenter.nets.assigning import IGNORED, NOTHING, Truth, aligned, inside, matched, truths
from isocenter.nets.boxes import anchored, centres

NONE = torch.zeros(0, 2, 2)


def truth(*edges: list[list[float]], labels: list[int] | None = None, out: torch.Tensor = NONE) -> Truth:
    boxes = torch.tensor(edges) if edges else NONE
    return Truth(boxes, torch.tensor(labels or [0] * len(edges), dtype=torch.int64), out)


def test_rows_become_boxes_without_padding() -> None:
    rows = torch.tensor([[[1.0, 2, 3, 4, 1], [5, 6, 7, 8, -2], [0, 0, 0, 0, -1]], [[0.0, 0, 0, 0, -1]] * 3])
    first, second = truths(rows)
    assert first.edges.tolist() == [[[1, 2], [3, 4]]]
    assert first.labels.tolist() == [1]
    assert first.left_out.tolist() == [[[5, 6], [7, 8]]]
    assert len(second.edges) == len(second.left_out) == 0


def test_inside_needs_every_axis() -> None:
    points = torch.tensor([[2.0, 2.0], [2.0, 9.0]])
    assert inside(points, torch.tensor([[[0.0, 0.0], [4.0, 4.0]]])).tolist() == [[True, False]]


def test_anchors_answer_for_what_they_overlap() -> None:
    anchors = torch.tensor([[[0.0, 0], [10, 10]], [[0.0, 0], [10, 6]], [[0.0, 0], [10, 4.5]], [[50.0, 50], [60, 60]]])
    found = matched(anchors, truth([[0.0, 0.0], [10.0, 10.0]]), high=0.5, low=0.4)
    assert found.tolist() == [0, 0, IGNORED, NOTHING]


def test_every_box_gets_its_best_anchor_however_bad() -> None:
    anchors = anchored(centres((4, 4), (8, 8), torch.zeros(1)), torch.tensor([[8.0, 8.0]]))
    found = matched(anchors, truth([[0.0, 0.0], [3.0, 3.0]], [[20.0, 20.0], [21.0, 31.0]]), high=0.9, low=0.5)
    assert sorted(found[found >= 0].tolist()) == [0, 1]


def test_an_image_without_boxes_has_nothing_anywhere() -> None:
    anchors = anchored(centres((2, 2), (8, 8), torch.zeros(1)), torch.tensor([[8.0, 8.0]]))
    assert matched(anchors, truth(), high=0.5, low=0.5).tolist() == [NOTHING] * 4
    crowd = truth(out=torch.tensor([[[0.0, 0.0], [7.0, 7.0]]]))
    assert matched(anchors, crowd, high=0.5, low=0.5).tolist() == [IGNORED, *[NOTHING] * 3]


def answers(points: torch.Tensor, size: float) -> torch.Tensor:
    return torch.stack((points - size / 2, points + size / 2), 1)


def test_the_points_that_fit_best_answer_and_no_more_than_ten() -> None:
    points = centres((16, 16), (4, 4), torch.zeros(1))
    box = truth([[10.0, 10.0], [50.0, 50.0]], labels=[1])
    scores = torch.full((256, 2), 0.01)
    found, weight = aligned(scores, answers(points, 40.0), points, box)
    at = (found == 0).nonzero()[:, 0]
    assert len(at) == 10
    assert ((points[at] - 30).abs() < 8).all(), "the middle of the box fits best"
    assert float(weight.max()) > 0.9
    assert (weight[found != 0] == 0).all()


def test_scores_decide_between_equal_boxes() -> None:
    points = centres((16, 16), (4, 4), torch.zeros(1))
    scores = torch.full((256, 1), 0.01)
    edges = torch.tensor([[10.0, 10.0], [50.0, 50.0]]).expand(256, 2, 2)
    sure = inside(points, torch.tensor([[[10.0, 10.0], [22.0, 22.0]]]))[0]
    scores[sure] = 0.9
    found, _ = aligned(scores, edges, points, truth([[10.0, 10.0], [50.0, 50.0]]))
    assert sure[found == 0].float().mean() >= 0.9


def test_a_point_in_two_boxes_answers_for_one() -> None:
    points = centres((8, 8), (4, 4), torch.zeros(1))
    both = truth([[0.0, 0.0], [31.0, 31.0]], [[8.0, 8.0], [23.0, 23.0]])
    found, weight = aligned(torch.full((64, 1), 0.1), answers(points, 16.0), points, both)
    # Boxes of 16 px in the middle fit the small box, those that others gave it are left to the large one.
    assert set(found.tolist()) == {NOTHING, 0, 1}
    assert (weight[found >= 0] > 0).all()


def test_a_box_between_the_points_gets_the_nearest() -> None:
    points = centres((4, 4), (8, 8), torch.zeros(1))
    found, weight = aligned(torch.full((16, 1), 0.1), answers(points, 8.0), points, truth([[5.0, 5.0], [9.0, 6.5]]))
    assert found[0] == 0
    assert (found == 0).sum() == 1
    assert 0 < float(weight[0]) <= 1


def test_nothing_is_learnt_where_boxes_are_left_out() -> None:
    points = centres((4, 4), (8, 8), torch.zeros(1))
    crowd = truth(out=torch.tensor([[[0.0, 0.0], [7.0, 31.0]]]))
    found, weight = aligned(torch.full((16, 1), 0.1), answers(points, 8.0), points, crowd)
    assert found.tolist() == [IGNORED] * 4 + [NOTHING] * 12
    assert not weight.any()
