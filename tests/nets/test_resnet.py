from __future__ import annotations

import pytest
import torch

from isocenter.nets.resnet import ResNet18, ResNet50


def normed(shapes: dict[str, tuple[int, ...]], conv: str, norm: str, shape: tuple[int, ...]) -> None:
    shapes[f"{conv}.weight"] = shape
    for part in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"{norm}.{part}"] = shape[:1]
    shapes[f"{norm}.num_batches_tracked"] = ()


def published(blocks: tuple[int, ...], growth: int) -> dict[str, tuple[int, ...]]:
    """Of the 2D weights of 1000 classes: growth 1 for two convolutions a block, 4 for three."""
    shapes: dict[str, tuple[int, ...]] = {}
    normed(shapes, "conv1", "bn1", (64, 3, 7, 7))
    seen = 64
    for stage, count in enumerate(blocks, start=1):
        width = 32 * 2**stage
        for i in range(count):
            at = f"layer{stage}.{i}"
            if growth == 1:
                kernels = ((width, seen, 3, 3), (width, width, 3, 3))
            else:
                kernels = ((width, seen, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1))
            for k, shape in enumerate(kernels, start=1):
                normed(shapes, f"{at}.conv{k}", f"{at}.bn{k}", shape)
            if i == 0 and (stage > 1 or growth == 4):
                normed(shapes, f"{at}.downsample.0", f"{at}.downsample.1", (growth * width, seen, 1, 1))
            seen = growth * width
    return shapes | {"fc.weight": (1000, seen), "fc.bias": (1000,)}


@pytest.mark.parametrize(
    ("kind", "blocks", "growth", "size"),
    [(ResNet18, (2, 2, 2, 2), 1, 11_689_512), (ResNet50, (3, 4, 6, 3), 4, 25_557_032)],
)
def test_names_shapes_and_size_are_those_in_common_use(kind, blocks, growth: int, size: int) -> None:
    with torch.device("meta"):
        net = kind(2, 3, 1000)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == published(blocks, growth)
    assert sum(p.numel() for p in net.parameters()) == size


@pytest.mark.parametrize("kind", [ResNet18, ResNet50])
def test_two_and_three_dimensions_and_slices(kind) -> None:
    assert kind(2, 1, 2, width=8).eval()(torch.randn(2, 1, 33, 40)).shape == (2, 2)
    assert kind(3, 1, 3, width=8).eval()(torch.randn(1, 1, 16, 17, 18)).shape == (1, 3)
    assert kind(3, 1, 3, width=8, context=1).eval()(torch.randn(1, 1, 5, 17, 18)).shape == (1, 3)


def test_the_stride_of_a_bottleneck_stands_in_its_middle() -> None:
    block = ResNet50(2, 1, 2, width=8).layer2[0]
    assert [c.stride for c in (block.conv1, block.conv2, block.conv3)] == [(1, 1), (2, 2), (1, 1)]
    basic = ResNet18(2, 1, 2, width=8).layer2[0]
    assert [c.stride for c in (basic.conv1, basic.conv2)] == [(2, 2), (1, 1)]


def test_slices_know_their_neighbours_and_no_others() -> None:
    net = ResNet18(3, 1, 2, width=8, context=1).eval()
    x = torch.randn(1, 1, 9, 32, 32)
    seen: list[torch.Tensor] = []
    net.layer4.register_forward_hook(lambda _m, _i, out: seen.append(out))
    other = x.clone()
    other[:, :, 4] += 1
    net(x), net(other)
    changed = (seen[0] - seen[1]).abs().amax((0, 1, 3, 4)) > 0
    assert changed.tolist() == [False] * 3 + [True] * 3 + [False] * 3


def test_dropout_acts_before_the_last_layer_in_training() -> None:
    net = ResNet18(2, 1, 2, width=8, dropout=0.9).train()
    x = torch.randn(2, 1, 32, 32)
    assert not torch.equal(net(x), net(x))


@pytest.mark.parametrize(("kind", "names"), [(ResNet18, ("1", "2")), (ResNet50, ("1", "2", "3"))])
def test_a_block_is_its_convolutions_and_the_identity(kind, names: tuple[str, ...]) -> None:
    net = kind(2, 1, 2, width=8).eval()
    for block in (net.layer1[1], net.layer2[0]):
        x = torch.randn(2, block.conv1.in_channels, 9, 9)
        y = x
        for i, name in enumerate(names):
            y = getattr(block, f"bn{name}")(getattr(block, f"conv{name}")(y))
            y = y.relu() if i + 1 < len(names) else y
        straight = x if block.downsample is None else block.downsample(x)
        assert torch.allclose(block(x), (y + straight).relu(), atol=1e-6)
    assert net.layer1[1].downsample is None and net.layer2[0].downsample is not None
