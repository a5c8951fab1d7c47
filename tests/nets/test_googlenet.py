from __future__ import annotations

import pytest
import torch

from isocenter.nets.googlenet import GoogLeNet

# Input channels and the six widths of each module in the published 2D weights.
MODULES = {
    "3a": (192, 64, 96, 128, 16, 32, 32), "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64), "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64), "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128), "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}  # fmt: skip


def convolutions() -> dict[str, tuple[int, ...]]:
    found = {"conv1": (64, 3, 7, 7), "conv2": (64, 64, 1, 1), "conv3": (192, 64, 3, 3)}
    for name, (seen, one, red, three, red2, five, pool) in MODULES.items():
        at = f"inception{name}.branch"
        found |= {
            f"{at}1": (one, seen, 1, 1), f"{at}2.0": (red, seen, 1, 1), f"{at}2.1": (three, red, 3, 3),
            f"{at}3.0": (red2, seen, 1, 1), f"{at}3.1": (five, red2, 3, 3), f"{at}4.1": (pool, seen, 1, 1),
        }  # fmt: skip
    return found | {"aux1.conv": (128, 512, 1, 1), "aux2.conv": (128, 528, 1, 1)}


def published() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in convolutions().items():
        shapes[f"{name}.conv.weight"] = shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{part}"] = shape[:1]
        shapes[f"{name}.bn.num_batches_tracked"] = ()
    dense = {"fc": (1000, 1024)} | {f"aux{i}.fc1": (1024, 2048) for i in (1, 2)}
    for name, shape in (dense | {f"aux{i}.fc2": (1000, 1024) for i in (1, 2)}).items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def test_names_shapes_and_size_are_those_in_common_use() -> None:
    with torch.device("meta"):
        net, plain = GoogLeNet(2, 3, 1000, aux=True), GoogLeNet(2, 3, 1000)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == published()
    assert sum(p.numel() for p in net.parameters()) == 13_004_888
    assert sum(p.numel() for p in plain.parameters()) == 6_624_904


def test_the_heads_half_way_answer_in_training_alone_and_learn() -> None:
    net = GoogLeNet(2, 1, 2, width=8, aux=True).train()
    found = net(torch.randn(4, 1, 64, 64))
    assert [f.shape for f in found] == [(4, 2)] * 3
    sum(f.square().sum() for f in found).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)
    assert net.eval()(torch.randn(1, 1, 64, 64)).shape == (1, 2)
    assert GoogLeNet(2, 1, 2, width=8).train()(torch.randn(2, 1, 64, 64)).shape == (2, 2)


def test_the_later_head_comes_first() -> None:
    net = GoogLeNet(2, 1, 2, width=8, aux=True).train()
    seen: list[str] = []
    net.aux1.register_forward_hook(lambda *_: seen.append("early"))
    net.aux2.fc2.register_forward_hook(lambda _m, _i, out: out.fill_(7.0))
    out = net(torch.randn(2, 1, 32, 32))
    assert seen == ["early"]
    assert bool((out[1] == 7).all()) and not bool((out[2] == 7).any())


@pytest.mark.parametrize("context", [None, 1])
def test_volumes(context: int | None) -> None:
    net = GoogLeNet(3, 1, 3, width=4, context=context).eval()
    assert net(torch.randn(1, 1, 15, 16, 18)).shape == (1, 3)


def test_a_module_joins_its_four_ways_in_order() -> None:
    net = GoogLeNet(2, 1, 2, width=16).eval()
    block, seen = net.inception3a, []
    assert block.outputs == 8 * 8
    net.maxpool.register_forward_hook(lambda _m, _i, out: seen.append(out))
    with torch.inference_mode():
        net(torch.randn(1, 1, 64, 64))
        x = next(s for s in seen if s.shape[1] == block.branch1.conv.in_channels)
        ways = [block.branch1(x), block.branch2(x), block.branch3(x), block.branch4(x)]
        found = block(x)
    # 64, 128, 32 and 32 of 256, in a quarter of the width.
    assert [w.shape[1] for w in ways] == [16, 32, 8, 8]
    start = 0
    for way in ways:
        assert torch.equal(found[:, start : start + way.shape[1]], way)
        start += way.shape[1]
