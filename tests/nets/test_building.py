from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.errors import BundleError, NotFoundError, RecipeError
from isocenter.nets import answering, build, last, lasting, layers

UNET = {"name": "unet", "rank": 2, "channels": 1, "outputs": 2, "widths": [4, 8, 8], "strides": [[2, 2]] * 2, "deep": 1}
SMALL = {"name": "small", "rank": 2, "channels": 1, "outputs": 2, "width": 8, "depth": 3}
RESNET = {"name": "resnet18", "rank": 2, "channels": 1, "outputs": 2, "width": 8}


def test_the_seed_alone_decides_the_weights() -> None:
    before = torch.random.get_rng_state()
    a, b, c = (build(UNET | {"seed": s}).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert any(not torch.equal(a[k], c[k]) for k in a)
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_go_in_and_come_out() -> None:
    net = build(UNET | {"seed": 3})
    weights = {k: v.numpy() for k, v in net.state_dict().items() if not k.startswith("aux.")}
    for array in weights.values():
        array.setflags(write=False)
    again = build(answering(UNET | {"distance": True}), weights)
    x = torch.randn(1, 1, 8, 8)
    assert torch.equal(net(x), again(x))
    assert not again.training


def test_heads_half_way_stay_behind() -> None:
    spec = {"name": "googlenet", "rank": 2, "channels": 1, "outputs": 2, "width": 8, "aux": True}
    state = build(spec).state_dict()
    again = build(answering(spec), {k: v.numpy() for k, v in state.items() if lasting(k)})
    assert {k for k in state if not lasting(k)} == {k for k in state if k.startswith(("aux1.", "aux2."))}
    assert len(again.state_dict()) < len(state)
    assert [lasting(k) for k in ("aux.0.weight", "auxiliary.weight", "fc.weight")] == [False, True, True]


def test_the_last_layer_has_the_classes() -> None:
    for spec in (RESNET, {"name": "alexnet", "rank": 2, "channels": 1, "outputs": 2, "width": 4}):
        assert build(spec).get_submodule(last(spec)).out_features == 2
    assert last(UNET) == last({"name": "mine:Net"}) == ""


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(BundleError, match="do not fit"):
        build(SMALL, {"fc.weight": np.zeros((2, 2), np.float32)})


def test_unknown_names_and_arguments_are_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Did you mean unet"):
        build({"name": "unett", "rank": 2, "channels": 1, "outputs": 2})
    with pytest.raises(RecipeError, match="no such argument"):
        build(SMALL | {"wings": 2})


def test_a_class_of_somebody_else() -> None:
    assert isinstance(build({"name": "torch.nn:Linear", "rank": 2, "channels": 3, "outputs": 2}), nn.Linear)
    with pytest.raises(NotFoundError, match="cannot load"):
        build({"name": "nowhere:Net", "rank": 2, "channels": 1, "outputs": 2})
    with pytest.raises(RecipeError, match="no torch module"):
        build({"name": "builtins:max", "rank": 2, "channels": 3, "outputs": 2})


def test_code_that_is_not_here_is_said_so() -> None:
    with pytest.raises(BundleError, match="handed over as an object"):
        build({"name": "given", "class": "somewhere:Net", "rank": 2, "channels": 1, "outputs": 2})


@pytest.mark.parametrize("spec", [UNET, SMALL, RESNET])
def test_layers_name_modules_that_exist(spec: dict[str, object]) -> None:
    names = dict(build(spec).named_modules())
    assert layers(spec)
    assert all(name in names for name in layers(spec))


def test_layers_of_somebody_elses_network_are_its_last_convolutions(tmp_path, monkeypatch) -> None:
    (tmp_path / "theirs.py").write_text(
        "from torch import nn\n"
        "def net(channels, outputs):\n"
        "    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, outputs, 1))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert layers({"name": "theirs:net", "rank": 2, "channels": 1, "outputs": 2}) == ("0", "2")
    with pytest.raises(RecipeError, match=r"Class\(channels, outputs\)"):
        build({"name": "torch.nn:Conv2d", "rank": 2, "channels": 1, "outputs": 2})


CLASSIFIERS = ("alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "densenet121", "mobilenet_v3_small",
               "efficientnet_lite0", "textbook")  # fmt: skip


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_layers_of_classifiers_give_maps_from_fine_to_coarse(name: str) -> None:
    spec = {"name": name, "rank": 2, "channels": 1, "outputs": 2, "width": 8}
    module, sides = build(spec), []
    assert all(n in dict(module.named_modules()) for n in layers(spec))
    for layer in layers(spec):
        module.get_submodule(layer).register_forward_hook(lambda _m, _i, out: sides.append(out.shape[2]))
    with torch.inference_mode():
        module(torch.zeros(1, 1, 96, 96))
    assert len(sides) == len(layers(spec))
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] >= 3


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_half_precision_learns_as_full_precision_does(name: str) -> None:
    spec = {"name": name, "rank": 2, "channels": 1, "outputs": 2, "width": 8, "dropout": 0.0, "seed": 1}
    x, slopes = torch.randn(4, 1, 128, 128, generator=torch.Generator().manual_seed(0)), []
    for enabled in (False, True):
        module = build(spec).train()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            out = module(x)
        out.float()[:, 0].sum().backward()
        found = module.get_submodule(last(spec)).weight.grad
        assert all(bool(torch.isfinite(p.grad).all()) for p in module.parameters())
        slopes.append(found.flatten())
    assert float(torch.nn.functional.cosine_similarity(*slopes, dim=0)) > 0.98
