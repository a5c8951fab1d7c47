"""The answer of a network as a number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import NotEvaluated
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.explain._inside import chosen, differentiable, gradient, of_layer, output_of


def test_the_classes_logit_and_its_gradient_are_captums_saliency(kit, captum):
    net, x = kit.Net(kit.convolutional(channels=3)), torch.rand(1, 3, 12, 14)
    name, score = chosen(net.opened(), x, "normal")
    value, slope = gradient(net.module, x, score)
    theirs = captum.Saliency(net.module).attribute(x.clone().requires_grad_(), target=0, abs=False)
    assert name == "normal" and value == pytest.approx(float(net.module(x)[0, 0].detach()))
    assert np.allclose(slope, theirs[0].numpy(), atol=1e-4) and np.abs(slope).max() > 1e-5


def test_of_pixels_the_largest_region_is_explained(kit):
    class Labels(nn.Module):
        def forward(self, x):
            low, high = (x > 0.2).float(), (x > 0.8).float()
            return torch.cat([0.5 + 0 * x, low - high, 2 * high], dim=1)

    net = kit.Net(Labels(), ("background", "organ", "lesion"))
    x = torch.zeros(1, 1, 6, 6)
    x[..., :4], x[..., 5] = 0.5, 1.0
    name, score = chosen(net.opened(), x, None)
    assert name == "organ" and float(score(net.module(x))) == 24.0
    assert chosen(net.opened(), x, "lesion")[0] == "lesion"
    assert isinstance(chosen(net.opened(), x * 0, None), NotEvaluated)


def test_all_but_one_class_together(kit):
    net = kit.Net(nn.Sequential(nn.Flatten(), nn.Linear(320, 3)), ("normal", "benign", "malignant"))
    x = kit.prepared(kit.case())
    name, score = chosen(net.opened(), x, "not normal")
    p = net.predict(kit.case()).of("normal")
    assert name == "not normal" and float(score(net.module(x)).detach()) == pytest.approx(np.log((1 - p) / p), abs=1e-5)
    with pytest.raises(NotFoundError):
        chosen(net.opened(), x, "not healthy")


def test_the_layer_that_still_tells_places_apart(kit):
    module = nn.Sequential(*(nn.Conv2d(1, 1, 2, stride=2) for _ in range(4)), kit.Mean(), nn.Linear(1, 2))
    net = kit.Net(module, layers=("0", "1", "2", "3"))
    for size, layer in ((32, "1"), (64, "2"), (128, "3"), (16, "0")):
        assert output_of(net.opened(), torch.rand(1, 1, size, size), None)[1] == layer
    assert output_of(kit.Net(module, layers=("2", "3")).opened(), torch.rand(1, 1, 16, 16), None)[1] == "3"
    assert output_of(net.opened(), torch.rand(1, 1, 32, 32), "3")[1] == "3"
    with pytest.raises(NotFoundError, match="no layer"):
        output_of(kit.Net(module, layers=()).opened(), torch.rand(1, 1, 16, 16), None)


def test_a_layers_output_and_gradient_are_those_of_torch(kit):
    net, x = kit.Net(kit.convolutional()), kit.prepared(kit.case())
    maps, slope = of_layer(net.opened(), x, lambda z: z[0, 1], "2")
    assert torch.equal(maps, net.module[2](net.module[1](net.module[0](x))).detach())
    assert slope.shape == maps.shape and not slope.requires_grad
    # Behind it: rectified, averaged over the grid, one linear layer.
    expected = net.module[5].weight[1].detach()[:, None, None] * (maps[0] > 0) / maps[0, 0].numel()
    assert torch.allclose(slope[0], expected, atol=1e-6)
    assert not net.module[2]._forward_hooks


def test_what_has_no_inside_is_refused_with_what_would_do(kit):
    with pytest.raises(RecipeError, match=r"occlusion.*shapley"):
        differentiable(object(), who="gradients")
    with pytest.raises(RecipeError, match="of="):
        differentiable(None, who="feature maps")
    with pytest.raises(NotFoundError, match="no grid"):
        of_layer(kit.Net(kit.convolutional()).opened(), kit.prepared(kit.case()), lambda z: z[0, 1], "5")
