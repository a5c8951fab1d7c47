from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets.small import Small


@pytest.mark.parametrize("rank", [2, 3])
def test_any_grid_gives_one_row_of_logits(rank: int) -> None:
    net = Small(rank, 1, 3, width=8, depth=3).eval()
    assert net(torch.randn(2, 1, *(9,) * rank)).shape == (2, 3)
    assert net(torch.randn(1, 1, *(16,) * rank)).shape == (1, 3)


def test_dropout_works_in_training_only() -> None:
    net = Small(2, 1, 2, width=8, depth=2, dropout=0.5)
    x = torch.randn(1, 1, 8, 8)
    assert torch.equal(net.eval()(x), net.eval()(x))
    assert not torch.equal(net.train()(x), net.train()(x))


def test_each_stage_doubles_the_channels() -> None:
    assert Small(2, 1, 2, width=8, depth=4).fc.in_features == 64


def test_slices_by_themselves_but_for_their_neighbours() -> None:
    net = Small(3, 1, 2, width=8, depth=3, context=1).eval()
    assert net.stages[0].conv1.kernel_size == (3, 3, 3)
    assert net.stages[1].conv1.kernel_size == (1, 3, 3)
    assert net.stages[1].conv1.stride == (1, 2, 2)
    x = torch.randn(1, 1, 7, 16, 16)
    assert net(x).shape == (1, 2)
    shapes: list[tuple[int, ...]] = []
    net.stages.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape)))
    net(x)
    assert shapes == [(1, 32, 7, 4, 4)]
    with pytest.raises(RecipeError, match="need volumes"):
        Small(2, 1, 2, context=1)
