from __future__ import annotations

import pytest
import torch
from torch import nn

from isocenter.nets.fcn import FCN, Plain

FIVE = [[2, 2]] * 5


@pytest.mark.parametrize("encoder", ["vgg", "resnet18"])
@pytest.mark.parametrize(("skips", "finest"), [(0, 32), (1, 16), (2, 8)])
def test_the_finest_scores_are_32_16_or_8_pixels_wide(encoder: str, skips: int, finest: int) -> None:
    net = FCN(2, 3, 2, width=4, strides=FIVE, skips=skips, encoder=encoder).eval()
    assert net(torch.randn(2, 3, 64, 96)).shape == (2, 2, 64, 96)
    assert len(net.score) == skips + 1
    assert net.scales[0] == (finest, finest)
    assert net.scales[-1] == (32, 32)


@pytest.mark.parametrize("encoder", ["vgg", "resnet18"])
@pytest.mark.parametrize("steps", [2, 3, 4])
def test_small_patches_have_fewer_steps(encoder: str, steps: int) -> None:
    net = FCN(2, 1, 3, width=4, strides=[[2, 2]] * steps, encoder=encoder).eval()
    assert net(torch.randn(1, 1, 32, 32)).shape == (1, 3, 32, 32)


def test_three_axes_with_steps_of_their_own() -> None:
    strides = [[1, 2, 2], [1, 2, 2], [2, 2, 2]]
    for encoder in ("vgg", "resnet18"):
        net = FCN(3, 1, 2, width=4, strides=strides, encoder=encoder).eval()
        assert net(torch.randn(1, 1, 4, 16, 24)).shape == (1, 2, 4, 16, 24)


def test_scores_of_all_grids_are_added() -> None:
    net = FCN(2, 1, 2, width=4, strides=[[2, 2]] * 3, skips=2).eval()
    for score in net.score:
        nn.init.zeros_(score.weight)
        nn.init.ones_(score.bias)
    assert torch.allclose(net(torch.randn(1, 1, 16, 16)), torch.full((1, 2, 16, 16), 3.0))


def test_every_weight_gets_a_gradient() -> None:
    for encoder in ("vgg", "resnet18"):
        net = FCN(2, 1, 2, width=4, strides=[[2, 2]] * 3, encoder=encoder).train()
        net(torch.randn(2, 1, 32, 32)).square().mean().backward()
        assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)


def test_the_plain_encoder_widens_up_to_eight_times() -> None:
    found = Plain(2, 1, width=2, strides=FIVE)(torch.randn(1, 1, 64, 64))
    assert [f.shape[1] for f in found] == [2, 4, 8, 16, 16, 16]
    assert [f.shape[2] for f in found] == [64, 32, 16, 8, 4, 2]
