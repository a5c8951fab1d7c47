from __future__ import annotations

import pytest
import torch

from isocenter.nets.alexnet import AlexNet

# Of the published 2D weights of 1000 classes: every weight's shape, by name.
PUBLISHED = {
    "features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5), "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3), "features.10": (256, 256, 3, 3),
    "classifier.1": (4096, 9216), "classifier.4": (4096, 4096), "classifier.6": (1000, 4096),
}  # fmt: skip


def test_names_shapes_and_size_are_those_in_common_use() -> None:
    with torch.device("meta"):
        state = AlexNet(2, 3, 1000).state_dict()
    wanted = {f"{k}.weight": s for k, s in PUBLISHED.items()} | {f"{k}.bias": s[:1] for k, s in PUBLISHED.items()}
    assert {k: tuple(v.shape) for k, v in state.items()} == wanted
    assert sum(v.numel() for v in state.values()) == 61_100_840


def test_the_least_grid_and_what_lies_below() -> None:
    net = AlexNet(2, 1, 2, width=8).eval()
    assert net(torch.randn(1, 1, 63, 80)).shape == (1, 2)
    with pytest.raises(RuntimeError):
        net(torch.randn(1, 1, 62, 80))


@pytest.mark.parametrize("context", [None, 1])
def test_volumes(context: int | None) -> None:
    grid = (63, 63, 63) if context is None else (3, 63, 64)
    net = AlexNet(3, 1, 3, width=4, pooled=1, context=context).eval()
    assert net(torch.randn(1, 1, *grid)).shape == (1, 3)


def test_gradients_reach_every_layer() -> None:
    net = AlexNet(2, 1, 2, width=8, pooled=2, dropout=0.0)
    net(torch.randn(4, 1, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)


def test_widths_are_in_proportion() -> None:
    net = AlexNet(2, 1, 2, width=32, pooled=3)
    assert [m.out_channels for m in net.features if isinstance(m, torch.nn.Conv2d)] == [32, 96, 192, 128, 128]
    assert [m.out_features for m in net.classifier if isinstance(m, torch.nn.Linear)] == [2048, 2048, 2]
    assert net.classifier[1].in_features == 128 * 9
