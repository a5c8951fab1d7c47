from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from isocenter.nets.boxes import centres
from isocenter.nets.detectors import PRIOR, Detector, Raw, grid_of_anchors, strided, unlikely


class Bright(Detector):
    """Says where the pixels are bright: boxes of one cell."""

    def __init__(self) -> None:
        super().__init__(2, 1, [(4, 4), (8, 8)], numbers=3)

    def features(self, x: Tensor) -> list[Tensor]:
        out = []
        for step, _ in self.levels:
            mean = nn.functional.avg_pool2d(x, step)
            out.append(torch.cat((torch.zeros_like(mean), torch.zeros_like(mean), mean), 1))
        return out

    def places(self, grids: Sequence[Sequence[int]], like: Tensor) -> Tensor:
        parts = [
            torch.stack((centres(g, s, like), torch.tensor(s).expand(g[0] * g[1], 2)), 1)
            for g, s in zip(grids, self.levels, strict=True)
        ]
        return torch.cat(parts)

    def edges(self, rows: Tensor, places: Tensor) -> Tensor:
        half = places[:, 1] / 2
        return torch.stack((places[:, 0] - half, places[:, 0] + half), 1).expand(len(rows), -1, -1, -1)

    def probabilities(self, rows: Tensor) -> Tensor:
        return rows[..., 2:].sigmoid()


def test_rows_of_all_levels_stand_at_their_places() -> None:
    image = torch.zeros(2, 1, 16, 24)
    image[1, 0, 4:8, 12:16] = 9.0
    net = Bright()
    raw = net.train()(image)
    assert isinstance(raw, Raw)
    assert raw.rows.shape == (2, 4 * 6 + 2 * 3, 3)
    place = int(raw.rows[1, :, 2].argmax())
    assert raw.places[place].tolist() == [[5.5, 13.5], [4.0, 4.0]]
    assert raw.edges[1, place].tolist() == [[3.5, 11.5], [7.5, 15.5]]
    answer = net.eval()(image)
    assert answer.shape == (2, 30, 5)
    assert answer[1, place, :4].tolist() == [3.5, 11.5, 7.5, 15.5]
    assert float(answer[1, place, 4]) > 0.99
    assert float(answer[0, :, 4].max()) == 0.5


def test_strides_multiply() -> None:
    assert strided([(1, 2), (2, 2), (2, 2)]) == [(1, 2), (2, 4), (4, 8)]


def test_anchors_of_every_cell_level_after_level() -> None:
    found = grid_of_anchors([(1, 2), (1, 1)], [(4, 4), (8, 8)], [[[4, 4], [2, 6]], [[8, 8]]], torch.zeros(1))
    assert found.shape == (5, 3, 2)
    assert found[0].tolist() == [[-0.5, -0.5], [3.5, 3.5], [4, 4]]
    assert found[1].tolist() == [[0.5, -1.5], [2.5, 4.5], [4, 4]]
    assert found[4].tolist() == [[-0.5, -0.5], [7.5, 7.5], [8, 8]]


def test_an_untrained_network_finds_next_to_nothing() -> None:
    layer = nn.Conv2d(2, 4, 1)
    before = layer.bias.detach().clone()
    unlikely(layer, [1, 3])
    assert torch.sigmoid(layer.bias[[1, 3]]).tolist() == pytest.approx([PRIOR, PRIOR])
    assert torch.equal(layer.bias[[0, 2]], before[[0, 2]])


def test_what_a_detector_must_bring() -> None:
    bare = Detector(2, 1, [(4, 4)], numbers=3)
    for call in (
        lambda: bare.features(torch.zeros(1)),
        lambda: bare.places([], torch.zeros(1)),
        lambda: bare.edges(torch.zeros(1), torch.zeros(1)),
        lambda: bare.probabilities(torch.zeros(1)),
    ):
        with pytest.raises(NotImplementedError):
            call()
