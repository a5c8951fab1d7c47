from __future__ import annotations

import pytest
import torch
from torch import nn

from isocenter.nets.axes import Axes
from isocenter.nets.mobilenet import Gate, MobileNetV3Small, eighths

# Of each block of the published 2D weights: channels in, inside, out; kernel; of the gate, 0 where there is none.
BLOCKS = (
    (16, 16, 16, 3, 8), (16, 72, 24, 3, 0), (24, 88, 24, 3, 0), (24, 96, 40, 5, 24), (40, 240, 40, 5, 64),
    (40, 240, 40, 5, 64), (40, 120, 48, 5, 32), (48, 144, 48, 5, 40), (48, 288, 96, 5, 72), (96, 576, 96, 5, 144),
    (96, 576, 96, 5, 144),
)  # fmt: skip


def published() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def normed(at: str, shape: tuple[int, ...]) -> None:
        shapes[f"{at}.0.weight"] = shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{at}.1.{part}"] = shape[:1]
        shapes[f"{at}.1.num_batches_tracked"] = ()

    normed("features.0", (16, 3, 3, 3))
    for i, (seen, inside, made, kernel, gate) in enumerate(BLOCKS, start=1):
        layers = [(inside, seen, 1, 1)] if inside != seen else []
        layers += [(inside, 1, kernel, kernel), *([()] if gate else []), (made, inside, 1, 1)]
        for k, shape in enumerate(layers):
            at = f"features.{i}.block.{k}"
            if shape:
                normed(at, shape)
                continue
            shapes |= {f"{at}.fc1.weight": (gate, inside, 1, 1), f"{at}.fc1.bias": (gate,)}
            shapes |= {f"{at}.fc2.weight": (inside, gate, 1, 1), f"{at}.fc2.bias": (inside,)}
    normed("features.12", (576, 96, 1, 1))
    for name, shape in (("classifier.0", (1024, 576)), ("classifier.3", (1000, 1024))):
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def test_names_shapes_and_size_are_those_in_common_use() -> None:
    with torch.device("meta"):
        net = MobileNetV3Small(2, 3, 1000)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == published()
    assert sum(p.numel() for p in net.parameters()) == 2_542_856


def test_the_gate_is_that_of_two_convolutions_of_the_mean() -> None:
    gate, x = Gate(Axes(2), 16), torch.randn(2, 16, 5, 4)
    mean = x.mean((2, 3), keepdim=True)
    expected = x * nn.functional.hardsigmoid(gate.fc2(nn.functional.relu(gate.fc1(mean))))
    assert torch.allclose(gate(x), expected, atol=1e-6)


@pytest.mark.parametrize("context", [None, 1])
def test_two_and_three_axes(context: int | None) -> None:
    assert MobileNetV3Small(2, 2, 3, width=8).eval()(torch.randn(2, 2, 17, 40)).shape == (2, 3)
    net = MobileNetV3Small(3, 1, 2, width=4, context=context).eval()
    assert net(torch.randn(1, 1, 7, 16, 18)).shape == (1, 2)


def test_channels_are_multiples_of_eight_and_hardly_fewer() -> None:
    assert [eighths(v) for v in (1, 11, 18, 22, 60, 64)] == [8, 16, 24, 24, 64, 64]


def test_the_identity_stands_where_shapes_are_the_same() -> None:
    net = MobileNetV3Small(2, 1, 2).eval()
    same = [i for i in range(1, 12) if net.features[i].same]
    assert same == [3, 5, 6, 8, 10, 11]
    block = net.features[5]
    x = torch.randn(1, 40, 7, 7)
    assert torch.allclose(block(x), x + block.block(x), atol=1e-6)
    assert [type(net.features[i].block[0][2]).__name__ for i in (2, 4)] == ["ReLU", "Hardswish"]


def test_all_blocks_learn() -> None:
    net = MobileNetV3Small(2, 1, 2, dropout=0.0).train()
    net(torch.randn(4, 1, 48, 48)).square().sum().backward()
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in net.parameters())
    assert float(net.features[0][0].weight.grad.abs().sum()) > 0
