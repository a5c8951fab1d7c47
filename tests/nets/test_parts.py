from __future__ import annotations

import pytest
import torch
from torch import nn

from isocenter.errors import RecipeError
from isocenter.nets.parts import Block, convolution, initialised, norm


@pytest.mark.parametrize("kind", ["instance", "batch", "group"])
@pytest.mark.parametrize("rank", [2, 3])
def test_norms_keep_the_shape_and_learn_scale_and_shift(kind: str, rank: int) -> None:
    layer = norm(kind, rank, 8)
    x = torch.randn(2, 8, *(6,) * rank) * 3 + 5
    y = layer.train()(x)
    assert y.shape == x.shape
    assert abs(float(y.detach().mean())) < 0.05
    assert {n for n, _ in layer.named_parameters()} == {"weight", "bias"}


def test_an_unknown_norm_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Did you mean instance"):
        norm("instanse", 2, 8)


def test_groups_divide_any_number_of_channels() -> None:
    for channels in (1, 3, 6, 8, 12, 20, 64):
        assert norm("group", 2, channels)(torch.randn(1, channels, 4, 4)).shape[1] == channels


def test_a_stride_halves_only_its_axes() -> None:
    x = torch.randn(1, 2, 4, 8, 8)
    assert convolution(3, 2, 5, stride=(1, 2, 2))(x).shape == (1, 5, 4, 4, 4)
    assert Block(3, 2, 5, stride=(1, 2, 2), residual=True)(x).shape == (1, 5, 4, 4, 4)


def test_a_residual_block_passes_its_input_on() -> None:
    block = Block(2, 4, 4, residual=True)
    nn.init.zeros_(block.norm2.weight)
    nn.init.zeros_(block.norm2.bias)
    x = torch.rand(1, 4, 5, 5)
    assert torch.allclose(block(x), x)


def test_initialisation_has_the_variance_of_he() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 64, 3)
    initialised(layer, slope=0.0)
    assert float(layer.weight.detach().std()) == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)
    assert float(layer.bias.detach().abs().max()) == 0.0
