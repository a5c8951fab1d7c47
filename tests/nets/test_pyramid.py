from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets.pyramid import Encoder, Pyramid, tower


@pytest.mark.parametrize("rank", [2, 3])
def test_an_encoder_gives_one_map_a_step(rank: int) -> None:
    steps = [(1,) + (2,) * (rank - 1), (2,) * rank, (2,) * rank]
    net = Encoder(rank, 1, width=4, steps=steps).eval()
    maps = net(torch.zeros(2, 1, *(16,) * rank))
    assert [m.shape[1] for m in maps] == net.widths == [4, 8, 16]
    assert [m.shape[2] for m in maps] == [16, 8, 4]
    assert [m.shape[-1] for m in maps] == [8, 4, 2]


def test_channels_stop_growing() -> None:
    net = Encoder(2, 3, width=2, steps=[(2, 2)] * 6, blocks=2)
    assert net.widths == [2, 4, 8, 16, 16, 16]
    assert len(net.stages[1]) == 2


def test_the_pyramid_tells_fine_levels_what_coarse_ones_know() -> None:
    torch.manual_seed(0)
    net = Pyramid(2, [4, 8], 6, steps=[(2, 2)], kind="group").eval()
    fine, coarse = torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)
    before = net([fine, coarse])
    assert [tuple(y.shape) for y in before] == [(1, 6, 8, 8), (1, 6, 4, 4)]
    coarse[0, :, 3, 3] = 5.0
    after = net([fine, coarse])
    assert not torch.equal(after[0][..., 7, 7], before[0][..., 7, 7])


def test_a_path_back_tells_coarse_levels_what_fine_ones_see() -> None:
    torch.manual_seed(0)
    fine, coarse = torch.randn(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)
    for back in (False, True):
        net = Pyramid(2, [4, 8], 6, steps=[(2, 2)], back=back).eval()
        moved = net([fine, coarse])[1] - net([torch.zeros_like(fine), coarse])[1]
        assert (moved.abs().max() > 1e-6) == back


def test_a_tower_keeps_the_grid() -> None:
    assert tower(3, 2, 5, depth=2, kind="group")(torch.zeros(1, 2, 3, 4, 5)).shape == (1, 5, 3, 4, 5)
    with pytest.raises(RecipeError, match="normalisation"):
        tower(2, 2, 5, depth=1, kind="layer")
