from __future__ import annotations

import pytest

from isocenter import nets
from isocenter.data import merged
from isocenter.fit.fingerprint import Fingerprint, fingerprint
from isocenter.fit.network import LEAST, deepest, describe, strides_of
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet


@pytest.mark.parametrize("patch", [(8, 8), (40, 56, 40), (256, 256), (16, 320, 320), (512, 100)])
def test_no_axis_gets_too_small(patch: tuple[int, ...]) -> None:
    strides = strides_of(patch)
    for axis, n in enumerate(patch):
        left = n
        for step in strides:
            left /= step[axis]
        assert left >= min(n, LEAST)
    assert strides


def test_coarse_axes_wait_for_the_fine_ones() -> None:
    assert strides_of((16, 64, 64), (4.0, 1.0, 1.0), most=3) == [[1, 2, 2], [1, 2, 2], [2, 2, 2]]
    assert strides_of((64, 64, 64), most=2) == [[2, 2, 2]] * 2


def described(recipe: object, found: Fingerprint, patch: tuple[int, ...]) -> tuple[dict, tuple[int, ...], dict]:
    origins: dict[str, str] = {}
    spec, divisor = describe(recipe, found, patch, None, 1, origins)
    return spec, divisor, origins


def test_the_description_builds_and_its_divisor_fits(discs) -> None:
    found = fingerprint(discs(), "segment")
    spec, divisor, origins = described(UNet(), found, (24, 24))
    assert nets.build(spec)
    assert divisor == tuple(2 ** len(spec["strides"]) for _ in range(2))
    assert origins["network.widths"] == "default"
    wide, _, said = described(UNet(width=12, depth=1, residual=True), found, (24, 24))
    assert wide["widths"] == [12, 24]
    assert wide["residual"]
    assert said["network.widths"] == "recipe"


def test_few_cases_get_the_small_network_and_many_the_large(pictures) -> None:
    found = fingerprint(pictures(), "classify")
    assert described(Cnn(), found, (16, 16))[0]["name"] == "small"
    many = Fingerprint.from_json(found.as_json() | {"n": 1000})
    spec, _, origins = described(Cnn(), many, (224, 224))
    assert spec["name"] == "resnet18"
    assert "1000 training cases" in origins["network.name"]
    assert described(merged(Cnn(), {"network": "small"}), many, (224, 224))[0]["name"] == "small"


def test_networks_of_others(discs) -> None:
    from torch import nn

    found = fingerprint(discs(), "segment")
    assert described(UNet(network="mine:Net"), found, (24, 24))[0]["name"] == "mine:Net"
    spec = described(UNet(network=nn.Conv2d(1, 2, 1)), found, (24, 24))[0]
    assert spec["name"] == "given"
    assert spec["class"].endswith(":Conv2d")


def test_the_deepest_stage_has_as_many_pixels_as_said() -> None:
    import torch

    unet = {"name": "unet", "rank": 2, "channels": 1, "outputs": 2, "widths": [4, 4, 4], "strides": [[2, 2], [1, 2]]}
    small = {"name": "small", "rank": 2, "channels": 1, "outputs": 2, "width": 8, "depth": 3}
    resnet = {"name": "resnet18", "rank": 2, "channels": 1, "outputs": 2, "width": 8}
    for spec, patch, last in ((unet, (16, 32), "down.2"), (small, (16, 20), "stages.2"), (resnet, (64, 96), "layer4")):
        module, seen = nets.build(spec), []
        module.get_submodule(last).register_forward_hook(lambda _m, _i, out, seen=seen: seen.append(min(out.shape[2:])))
        module(torch.zeros(1, 1, *patch))
        assert deepest(spec, patch) == seen[0]
    assert deepest({"name": "mine:Net"}, (64, 64)) is None
