from __future__ import annotations

import pytest
import torch

from isocenter.nets.vgg import VGG16, VGGDecoder

# Channels out and in of each convolution, by its number in the public weights (column D of the paper).
PUBLISHED = {
    0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256), 14: (256, 256),
    17: (512, 256), 19: (512, 512), 21: (512, 512), 24: (512, 512), 26: (512, 512), 28: (512, 512),
}  # fmt: skip


def test_the_encoder_has_the_names_and_shapes_of_the_public_weights() -> None:
    with torch.device("meta"):
        state = VGGDecoder(2, 3, 2).state_dict()
    own = {k: tuple(v.shape) for k, v in state.items() if k.startswith("features.")}
    shapes = {f"features.{n}.weight": (*s, 3, 3) for n, s in PUBLISHED.items()}
    assert own == shapes | {f"features.{n}.bias": (s[0],) for n, s in PUBLISHED.items()}
    # 14 714 688: the published number of parameters of the thirteen convolutions.
    assert sum(v.numel() for k, v in state.items() if k.startswith("features.")) == 14_714_688


def test_two_and_three_axes_answer_on_the_own_grid() -> None:
    assert VGGDecoder(2, 1, 2, width=4).eval()(torch.randn(2, 1, 32, 48)).shape == (2, 2, 32, 48)
    strides = [[1, 2, 2], [2, 2, 2], [1, 1, 1], [1, 1, 1]]
    assert VGGDecoder(3, 2, 3, width=4, strides=strides).eval()(torch.randn(1, 2, 4, 8, 8)).shape == (1, 3, 4, 8, 8)


def test_a_frozen_encoder_does_not_learn_but_passes_gradients_to_the_image() -> None:
    net = VGGDecoder(2, 1, 2, width=4, frozen=True).train()
    x = torch.randn(1, 1, 32, 32, requires_grad=True)
    net(x).square().mean().backward()
    learns = {name: p.grad is not None for name, p in net.named_parameters()}
    assert not any(v for k, v in learns.items() if k.startswith("features."))
    assert all(v for k, v in learns.items() if not k.startswith("features."))
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0


def test_every_stage_reaches_the_answer() -> None:
    net = VGGDecoder(2, 1, 2, width=4).train()
    net(torch.randn(2, 1, 32, 32)).square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)


def test_the_classifier_has_the_names_shapes_and_size_in_common_use() -> None:
    with torch.device("meta"):
        state = VGG16(2, 3, 1000).state_dict()
    shapes = {f"features.{n}.weight": (*s, 3, 3) for n, s in PUBLISHED.items()}
    shapes |= {"classifier.0.weight": (4096, 25088), "classifier.3.weight": (4096, 4096)}
    shapes |= {"classifier.6.weight": (1000, 4096)}
    shapes |= {k.replace("weight", "bias"): v[:1] for k, v in shapes.items()}
    assert {k: tuple(v.shape) for k, v in state.items()} == shapes
    assert sum(v.numel() for v in state.values()) == 138_357_544


def test_the_classifier_needs_so_many_pixels_and_sees_volumes_and_slices() -> None:
    net = VGG16(2, 1, 2, width=4).eval()
    assert net(torch.randn(1, 1, 32, 40)).shape == (1, 2)
    with pytest.raises(RuntimeError):
        net(torch.randn(1, 1, 31, 40))
    assert VGG16(3, 1, 2, width=4, pooled=1).eval()(torch.randn(1, 1, 32, 33, 34)).shape == (1, 2)
    assert VGG16(3, 1, 2, width=4, context=1).eval()(torch.randn(1, 1, 3, 33, 34)).shape == (1, 2)


def test_the_two_networks_share_their_encoder() -> None:
    plain, decoder = VGG16(2, 1, 2, width=4).eval(), VGGDecoder(2, 1, 2, width=4).eval()
    shared = {k: v for k, v in decoder.state_dict().items() if k.startswith("features.")}
    plain.load_state_dict({**plain.state_dict(), **shared})
    seen: list[torch.Tensor] = []
    for net in (plain, decoder):
        net.features[29].register_forward_hook(lambda _m, _i, out: seen.append(out.clone()))
        net(torch.ones(1, 1, 32, 32))
    assert torch.allclose(seen[0], seen[1], atol=1e-6)
