"""What channels make of an image, where it is known what they look for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Case, Image, NotEvaluated
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.explain.features import Features


@pytest.fixture
def edges(kit):
    """Three channels: vertical edges, the brightness itself at half size, and nothing."""
    see = nn.Conv2d(1, 3, 3, padding=1, stride=2, bias=False)
    kernels = torch.zeros(3, 1, 3, 3)
    kernels[0, 0, :, 0], kernels[0, 0, :, 2] = -1.0, 1.0
    kernels[1, 0, 1, 1] = 1.0
    see.weight.data = kernels
    return kit.Net(nn.Sequential(see, nn.ReLU(), kit.Mean(), nn.Linear(3, 2)), layers=("0", "1"))


def spot(at: tuple[int, int], height: float = 1.0, id: str = "x") -> Case:
    pixels = np.zeros((24, 32), np.float32)
    pixels[at[0] - 2 : at[0] + 2, at[1] - 2 : at[1] + 2] = height
    return Case.of(Image.from_array(pixels), id=id)


def test_the_maps_are_the_layers_output_the_most_varied_first(edges, kit):
    found = Features(of=edges).predict(spot((8, 20)))
    assert found.layer == "1" and found.total == 3 and found.channels == (0, 1, 2)
    x = kit.prepared(spot((8, 20)))
    expected = edges.module[1](edges.module[0](x))[0].detach().numpy()
    assert np.allclose(found.values, expected) and found.values.shape == (3, 12, 16)
    assert Features(of=edges, most=1).predict(spot((8, 20))).channels == (0,)
    assert Features(of=edges, layer="0").predict(spot((8, 20))).values.min() < 0


def test_the_patches_that_excite_a_channel_most(edges):
    cases = [spot((8, 20), 0.5, "dim"), spot((16, 6), 2.0, "bright"), spot((12, 12), 1.0, "middle")]
    found = Features(of=edges).exciting(cases, [1, 0], patches=2)
    assert [p.case for p in found[1]] == ["bright", "middle"] and found[1][0].value == 2.0
    best = found[1][0]
    assert best.pixels.shape == (6, 8) and best.pixels.max() == 2.0
    assert abs(best.centre[0] - 16) <= 2 and abs(best.centre[1] - 6) <= 2
    assert list(found) == [1, 0] and all(p.channel == 0 for p in found[0])
    corner = Features(of=edges, side=0.5).exciting([spot((2, 2))], [1], patches=3)[1]
    assert len(corner) == 1 and corner[0].pixels.shape == (12, 16) and corner[0].pixels.max() == 1.0


def test_volumes_and_no_hook_is_left(kit):
    net = kit.Net(kit.convolutional(rank=3), layers=("2",))
    found = Features(of=net, most=4).predict(kit.case((6, 10, 12)))
    assert found.values.shape == (4, 3, 5, 6) and not net.module[2]._forward_hooks
    patch = Features(of=net).exciting([kit.case((6, 10, 12))], [0])[0][0]
    assert patch.pixels.shape == (2, 2, 3) and len(patch.centre) == 3


def test_what_is_refused_and_what_has_no_answer(edges):
    with pytest.raises(RecipeError, match="feature maps need the inside"):
        Features(of=object())
    with pytest.raises(NotFoundError, match="no layer"):
        Features(of=edges, layer="7").predict(spot((8, 20)))
    with pytest.raises(NotFoundError, match="no grid"):
        Features(of=edges, layer="3").predict(spot((8, 20)))
    broken = Case.of(Image.from_array(np.full((8, 8), np.nan)))
    assert isinstance(Features(of=edges).predict(broken), NotEvaluated)
    assert Features(of=edges).exciting([broken], [0]) == {0: []}
