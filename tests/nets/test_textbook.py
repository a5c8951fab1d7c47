from __future__ import annotations

import pytest
import torch
from torch import nn

from isocenter.nets.textbook import Textbook


def test_the_layers_are_those_of_the_textbooks_in_their_order() -> None:
    net = Textbook(2, 1, 3, width=8, depth=2)
    kinds = [type(m).__name__ for m in (*net.features, net.avgpool, *net.classifier)]
    stage = ["Conv2d", "ReLU", "MaxPool2d"]
    assert kinds == [*stage, *stage, "Binned", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert [m.p for m in net.classifier if isinstance(m, nn.Dropout)] == [0.25, 0.5]
    # Two convolutions with bias; 16 channels of 4 x 4 means to 32 to 3.
    assert sum(p.numel() for p in net.parameters()) == (9 * 8 + 8) + (72 * 16 + 16) + (256 * 32 + 32) + (32 * 3 + 3)


@pytest.mark.parametrize("context", [None, 1])
def test_it_answers_any_grid_in_two_and_three_axes(context: int | None) -> None:
    assert Textbook(2, 2, 3, width=4).eval()(torch.randn(2, 2, 17, 40)).shape == (2, 3)
    assert Textbook(3, 1, 2, width=4, context=context).eval()(torch.randn(2, 1, 9, 16, 11)).shape == (2, 2)


def test_every_layer_learns_and_dropout_acts_in_training_alone() -> None:
    net = Textbook(2, 1, 2, width=4).train()
    x = torch.randn(8, 1, 16, 16)
    assert not torch.equal(net(x), net(x))
    net(x).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters())
    assert torch.equal(net.eval()(x), net(x))


def test_each_stage_halves_the_grid_and_doubles_the_channels() -> None:
    net = Textbook(2, 1, 2, width=4, depth=3).eval()
    shapes = []
    for layer in net.features:
        if isinstance(layer, nn.MaxPool2d):
            layer.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    net(torch.randn(1, 1, 40, 24))
    assert shapes == [(4, 20, 12), (8, 10, 6), (16, 5, 3)]
