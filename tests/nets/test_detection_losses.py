from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from isocenter.nets import build
from isocenter.nets.boxes import decoded, encoded
from isocenter.nets.detection_losses import (
    DETECTION_LOSSES,
    aligned_loss,
    focal_loss,
    mined_loss,
    objectness_loss,
)
from isocenter.nets.detectors import Raw, grid_of_anchors
from isocenter.nets.yolo import Points, Version3

GRID = [(4, 4)]
PLACES = grid_of_anchors(GRID, [(8, 8)], [[[8.0, 8.0]]], torch.zeros(1))
# One box on cell 5 exactly, class 1; and padding.
BOX = [7.5, 7.5, 15.5, 15.5]
TARGETS = torch.tensor([[[*BOX, 1], [0, 0, 0, 0, -1]]])


def raw(rows: Tensor) -> Raw:
    return Raw(rows, PLACES, decoded(rows[..., :4], PLACES[:, :2]))


def logits(*values: float, wrong: float = -20.0) -> Tensor:
    """Rows that move no anchor; the cell of the box answers `values`, all others `wrong`."""
    rows = torch.zeros(1, 16, 4 + len(values))
    rows[..., 4:] = wrong
    rows[0, 5, 4:] = torch.tensor(values)
    return rows


def test_focal_loss_by_hand() -> None:
    assert float(focal_loss(raw(logits(-20.0, 20.0)), TARGETS)) == pytest.approx(0.0, abs=1e-6)
    half = float(focal_loss(raw(logits(-20.0, 0.0)), TARGETS))
    assert half == pytest.approx(0.25 * 0.25 * math.log(2), rel=1e-4)
    other = float(focal_loss(raw(logits(0.0, 20.0)), TARGETS))
    assert other == pytest.approx(0.75 * 0.25 * math.log(2), rel=1e-4)


def test_moves_count_where_an_anchor_answers() -> None:
    rows = logits(-20.0, 20.0)
    rows[0, 0, 0] = 9.0
    assert float(focal_loss(raw(rows), TARGETS)) == pytest.approx(0.0, abs=1e-6)
    rows[0, 5, 0] = 1.0
    # Smooth L1 beyond the bend: |x| - bend / 2.
    assert float(focal_loss(raw(rows), TARGETS)) == pytest.approx(1 - 1 / 18, rel=1e-4)
    moved = TARGETS.clone()
    moved[0, 0, [0, 2]] += 2.0
    right = logits(-20.0, 20.0)
    right[0, 5, :4] = encoded(torch.tensor(BOX).reshape(2, 2) + torch.tensor([[2.0, 0.0]]), PLACES[5, :2])
    assert float(focal_loss(raw(right), moved)) == pytest.approx(0.0, abs=1e-5)


def test_mining_looks_at_the_three_worst() -> None:
    rows = torch.zeros(1, 16, 7)
    rows[..., 4] = 20.0
    rows[0, 5, 4:] = torch.tensor([-20.0, -20.0, 20.0])
    assert float(mined_loss(raw(rows), TARGETS)) == pytest.approx(0.0, abs=1e-5)
    # Four background places of which each is wrong by log 3: the worst three count.
    rows[0, 10:14, 4] = 0.0
    assert float(mined_loss(raw(rows), TARGETS)) == pytest.approx(3 * math.log(3), rel=1e-3)


def test_objectness_is_not_asked_of_boxes_that_fit() -> None:
    rows = torch.zeros(1, 16, 7)
    rows[..., 4] = -20.0
    rows[0, 5, 4:] = torch.tensor([20.0, -20.0, 20.0])
    assert float(objectness_loss(raw(rows), TARGETS)) == pytest.approx(0.0, abs=1e-5)
    rows[0, 6, 4] = 20.0
    far = float(objectness_loss(raw(rows), TARGETS))
    assert far == pytest.approx(20.0, rel=1e-3)
    # The same place with a box on the true one is left in peace.
    edges = decoded(rows[..., :4], PLACES[:, :2]).clone()
    edges[0, 6] = torch.tensor(BOX).reshape(2, 2)
    assert float(objectness_loss(Raw(rows, PLACES, edges), TARGETS)) == pytest.approx(0.0, abs=1e-5)


