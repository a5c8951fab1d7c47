"""Class activation maps against Captum, and against their own equations written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.tasks.explain._cam import enlarged, grad_cam, grad_cam_plus
from isocenter.tasks.explain._inside import of_layer


@pytest.mark.parametrize("shape", [(16, 20), (6, 10, 12)])
def test_grad_cam_is_captums(kit, captum, shape):
    net, x = kit.Net(kit.convolutional(rank=len(shape))), kit.prepared(kit.case(shape))
    highest = 0.0
    for target in (0, 1):
        theirs = captum.LayerGradCam(net.module, net.module[2]).attribute(x, target=target, relu_attributions=True)
        ours = grad_cam(*of_layer(net.opened(), x, lambda z, target=target: z[0, target], "2"))
        highest = max(highest, float(ours.max()))
        # To a ten-thousandth of the map's own height too: its values are small.
        assert torch.allclose(ours, theirs.detach(), atol=min(1e-4, 1e-4 * float(theirs.detach().max()) + 1e-9))
    assert highest > 0


def test_grad_cam_plus_is_its_equation_pixel_by_pixel():
    rng = np.random.default_rng(0)
    maps, slope = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5))
    heat = np.zeros((4, 5))
    for a, g in zip(maps, slope, strict=True):
        weight = 0.0
        for y in range(4):
            for x in range(5):
                alpha = g[y, x] ** 2 / (2 * g[y, x] ** 2 + a.sum() * g[y, x] ** 3)
                weight += alpha * max(g[y, x], 0.0)
        heat += weight * a
    ours = grad_cam_plus(torch.from_numpy(maps)[None], torch.from_numpy(slope)[None])[0, 0].numpy()
    assert np.allclose(ours, np.maximum(heat, 0))


def test_without_any_gradient_there_is_no_map():
    maps, none = torch.ones(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    assert not grad_cam(maps, none).any()
    assert not grad_cam_plus(maps, none).any()


def test_several_objects_count_alike():
    """What the paper is about: one large and one small object; both are seen, not the large one alone."""
    maps = torch.zeros(1, 2, 8, 8)
    maps[0, 0, :4, :4] = 1.0
    maps[0, 1, 7, 7] = 1.0
    slope = torch.where(maps > 0, 0.5, 0.0)
    plain, plus = (f(maps, slope)[0, 0] for f in (grad_cam, grad_cam_plus))
    assert plain[7, 7] / plain[0, 0] < 0.1
    assert plus[7, 7] / plus[0, 0] > plain[7, 7] / plain[0, 0]


def test_a_map_is_enlarged_to_the_networks_grid(captum):
    heat = torch.rand(1, 1, 4, 5)
    ours = enlarged(heat, (16, 20))
    theirs = captum.LayerAttribution.interpolate(heat, (16, 20), interpolate_mode="bilinear")
    assert ours.shape == (16, 20) and np.allclose(ours, theirs[0, 0].numpy(), atol=1e-6)
    assert enlarged(torch.rand(1, 1, 2, 3, 3), (4, 6, 6)).shape == (4, 6, 6)
