from __future__ import annotations

import torch

from isocenter.nets.resnet import ResNet18


def test_names_and_size_are_those_in_common_use() -> None:
    net = ResNet18(2, 3, 1000)
    names = set(net.state_dict())
    known = {
        "conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.bias", "layer4.1.bn2.weight", "fc.weight", "fc.bias",
    }  # fmt: skip
    assert known <= names
    # 11 689 512 parameters: the figure published with the 2D weights of 1000 classes.
    assert sum(p.numel() for p in net.parameters()) == 11_689_512
    assert "layer1.0.downsample.0.weight" not in names


def test_two_and_three_dimensions() -> None:
    assert ResNet18(2, 1, 2, width=8).eval()(torch.randn(2, 1, 33, 40)).shape == (2, 2)
    assert ResNet18(3, 1, 3, width=8).eval()(torch.randn(1, 1, 16, 17, 18)).shape == (1, 3)


def test_dropout_acts_before_the_last_layer_in_training() -> None:
    net = ResNet18(2, 1, 2, width=8, dropout=0.9).train()
    x = torch.randn(2, 1, 32, 32)
    assert not torch.equal(net(x), net(x))
