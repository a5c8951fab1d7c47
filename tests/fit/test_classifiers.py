from __future__ import annotations

import pytest
import torch

from isocenter import nets
from isocenter.bundle.tensors import packed
from isocenter.data import merged
from isocenter.errors import RecipeError
from isocenter.fit.classifiers import LEAST, PUBLISHED, WIDTH, classifier, left
from isocenter.fit.fingerprint import Fingerprint, fingerprint
from isocenter.nets.building import NETWORKS
from isocenter.tasks._study import NETWORKS as NAMES
from isocenter.tasks.classify.cnn import Cnn

# Where the last convolution of each network answers.
LAST = {
    "small": "stages.2", "textbook": "features.6", "alexnet": "features.10", "vgg16": "features.28",
    "googlenet": "inception5b", "resnet18": "layer4", "resnet50": "layer4", "densenet121": "features.denseblock4",
    "mobilenet_v3_small": "features.12", "efficientnet_lite0": "_conv_head",
}  # fmt: skip


@pytest.fixture
def facts(pictures) -> Fingerprint:
    return fingerprint(pictures(), "classify")


def described(facts: Fingerprint, patch: tuple[int, ...], **settings: object) -> tuple[dict, dict[str, str]]:
    found = Fingerprint.from_json(facts.as_json() | {"rank": len(patch)})
    recipe, origins = merged(Cnn(), {"width": 8} | settings), {}
    base = {"name": recipe.network, "rank": len(patch), "channels": 1, "outputs": 2, "seed": 0}
    return classifier(recipe, found, patch, base, origins), origins


def test_the_recipe_offers_all_networks_that_there_are() -> None:
    assert set(NAMES) == set(WIDTH) == set(LAST)
    assert set(NAMES) <= set(NETWORKS)
    assert set(PUBLISHED) == set(NAMES) - {"small", "textbook"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("patch", [(64, 97), (70, 63)])
def test_the_last_convolution_has_as_many_pixels_as_said(name: str, patch: tuple[int, int]) -> None:
    spec = {"name": name, "rank": 2, "channels": 1, "outputs": 2, "width": 8}
    spec |= {"depth": 3} if name in ("small", "textbook") else {}
    module, seen = nets.build(spec), []
    module.get_submodule(LAST[name]).register_forward_hook(lambda _m, _i, out: seen.append(list(out.shape[2:])))
    module(torch.zeros(1, 1, *patch))
    assert left(spec, patch) == seen[0]
    assert left({**spec, "context": 1}, (5, *patch)) == [5, *seen[0]]


@pytest.mark.parametrize("name", NAMES)
def test_every_network_answers_images_volumes_and_slices(facts, name: str) -> None:
    for patch, settings in (((64, 72), {}), ((63, 63, 64), {}), ((3, 64, 63), {"form.context": 1})):
        spec, _ = described(facts, patch, network=name, **settings)
        module = nets.build(nets.answering(spec))
        with torch.inference_mode():
            assert module(torch.randn(1, 1, *patch)).shape == (1, 2)
        assert set(nets.layers(spec)) <= set(dict(module.named_modules()))
        assert nets.last(spec) in dict(module.named_modules()) or name == "small"


@pytest.mark.parametrize("name", LEAST)
def test_images_that_are_too_small_are_refused_with_the_least_size(facts, name: str) -> None:
    least = LEAST[name]
    spec, _ = described(facts, (least, least), network=name)
    assert nets.build(spec)(torch.zeros(1, 1, least, least)).shape == (1, 2)
    with pytest.raises(RecipeError, match=f"too small for {name}.*at least {least}"):
        described(facts, (80, least - 1), network=name)
    with pytest.raises(RuntimeError):
        nets.build(spec)(torch.zeros(1, 1, least - 1, least - 1))


def test_dense_layers_see_no_more_bins_than_there_are_pixels(facts) -> None:
    assert [described(facts, (n, n), network="vgg16")[0]["pooled"] for n in (64, 160, 288)] == [2, 5, 7]
    assert [described(facts, (n, n), network="alexnet")[0]["pooled"] for n in (64, 224)] == [1, 6]


def test_the_plan_chooses_by_cases_and_pixels_of_the_plane(facts) -> None:
    many = Fingerprint.from_json(facts.as_json() | {"n": 1000})
    assert described(many, (64, 64))[0]["name"] == "resnet18"
    assert described(many, (5, 64, 64), **{"form.context": 0})[0]["name"] == "resnet18"
    assert described(many, (5, 64, 64))[0]["name"] == "small"
    assert described(facts, (64, 64))[0]["name"] == "small"
    spec, origins = described(facts, (64, 64), network="vgg16", width=None)
    assert (spec["width"], spec["dropout"], origins["network.width"]) == (16, 0.5, "default")


def test_what_cannot_be_is_refused_with_the_nearest(facts) -> None:
    with pytest.raises(RecipeError, match="need volumes"):
        described(facts, (64, 64), network="resnet18", **{"form.context": 1})
    base = {"name": "unet", "rank": 2, "channels": 1, "outputs": 2}
    with pytest.raises(RecipeError, match="answers about an image whole"):
        classifier(Cnn(), facts, (64, 64), base, {})
    assert described(facts, (64, 64), network="mine:Net")[0]["name"] == "mine:Net"


def test_published_weights_bring_their_width_and_what_is_done_to_them_is_said(facts, tmp_path) -> None:
    state = nets.build({"name": "mobilenet_v3_small", "rank": 2, "channels": 3, "outputs": 5}).state_dict()
    path = tmp_path / "w.safetensors"
    path.write_bytes(packed({k: v.numpy() for k, v in state.items()}))
    settings = {"network": "mobilenet_v3_small", "width": None, "form.weights": str(path)}
    spec, origins = described(facts, (64, 64), **settings)
    assert spec["width"] == 16
    said = origins["network.weights"]
    assert said.startswith("recipe: sha256 ")
    assert "classifier.3 begins anew (5 classes in the file, 2 here)" in said
    assert "features.0.0.weight takes the sum over 3 channels in 1 equal parts" in said
    assert "across slices" in described(facts, (8, 64, 64), **settings)[1]["network.weights"]
