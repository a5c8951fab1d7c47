from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.nets.boxes import anchored, area, centres, decoded, distance_iou, encoded, iou, middle
from isocenter.ops import boxes as ours


def boxes(n: int, rank: int, seed: int = 0) -> torch.Tensor:
    low = torch.rand(n, rank, generator=torch.Generator().manual_seed(seed)) * 20
    return torch.stack((low, low + 2 + torch.rand(n, rank, generator=torch.Generator().manual_seed(seed + 1)) * 9), 1)


def test_centres_of_cells_in_array_order() -> None:
    found = centres((2, 3), (8, 4), torch.zeros(1))
    # Cell 0 covers pixels 0..7 on the first axis: its centre is 3.5.
    assert found.tolist() == [[3.5, 1.5], [3.5, 5.5], [3.5, 9.5], [11.5, 1.5], [11.5, 5.5], [11.5, 9.5]]


def test_anchors_stand_about_their_points() -> None:
    found = anchored(torch.tensor([[5.0, 6.0], [9.0, 6.0]]), torch.tensor([[2.0, 4.0], [6.0, 6.0]]))
    assert found.tolist()[0] == [[4.0, 4.0], [6.0, 8.0]]
    assert found.tolist()[3] == [[6.0, 3.0], [12.0, 9.0]]
    assert found.shape == (4, 2, 2)


@pytest.mark.parametrize("rank", [2, 3])
def test_what_is_encoded_comes_back(rank: int) -> None:
    a, b = boxes(50, rank), boxes(50, rank, 7)
    assert torch.allclose(decoded(encoded(b, a), a), b, atol=1e-3)
    assert torch.allclose(encoded(a, a), torch.zeros(50, 2 * rank), atol=1e-6)


def test_a_wild_number_gives_a_finite_box() -> None:
    wild = torch.full((1, 4), 1e6)
    assert torch.isfinite(decoded(wild, boxes(1, 2))).all()


@pytest.mark.parametrize("rank", [2, 3])
def test_overlap_is_that_of_the_numpy_boxes(rank: int) -> None:
    a, b = boxes(20, rank), boxes(30, rank, 3)
    mine = iou(a[:, None], b[None]).numpy()
    assert np.allclose(mine, ours.iou(a.numpy().astype(float), b.numpy().astype(float)), atol=1e-5)
    assert np.allclose(area(a).numpy(), ours.area(a.numpy()), rtol=1e-5)
    assert (mine > 0).any()


def test_boxes_the_wrong_way_round_have_no_area() -> None:
    flat = torch.tensor([[[4.0, 4.0], [2.0, 9.0]]])
    assert float(area(flat)) == 0.0
    assert float(iou(flat, flat)) == 0.0


def test_distance_iou_by_hand() -> None:
    a = torch.tensor([[0.0, 0.0], [2.0, 2.0]])
    b = torch.tensor([[0.0, 2.0], [2.0, 4.0]])
    # They touch: IoU 0; centres 2 apart; the hull is 2 x 4, its squared diagonal 20.
    assert float(distance_iou(a, b)) == pytest.approx(1 + 4 / 20)
    assert float(distance_iou(a, a)) == pytest.approx(0.0, abs=1e-6)


def test_it_pulls_boxes_together_that_do_not_touch() -> None:
    moved = torch.tensor([[20.0, 20.0], [24.0, 24.0]], requires_grad=True)
    distance_iou(moved, torch.tensor([[0.0, 0.0], [4.0, 4.0]])).backward()
    assert (moved.grad.sum(0) > 0).all()


def test_middle() -> None:
    centre, size = middle(torch.tensor([[1.0, 2.0], [5.0, 10.0]]))
    assert centre.tolist() == [3.0, 6.0]
    assert size.tolist() == [4.0, 8.0]
