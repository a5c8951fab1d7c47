from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.errors import RecipeError
from isocenter.infer import engine
from isocenter.nets.axes import Axes, Binned, pooled


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize(("grid", "size"), [((5, 9, 4), 6), ((13, 7, 7), 7), ((1, 2, 3), 4), ((8, 8, 8), 1)])
def test_bins_are_those_of_torch(rank: int, grid: tuple[int, ...], size: int) -> None:
    x = torch.randn(2, 3, *grid[:rank])
    theirs = (nn.AdaptiveAvgPool2d if rank == 2 else nn.AdaptiveAvgPool3d)(size)
    made, count = Axes(rank).binned(size)
    assert torch.allclose(made(x), theirs(x), atol=1e-6)
    assert count == size**rank


def test_the_exported_bins_take_any_grid(tmp_path) -> None:
    module, path = Binned((3, 1)), tmp_path / "bins.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (torch.zeros(1, 2, 7, 5),), str(path), input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "n", 2: "y", 3: "x"}, "output": {0: "n"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
    ask = engine(path.read_bytes(), kind="onnxruntime", threads=1)
    for grid in ((7, 5), (11, 4), (2, 9)):
        x = torch.randn(2, 2, *grid)
        assert np.allclose(ask(x.numpy()), module(x).numpy(), atol=1e-6)


def test_slices_by_themselves_but_for_the_first_convolution() -> None:
    axes = Axes(3, context=1)
    assert axes.first(2, 4, 7, stride=2).kernel_size == (3, 7, 7)
    assert axes.convolution(2, 4, 5).kernel_size == (1, 5, 5)
    assert axes.first(2, 4, 11, stride=4, padding=2)(torch.zeros(1, 2, 3, 63, 63)).shape == (1, 4, 3, 15, 15)
    assert axes.pool(3, 2, padding=1)(torch.zeros(1, 1, 4, 8, 8)).shape == (1, 1, 4, 4, 4)
    assert axes.mean(2)(torch.zeros(1, 1, 4, 8, 8)).shape == (1, 1, 4, 4, 4)
    assert axes.binned(6)[1] == 36
    assert Axes(3, context=0).first(1, 1, 3).kernel_size == (1, 3, 3)
    with pytest.raises(RecipeError, match="need volumes"):
        Axes(2, context=1)


def test_layers_keep_the_grid() -> None:
    x = torch.randn(1, 4, 6, 5, 8)
    for axes in (Axes(3), Axes(3, context=2)):
        assert axes.norm(4)(axes.convolution(4, 4, 5, groups=4)(x)).shape == x.shape
    assert pooled(x).shape == (1, 4)
    assert torch.allclose(pooled(x)[0, 1], x[0, 1].mean())


def test_a_last_window_that_is_not_full_counts_where_it_is_asked_for() -> None:
    x = torch.arange(7.0).reshape(1, 1, 7, 1).expand(1, 1, 7, 7)
    down, up = (Axes(2).pool(2, 2, up=u)(x)[0, 0, :, 0].tolist() for u in (False, True))
    assert down == [1, 3, 5]
    assert up == [1, 3, 5, 6]


def test_depthwise_kernels_see_their_own_channel_alone() -> None:
    conv = Axes(2).convolution(3, 3, 3, groups=3)
    x = torch.randn(1, 3, 5, 5)
    other = x.clone()
    other[:, 1] += 1
    changed = (conv(x) - conv(other)).abs().amax((0, 2, 3)) > 0
    assert changed.tolist() == [False, True, False]
