from __future__ import annotations

import pytest
import torch

from isocenter.nets.densenet import DenseNet121


def published() -> dict[str, tuple[int, ...]]:
    """Of the 2D weights of 1000 classes."""
    shapes: dict[str, tuple[int, ...]] = {"features.conv0.weight": (64, 3, 7, 7)}

    def normed(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"features.{name}.{part}"] = (channels,)
        shapes[f"features.{name}.num_batches_tracked"] = ()

    normed("norm0", 64)
    # Channels that come into each block, and its layers, which add 32 each.
    for block, (seen, layers) in enumerate(((64, 6), (128, 12), (256, 24), (512, 16)), start=1):
        for i in range(layers):
            at = f"denseblock{block}.denselayer{i + 1}"
            normed(f"{at}.norm1", seen + 32 * i)
            normed(f"{at}.norm2", 128)
            shapes[f"features.{at}.conv1.weight"] = (128, seen + 32 * i, 1, 1)
            shapes[f"features.{at}.conv2.weight"] = (32, 128, 3, 3)
        if block < 4:
            full = seen + 32 * layers
            normed(f"transition{block}.norm", full)
            shapes[f"features.transition{block}.conv.weight"] = (full // 2, full, 1, 1)
    normed("norm5", 1024)
    return shapes | {"classifier.weight": (1000, 1024), "classifier.bias": (1000,)}


def test_names_shapes_and_size_are_those_in_common_use() -> None:
    with torch.device("meta"):
        net = DenseNet121(2, 3, 1000)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == published()
    assert sum(p.numel() for p in net.parameters()) == 7_978_856


def test_the_least_grid_and_what_lies_below() -> None:
    net = DenseNet121(2, 1, 2, width=4).eval()
    assert net(torch.randn(1, 1, 29, 40)).shape == (1, 2)
    with pytest.raises(RuntimeError):
        net(torch.randn(1, 1, 28, 40))


@pytest.mark.parametrize("context", [None, 1])
def test_volumes(context: int | None) -> None:
    net = DenseNet121(3, 1, 3, width=4, context=context).eval()
    assert net(torch.randn(1, 1, 29, 32, 30)).shape == (1, 3)


def test_a_layer_keeps_what_came_in_and_all_layers_learn() -> None:
    net = DenseNet121(2, 1, 2, width=4)
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(net.features.denseblock1.denselayer1(x)[:, :4], x)
    net(torch.randn(4, 1, 32, 32)).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_a_transition_halves_channels_and_grid() -> None:
    net = DenseNet121(2, 1, 2, width=8).eval()
    step = net.features.transition1
    x = torch.randn(1, step.conv.in_channels, 8, 6)
    out = step(x)
    assert out.shape == (1, step.conv.in_channels // 2, 4, 3)
    by_hand = torch.nn.functional.avg_pool2d(step.conv(step.norm(x).relu()), 2)
    assert torch.allclose(out, by_hand, atol=1e-6)


def test_a_layer_is_two_normalised_convolutions() -> None:
    layer = DenseNet121(2, 1, 2, width=8).eval().features.denseblock2.denselayer3
    x = torch.randn(2, layer.conv1.in_channels, 5, 5)
    made = layer.conv2(layer.norm2(layer.conv1(layer.norm1(x).relu())).relu())
    assert torch.allclose(layer(x)[:, x.shape[1] :], made, atol=1e-6)
