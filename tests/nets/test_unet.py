from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets.unet import UNet


def test_two_and_three_dimensions_answer_on_the_own_grid() -> None:
    flat = UNet(2, 3, 2, widths=[4, 8, 8], strides=[[2, 2], [2, 2]]).eval()
    deep = UNet(3, 1, 4, widths=[4, 8], strides=[[1, 2, 2]]).eval()
    assert flat(torch.randn(2, 3, 16, 24)).shape == (2, 2, 16, 24)
    assert deep(torch.randn(1, 1, 5, 8, 6)).shape == (1, 4, 5, 8, 6)


def test_coarse_heads_answer_in_training_only() -> None:
    net = UNet(2, 1, 2, widths=[4, 8, 8, 8], strides=[[2, 2]] * 3, deep=2)
    x = torch.randn(1, 1, 16, 16)
    heads = net.train()(x)
    assert [tuple(h.shape[2:]) for h in heads] == [(16, 16), (8, 8), (4, 4)]
    assert torch.is_tensor(net.eval()(x))


def test_every_weight_gets_a_gradient() -> None:
    net = UNet(2, 1, 2, widths=[4, 8, 8], strides=[[2, 2]] * 2, deep=1, residual=True).train()
    sum(h.square().mean() for h in net(torch.randn(2, 1, 8, 8))).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)


def test_the_answer_moves_with_the_image() -> None:
    net = UNet(2, 1, 2, widths=[4, 8], strides=[[2, 2]]).eval()
    x = torch.zeros(1, 1, 32, 32)
    x[..., 12:16, 12:16] = 1
    moved = torch.roll(x, (2, 2), (2, 3))
    assert torch.allclose(torch.roll(net(x), (2, 2), (2, 3))[..., 8:24, 8:24], net(moved)[..., 8:24, 8:24], atol=1e-4)


def test_widths_and_strides_must_fit() -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        UNet(2, 1, 2, widths=[4, 8], strides=[[2, 2], [2, 2]])
    with pytest.raises(RecipeError, match="do not fit"):
        UNet(3, 1, 2, widths=[4, 8], strides=[[2, 2]])
