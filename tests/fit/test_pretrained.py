from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from isocenter import nets
from isocenter.bundle.tensors import packed
from isocenter.data import merged
from isocenter.errors import BundleError, MissingFileError
from isocenter.fit.pretrained import adapted, begun, digest, named, tensors
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet
from isocenter.tasks.segment.vgg_decoder import VGGDecoder

SPEC = {"name": "vgg_decoder", "rank": 2, "channels": 3, "outputs": 2, "width": 4, "seed": 5}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A file as of a whole VGG of three channels: encoder and classifier."""
    state = nets.build(SPEC | {"seed": 1}).state_dict()
    arrays = {k: v.numpy() for k, v in state.items() if k.startswith("features.")}
    path = tmp_path / "vgg.safetensors"
    path.write_bytes(packed({**arrays, "classifier.0.weight": np.zeros((2, 2), np.float32)}))
    return path


def test_the_encoder_takes_the_weights_and_the_decoder_keeps_its_own(published: Path) -> None:
    fresh, donor = nets.build(SPEC), nets.build(SPEC | {"seed": 1})
    kept = {k: v.clone() for k, v in fresh.state_dict().items()}
    module = begun(fresh, VGGDecoder(weights=str(published)))
    for name, value in module.state_dict().items():
        source = donor.state_dict() if name.startswith("features.") else kept
        assert torch.equal(value, source[name]), name


def test_one_channel_answers_as_three_equal_ones(published: Path) -> None:
    recipe = VGGDecoder(weights=str(published))
    grey, colour = (begun(nets.build(SPEC | {"channels": c}), recipe).features for c in (1, 3))
    x = torch.randn(1, 1, 16, 16)
    with torch.inference_mode():
        assert torch.allclose(grey(x), colour(x.repeat(1, 3, 1, 1)), atol=1e-5)


def test_without_weights_nothing_happens() -> None:
    module = nets.build(SPEC)
    assert begun(module, UNet()) is module
    assert begun(module, VGGDecoder()) is module


def test_what_does_not_fit_is_refused(published: Path, tmp_path: Path) -> None:
    recipe = VGGDecoder(weights=str(published))
    with pytest.raises(BundleError, match="another shape"):
        begun(nets.build(SPEC | {"width": 8}), recipe)
    with pytest.raises(BundleError, match="another shape"):
        begun(nets.build(SPEC | {"channels": 2}), recipe)
    small = {"name": "unet", "rank": 2, "channels": 1, "outputs": 2, "widths": [4, 4], "strides": [[2, 2]]}
    with pytest.raises(BundleError, match="does not hold"):
        begun(nets.build(small), recipe)
    with pytest.raises(MissingFileError, match="no such file"):
        begun(nets.build(SPEC), VGGDecoder(weights=str(tmp_path / "none.safetensors")))
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(BundleError):
        begun(nets.build(SPEC), VGGDecoder(weights=str(tmp_path / "text")))


def test_the_digest_is_that_of_the_file(published: Path) -> None:
    assert digest(published) == hashlib.sha256(published.read_bytes()).hexdigest()


SMALL = {"name": "small", "rank": 2, "channels": 1, "outputs": 2, "width": 4, "depth": 3}
CODED = {"name": "autoencoder", "rank": 2, "channels": 1, "outputs": 2, "sizes": [4, 3, 5], "grid": [4, 4], "seed": 1}


def test_a_small_network_takes_the_encoder_of_an_autoencoders_bundle(tmp_path: Path) -> None:
    donor = nets.build(CODED).state_dict()
    (tmp_path / "x.bundle").mkdir()
    arrays = {f"weights/{k}": v.numpy() for k, v in donor.items()}
    data = packed(arrays | {"vector/input": np.zeros((1, 1), np.float32)})
    (tmp_path / "x.bundle" / "state.safetensors").write_bytes(data)
    recipe = merged(Cnn(), {"form.weights": str(tmp_path / "x.bundle")})
    assert set(tensors(tmp_path / "x.bundle")) == {*donor, "vector/input"}
    fresh = nets.build(SMALL)
    own = {k: v.clone() for k, v in fresh.state_dict().items()}
    for name, value in begun(fresh, recipe).state_dict().items():
        assert torch.equal(value, (own if name.startswith("fc.") else donor)[name]), name
    assert adapted(tmp_path / "x.bundle", SMALL) == ["fc begins anew (no classes in the file, 2 here)"]
    assert digest(tmp_path / "x.bundle") == hashlib.sha256(data).hexdigest()
    with pytest.raises(BundleError, match=r"does not hold.*stages\.3"):
        begun(nets.build(SMALL | {"depth": 4}), recipe)


RESNET = {"name": "resnet18", "rank": 2, "channels": 3, "outputs": 5, "width": 8, "seed": 1}
GOOGLENET = {"name": "googlenet", "rank": 2, "channels": 3, "outputs": 5, "width": 8, "aux": True, "seed": 1}


def kept(tmp_path: Path, spec: dict[str, object], *, without: str = "-") -> Cnn:
    """The recipe that names a file with the weights of a description."""
    path = tmp_path / "net.safetensors"
    state = nets.build(spec).state_dict()
    path.write_bytes(packed({k: v.numpy() for k, v in state.items() if without not in k}))
    return merged(Cnn(), {"form.weights": str(path)})


def test_a_classifier_takes_all_but_its_last_layer(tmp_path: Path) -> None:
    recipe, donor = kept(tmp_path, RESNET), nets.build(RESNET).state_dict()
    fresh = nets.build(RESNET | {"outputs": 2, "seed": 7})
    own = {k: v.clone() for k, v in fresh.state_dict().items()}
    for name, value in begun(fresh, recipe).state_dict().items():
        assert torch.equal(value, (own if name.startswith("fc.") else donor)[name]), name
    # With the same classes the last layer comes too.
    same = begun(nets.build(RESNET | {"seed": 7}), recipe).state_dict()
    assert all(torch.equal(same[k], donor[k]) for k in donor)


def test_heads_half_way_and_counts_may_be_missing(tmp_path: Path) -> None:
    recipe, donor = kept(tmp_path, GOOGLENET, without="aux"), nets.build(GOOGLENET).state_dict()
    found = begun(nets.build(GOOGLENET | {"outputs": 2, "seed": 7}), recipe).state_dict()
    assert torch.equal(found["inception5b.branch1.conv.weight"], donor["inception5b.branch1.conv.weight"])
    assert not torch.equal(found["aux1.conv.conv.weight"], donor["aux1.conv.conv.weight"])
    begun(nets.build(RESNET), kept(tmp_path, RESNET, without="num_batches_tracked"))
    with pytest.raises(BundleError, match=r"network's weights.*layer3\.0\.conv1"):
        begun(nets.build(RESNET), kept(tmp_path, RESNET, without="layer3.0.conv1"))


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_other_channels_answer_as_three_equal_ones(tmp_path: Path, channels: int) -> None:
    recipe = kept(tmp_path, RESNET)
    mine, theirs = (begun(nets.build(RESNET | {"channels": c}), recipe) for c in (channels, 3))
    x = torch.randn(1, 1, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(mine(x.repeat(1, channels, 1, 1)), theirs(x.repeat(1, 3, 1, 1)), atol=1e-4)


@pytest.mark.parametrize("context", [None, 0, 1])
def test_a_volume_of_equal_slices_answers_as_its_slice(tmp_path: Path, context: int | None) -> None:
    recipe = kept(tmp_path, RESNET)
    volume = nets.build(RESNET | {"rank": 3} | ({} if context is None else {"context": context}))
    begun(volume, recipe)
    flat = begun(nets.build(RESNET), recipe)
    x = torch.randn(1, 3, 32, 32)
    found: list[torch.Tensor] = []
    volume.layer1.register_forward_hook(lambda _m, _i, out: found.append(out[0]))
    flat.layer1.register_forward_hook(lambda _m, _i, out: found.append(out[0]))
    with torch.inference_mode():
        volume(x[:, :, None].repeat(1, 1, 65, 1, 1))
        flat(x)
    # Far from the first and last slice, beyond which there is nothing.
    middle = found[0].shape[1] // 2
    assert torch.allclose(found[0][:, middle], found[1], atol=1e-4)


def test_what_does_not_fit_a_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="another shape"):
        begun(nets.build(RESNET | {"width": 16}), kept(tmp_path, RESNET))
    dense = {"name": "vgg16", "rank": 2, "channels": 3, "outputs": 2, "width": 4}
    with pytest.raises(BundleError, match=r"classifier\.0.*another shape.*form\.context"):
        begun(nets.build(dense | {"rank": 3}), kept(tmp_path, dense))
    begun(nets.build(dense | {"rank": 3, "context": 0}), kept(tmp_path, dense))


def test_what_is_done_to_the_weights_is_said(tmp_path: Path) -> None:
    path = named(kept(tmp_path, RESNET))
    assert path is not None
    assert adapted(path, RESNET) == []
    assert adapted(path, RESNET | {"outputs": 2}) == ["fc begins anew (5 classes in the file, 2 here)"]
    said = adapted(path, RESNET | {"channels": 1, "rank": 3})
    assert said[0] == "conv1.weight takes the sum over 3 channels in 1 equal parts"
    assert said[1:] == ["kernels are laid out in equal parts across slices"]
    assert named(Cnn()) is None
