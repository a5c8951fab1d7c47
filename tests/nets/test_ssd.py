from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets import build
from isocenter.nets.ssd import SSD, VGG

ANCHORS = [[[8, 8], [12, 8], [8, 12]], [[20, 20]], [[40, 40]]]
SPEC = {"name": "ssd", "rank": 2, "channels": 3, "outputs": 2, "width": 4, "anchors": ANCHORS, "strides": [[2, 2]] * 4}


@pytest.mark.parametrize("encoder", ["light", "vgg16"])
def test_as_many_boxes_as_anchors(encoder: str) -> None:
    net = build(SPEC | {"encoder": encoder, "seed": 0})
    out = net(torch.zeros(2, 3, 32, 48))
    assert out.shape == (2, 3 * 8 * 12 + 4 * 6 + 2 * 3, 4 + 2)
    sizes = out[0, :, 2:4] - out[0, :, :2]
    assert torch.allclose(sizes[1], torch.tensor([12.0, 8.0]), rtol=0.3)


def test_it_works_in_three_axes() -> None:
    spec = SPEC | {"rank": 3, "channels": 1, "strides": [[2, 2, 2]] * 3, "anchors": [[[8, 8, 8]], [[16, 16, 16]]]}
    assert build(spec | {"seed": 0})(torch.zeros(1, 1, 16, 16, 16)).shape == (1, 4**3 + 2**3, 6 + 2)


def test_scores_leave_room_for_background() -> None:
    net = SSD(2, 1, 2, anchors=[[[8, 8]]], strides=[(2, 2)] * 2, width=2)
    rows = torch.tensor([[[0.0, 0, 0, 0, 0, 0, 0], [0.0, 0, 0, 0, 20, 0, 0], [0.0, 0, 0, 0, 0, 0, 20]]])
    found = net.probabilities(rows)[0]
    assert torch.allclose(found[0], torch.full((2,), 1 / 3))
    assert float(found[1].max()) < 1e-6
    assert found[2].tolist() == pytest.approx([0.0, 1.0], abs=1e-6)


def test_vgg_16_has_thirteen_convolutions_under_the_usual_names() -> None:
    net = VGG(2, 3, width=2, steps=[(2, 2)] * 6).eval()
    names = [n for n, p in net.features.named_parameters() if n.endswith("weight")]
    assert len(names) == 13
    assert (names[0], names[-1]) == ("0.weight", "28.weight")
    maps = net(torch.zeros(1, 3, 64, 64))
    assert [m.shape[-1] for m in maps] == [32, 16, 8, 4, 2, 1]
    assert [m.shape[1] for m in maps] == net.widths


def test_an_unknown_encoder_is_refused() -> None:
    with pytest.raises(RecipeError, match="Did you mean vgg16"):
        build(SPEC | {"encoder": "vgg-16"})


def test_all_of_it_learns() -> None:
    for encoder in ("light", "vgg16"):
        net = build(SPEC | {"encoder": encoder, "seed": 1}).train()
        net(torch.randn(2, 3, 32, 32)).rows.square().sum().backward()
        assert all(p.grad is not None for p in net.parameters())
