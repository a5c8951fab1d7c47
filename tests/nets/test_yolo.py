from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets import build
from isocenter.nets.detectors import Raw
from isocenter.nets.yolo import Points, Version3

POINTS = {"name": "yolo", "rank": 2, "channels": 1, "outputs": 2, "width": 4, "strides": [[2, 2]] * 4, "levels": 2}
V3 = {k: v for k, v in POINTS.items() if k != "levels"} | {
    "name": "yolov3", "anchors": [[[10, 12], [16, 16]], [[40, 30], [60, 60]]]
}  # fmt: skip


@pytest.mark.parametrize("rank", [2, 3])
def test_a_box_a_cell_of_every_level(rank: int) -> None:
    net = build(POINTS | {"rank": rank, "strides": [[2] * rank] * 3, "seed": 0})
    out = net(torch.zeros(2, 1, *(16,) * rank))
    assert out.shape == (2, 4**rank + 2**rank, 2 * rank + 2)
    edges = out[..., : 2 * rank]
    assert (edges[..., rank:] > edges[..., :rank]).all()
    assert ((out[..., 2 * rank :] >= 0) & (out[..., 2 * rank :] < 0.1)).all(), "next to nothing is found at first"


def test_distances_are_counted_in_strides() -> None:
    net = Points(2, 1, 1, width=2, strides=[(2, 2)] * 3, levels=1)
    places = torch.tensor([[[3.5, 11.5], [8.0, 8.0]]])
    # softplus(20) is 20: 40 strides below; softplus(-40) is 0.
    rows = torch.tensor([[[20.0, -40.0, -40.0, 20.0, 0.0]]])
    edges = net.edges(rows, places)[0, 0]
    assert torch.allclose(edges, torch.tensor([[3.5 - 320, 11.5], [3.5, 11.5 + 320]]), atol=1e-3)
    assert net.probabilities(rows).tolist() == [[[0.5]]]


def test_places_are_cell_centres_with_their_stride() -> None:
    net = Points(2, 1, 1, width=2, strides=[(2, 2)] * 3, levels=2)
    places = net.places([(2, 2), (1, 1)], torch.zeros(1))
    assert places[0].tolist() == [[1.5, 1.5], [4, 4]]
    assert places[-1].tolist() == [[3.5, 3.5], [8, 8]]


def test_version_3_has_its_anchors_at_every_cell() -> None:
    net = build(V3 | {"seed": 0})
    out = net(torch.zeros(1, 1, 32, 32))
    assert out.shape == (1, 2 * (4 * 4 + 2 * 2), 4 + 2)
    sizes = out[0, :, 2:4] - out[0, :, :2]
    # The untrained network answers about its anchors, roughly.
    assert torch.allclose(sizes[0], torch.tensor([10.0, 12.0]), rtol=0.3)
    assert torch.allclose(sizes[-1], torch.tensor([60.0, 60.0]), rtol=0.3)


def test_version_3_moves_within_its_cell_alone() -> None:
    net = Version3(2, 1, 2, anchors=[[[10, 10]]], width=2, strides=[(2, 2)] * 3)
    places = torch.tensor([[[-1.5, -1.5], [8.5, 8.5], [8.0, 8.0]]])
    far = net.edges(torch.tensor([[[50.0, -50.0, 0.0, 0.0, 0, 0, 0]]]), places)[0, 0]
    assert torch.allclose(far.mean(0), torch.tensor([7.5, -0.5])), "from -0.5 to 7.5: the edges of cell 0"
    double = net.edges(torch.tensor([[[0.0, 0, 0.6931472, 0, 0, 0, 0]]]), places)[0, 0]
    assert torch.allclose(double[1] - double[0], torch.tensor([20.0, 10.0]))


def test_version_3_multiplies_objectness_and_class() -> None:
    net = Version3(2, 1, 2, anchors=[[[10, 10]]], width=2, strides=[(2, 2)] * 3)
    rows = torch.tensor([[[0.0, 0, 0, 0, 0, 0, 100]]])
    assert net.probabilities(rows).tolist() == [[[0.25, 0.5]]]


@pytest.mark.parametrize("spec", [POINTS, V3])
def test_training_gives_rows_that_learn(spec: dict[str, object]) -> None:
    net = build(spec | {"seed": 1}).train()
    raw = net(torch.randn(2, 1, 32, 32))
    assert isinstance(raw, Raw)
    raw.rows.sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(RecipeError, match="no such argument"):
        build(POINTS | {"anchors": [[[1, 1]]]})
