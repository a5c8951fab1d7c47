from __future__ import annotations

import pytest
import torch

from isocenter.nets import build

SPEC = {"name": "retinanet", "channels": 1, "outputs": 3, "width": 4}


def spec(rank: int) -> dict[str, object]:
    anchors = [[[8.0] * rank, [12.0] * rank], [[20.0] * rank, [30.0] * rank]]
    return SPEC | {"rank": rank, "strides": [[2] * rank] * 3, "anchors": anchors, "seed": 0}


@pytest.mark.parametrize("rank", [2, 3])
def test_two_anchors_a_cell_in_two_and_three_axes(rank: int) -> None:
    net = build(spec(rank))
    out = net(torch.zeros(2, 1, *(16,) * rank))
    assert out.shape == (2, 2 * (4**rank + 2**rank), 2 * rank + 3)
    sizes = out[0, :, rank : 2 * rank] - out[0, :, :rank]
    assert torch.allclose(sizes[1], torch.full((rank,), 12.0), rtol=0.2)
    assert torch.allclose(sizes[-2], torch.full((rank,), 20.0), rtol=0.2)
    assert (out[..., 2 * rank :] < 0.1).all()


def test_numbers_of_one_anchor_stand_side_by_side() -> None:
    net = build(spec(2))
    with torch.no_grad():
        # The second anchor's third class, and nothing else, is sure.
        net.score.weight.zero_()
        net.score.bias.fill_(-9.0)
        net.score.bias[5] = 9.0
    with torch.no_grad():
        out = net(torch.zeros(1, 1, 16, 16))[0, :, 4:]
    assert (out[1::2, 2] > 0.99).all()
    assert float(out[::2].max()) < 0.01
    assert float(out[1::2, :2].max()) < 0.01


def test_levels_share_their_branches() -> None:
    one = build(spec(2) | {"strides": [[2, 2]] * 2, "anchors": [[[8, 8], [9, 9]]]})
    two = build(spec(2) | {"strides": [[2, 2]] * 2, "anchors": [[[8, 8], [9, 9]], [[20, 20], [30, 30]]]})
    assert {n for n, _ in one.named_parameters() if n.startswith(("box", "kind", "move", "score"))} == {
        n for n, _ in two.named_parameters() if n.startswith(("box", "kind", "move", "score"))
    }


def test_the_image_alone_decides_not_its_batch() -> None:
    net = build(spec(2)).train()
    images = torch.randn(2, 1, 16, 16)
    assert torch.allclose(net(images).rows[:1], net(images[:1]).rows, atol=1e-5)
