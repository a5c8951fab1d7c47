from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from isocenter import nets
from isocenter.bundle.tensors import packed
from isocenter.errors import BundleError, MissingFileError
from isocenter.fit.pretrained import begun, digest
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
