from __future__ import annotations

import pytest

from isocenter import nets
from isocenter.data import merged
from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import Fingerprint, fingerprint
from isocenter.fit.network import LEAST, deepest, describe, numbers, strides_of
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.deeplab import DeepLab
from isocenter.tasks.segment.fcn import FCN
from isocenter.tasks.segment.unet import Form, UNet
from isocenter.tasks.segment.vgg_decoder import VGGDecoder


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
    wide, _, said = described(UNet(width=12, depth=1, form=Form(residual=True)), found, (24, 24))
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
    four = {"rank": 2, "channels": 1, "outputs": 2, "width": 4, "strides": [[2, 2]] * 4}
    for spec, patch, last in (
        (unet, (16, 32), "down.2"),
        (small, (16, 20), "stages.2"),
        (resnet, (64, 96), "layer4"),
        ({"name": "fcn", **four}, (64, 96), "encoder.stages.4"),
        ({"name": "fcn", "encoder": "resnet18", **four}, (64, 96), "encoder.stages.3"),
        ({"name": "vgg_decoder", **four}, (64, 96), "features.29"),
        ({"name": "deeplab", "rates": [1, 2], **four}, (64, 96), "pyramid"),
    ):
        module, seen = nets.build(spec), []
        module.get_submodule(last).register_forward_hook(lambda _m, _i, out, seen=seen: seen.append(min(out.shape[2:])))
        module(torch.zeros(1, 1, *patch))
        assert deepest(spec, patch) == seen[0]
    assert deepest({"name": "mine:Net"}, (64, 64)) is None


RECIPES = [
    UNet(width=4, form=Form(residual=True, attention=True)),
    FCN(width=4),
    FCN(width=4, encoder="resnet18", finest="16s"),
    VGGDecoder(width=4),
    DeepLab(width=4),
]


@pytest.mark.parametrize("patch", [(24, 24), (64, 96), (8, 24, 20), (16, 64, 64)])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: f"{type(r).__name__}-{getattr(r, 'encoder', None)}")
def test_every_network_answers_every_patch_in_two_and_three_axes(discs, recipe, patch: tuple[int, ...]) -> None:
    import torch

    found = fingerprint(discs(rank=len(patch)), "segment")
    spec, divisor, origins = described(recipe, found, patch)
    grid = tuple(-(-p // d) * d for p, d in zip(patch, divisor, strict=True))
    with torch.inference_mode():
        assert nets.build(spec)(torch.randn(1, 1, *grid)).shape == (1, 2, *grid)
    assert all(p / d >= min(p, LEAST) for p, d in zip(patch, divisor, strict=True))
    assert "at least" in origins["network.strides"]
    assert set(nets.layers(spec)) <= set(dict(nets.build(spec).named_modules()))


def test_slices_with_context_step_down_in_the_plane_alone(discs) -> None:
    found = fingerprint(discs(rank=3), "segment")
    spec, divisor, _ = described(UNet(width=4, form=Form(context=1)), found, (24, 24, 24))
    assert divisor == (1, 4, 4)
    assert spec["context"] == 1
    assert nets.build(spec).down[0].conv1.kernel_size == (3, 3, 3)
    assert nets.build(spec).down[1].conv1.kernel_size == (1, 3, 3)
    with pytest.raises(RecipeError, match="volumes"):
        described(UNet(form=Form(context=1)), fingerprint(discs(), "segment"), (24, 24))


def test_a_plain_u_net_is_described_as_ever(discs) -> None:
    spec = described(UNet(), fingerprint(discs(), "segment"), (24, 24))[0]
    assert list(spec) == ["name", "rank", "channels", "outputs", "seed", "widths", "strides", "residual", "deep"]


def test_atrous_rates_go_by_the_coarse_grid(discs) -> None:
    found = fingerprint(discs(), "segment")
    large, small = (described(DeepLab(width=4), found, (n, n))[0]["rates"] for n in (528, 256))
    assert (large, small) == ([6, 12, 18], [3, 6, 9])
    assert described(DeepLab(width=4, rates=(2, 4)), found, (64, 64))[0]["rates"] == [2, 4]


def test_published_weights_bring_their_width(discs, tmp_path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"weights")
    spec, _, origins = described(
        VGGDecoder(weights=str(tmp_path / "w.safetensors"), frozen=True), fingerprint(discs(), "segment"), (64, 64)
    )
    assert (spec["width"], spec["frozen"]) == (64, True)
    assert origins["network.weights"].startswith("recipe: sha256 ")


@pytest.mark.parametrize("recipe", [UNet(), *RECIPES[1:]], ids=lambda r: type(r).__name__)
def test_the_estimate_follows_what_the_modules_make(discs, recipe) -> None:
    import torch
    from torch import nn

    spec = described(recipe, fingerprint(discs(), "segment"), (128, 128))[0]
    module, made = nets.build(spec), []
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d, nn.InstanceNorm2d, nn.GroupNorm, nn.ReLU, nn.LeakyReLU)):
            part.register_forward_hook(lambda _m, _i, out: made.append(out.numel()))
    with torch.inference_mode():
        module(torch.zeros(1, 1, 128, 128))
    # What is kept for the way back, and the joins and sums between the modules, come on top.
    assert 1.2 < numbers(spec) / (sum(made) / 128**2) < 2.3


def test_a_second_head_is_described_where_the_recipe_asks_for_it(discs) -> None:
    found = fingerprint(discs(), "segment")
    for said, wanted in ((None, None), (False, None), (True, True)):
        spec, _, origins = described(UNet(form=Form(distance=said)), found, (24, 24))
        assert spec.get("distance") is wanted
        assert ("network.distance" in origins) is bool(wanted)
