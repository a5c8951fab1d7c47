from __future__ import annotations

import pytest
import torch

from isocenter.nets.trunk import Residual, Trunk


def test_a_residual_block_passes_its_input_on_or_projects_it() -> None:
    same = Residual(2, 4, 4, kind="group")
    torch.nn.init.zeros_(same.norm2.weight)
    x = torch.rand(1, 4, 5, 5)
    assert torch.allclose(same(x), x)
    assert Residual(3, 2, 4, stride=(1, 2, 2))(torch.rand(1, 2, 4, 8, 8)).shape == (1, 4, 4, 4, 4)


@pytest.mark.parametrize(
    ("steps", "grids"), [(5, [16, 8, 4, 2]), (4, [16, 8, 4, 4]), (3, [16, 8, 8, 8]), (2, [16, 16, 16, 16])]
)
def test_stages_without_a_step_keep_the_grid(steps: int, grids: list[int]) -> None:
    trunk = Trunk(2, 1, width=8, strides=[[2, 2]] * steps, kind="group").eval()
    found = trunk(torch.randn(1, 1, 64, 64))
    assert [f.shape[2] for f in found] == grids
    assert [f.shape[1] for f in found] == [8, 16, 32, 64]


def test_stages_without_a_step_see_as_far_by_atrous_convolutions() -> None:
    def rates(steps: int) -> list[int]:
        trunk = Trunk(2, 1, width=8, strides=[[2, 2]] * steps)
        return [stage[1].conv2.dilation[0] for stage in trunk.stages]

    assert rates(5) == [1, 1, 1, 1]
    assert rates(4) == [1, 1, 1, 2]
    assert rates(3) == [1, 1, 2, 4]


def test_strides_may_differ_between_axes() -> None:
    trunk = Trunk(3, 2, width=4, strides=[[1, 2, 2], [1, 2, 2], [2, 2, 2], [1, 1, 1]], kind="instance")
    assert [tuple(f.shape[2:]) for f in trunk(torch.randn(1, 2, 4, 32, 16))] == [
        (4, 8, 4), (2, 4, 2), (2, 4, 2), (2, 4, 2)
    ]  # fmt: skip