def test_aligned_loss_falls_to_the_entropy_of_its_aims() -> None:
    points = torch.stack((PLACES[:, :2].mean(1), PLACES[:, 2]), 1)
    edges = torch.tensor(BOX).reshape(2, 2).expand(1, 16, 2, 2)
    good, bad = logits(-20.0, 20.0), logits(20.0, -20.0)
    fits = float(aligned_loss(Raw(good, points, edges), TARGETS))
    assert fits == pytest.approx(0.0, abs=1e-4)
    assert float(aligned_loss(Raw(bad, points, edges), TARGETS)) > 30
    off = edges + torch.tensor([[3.0, 0.0], [3.0, 0.0]])
    assert float(aligned_loss(Raw(good, points, off), TARGETS)) > fits + 0.5


@pytest.mark.parametrize("name", ["focal", "mined", "objectness"])
def test_boxes_left_out_cost_nothing(name: str) -> None:
    rows = torch.zeros(1, 16, 6 if name == "focal" else 7)
    rows[..., 4:] = 20.0 if name == "mined" else -20.0
    if name == "mined":
        rows[..., 5:] = 0.0
    rows[0, 5, 4:] = torch.tensor([0.0, 20.0] if name == "focal" else [0.0, 0.0, 20.0])
    nothing = torch.tensor([[[0.0, 0, 0, 0, -1]]])
    crowd = torch.tensor([[[*BOX, -2.0]]])
    with_it, without = (float(DETECTION_LOSSES[name](raw(rows), t)) for t in (crowd, nothing))
    assert with_it < 1e-4 < without


@pytest.mark.parametrize("name", sorted(DETECTION_LOSSES))
def test_an_image_without_boxes_teaches_and_stays_finite(name: str) -> None:
    rows = torch.randn(2, 16, 7, requires_grad=True)
    places = torch.stack((PLACES[:, :2].mean(1), PLACES[:, 2]), 1) if name == "aligned" else PLACES
    edges = decoded(rows[..., :4], PLACES[:, :2])
    value = DETECTION_LOSSES[name](Raw(rows, places, edges), torch.tensor([[[0.0, 0, 0, 0, -1]]] * 2))
    value.backward()
    assert torch.isfinite(value)
    assert float(rows.grad[..., 4:].abs().sum()) > 0


@pytest.mark.parametrize(
    ("spec", "loss"),
    [
        ({"name": "yolo", "levels": 2}, aligned_loss),
        ({"name": "yolov3", "anchors": [[[9, 9]], [[20, 20]]]}, objectness_loss),
        ({"name": "retinanet", "anchors": [[[9, 9]], [[20, 20]]]}, focal_loss),
        ({"name": "ssd", "anchors": [[[9, 9]], [[20, 20]]]}, mined_loss),
    ],
)
def test_every_network_learns_one_picture_by_heart(spec: dict[str, object], loss) -> None:
    net = build({"rank": 2, "channels": 1, "outputs": 2, "width": 6, "strides": [[2, 2]] * 3, "seed": 0} | spec).train()
    image = torch.zeros(2, 1, 32, 32)
    image[:, :, 4:14, 6:15] = 1.0
    image[:, :, 12:31, 12:31] += 2.0
    targets = torch.tensor([[[3.5, 5.5, 13.5, 14.5, 0], [11.5, 11.5, 30.5, 30.5, 1]]] * 2)
    optimiser = torch.optim.AdamW(net.parameters(), 0.01)
    for _ in range(25):
        value = loss(net(image), targets)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    with torch.no_grad():
        raw = net(image)
        scores = net.probabilities(raw.rows)
    for c, box in enumerate(targets[0, :, :4]):
        place = int(scores[0, :, c].argmax())
        assert float(scores[0, place, c]) > 0.3
        assert (raw.edges[0, place].flatten() - box).abs().max() < 5


def test_classes_of_decoders_fit_their_losses() -> None:
    assert issubclass(Points, torch.nn.Module)
    assert issubclass(Version3, torch.nn.Module)
    assert set(DETECTION_LOSSES) == {"aligned", "focal", "mined", "objectness"}
