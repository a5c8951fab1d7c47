"""A network with other weights: what changes and what must not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Case, Image, NotEvaluated, Probabilities, Segmentation
from isocenter.tasks.explain._redrawn import Redrawn


def test_every_weight_is_another_and_the_network_itself_stays(kit):
    net = kit.Net(kit.convolutional())
    kept = [p.detach().clone() for p in net.module.parameters()]
    other = Redrawn(net).opened().module
    assert all(torch.equal(a, b) for a, b in zip(kept, net.module.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(kept, other.parameters(), strict=True))
    assert not other.training


def test_one_seed_one_network_and_torchs_own_chance_is_untouched(kit):
    net, x = kit.Net(kit.convolutional()), kit.prepared(kit.case())
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    one, two, three = (Redrawn(net, s).opened().module(x) for s in (0, 0, 1))
    assert torch.equal(torch.rand(1), wanted)
    assert torch.equal(one, two) and not torch.equal(one, three)


def test_parameters_that_no_rule_reaches_take_another_order():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.arange(50.0))

        def forward(self, x):
            return x

    from isocenter.tasks.explain._redrawn import _other

    new = _other(Own()).scale.detach()
    assert not torch.equal(new, torch.arange(50.0)) and torch.equal(new.sort()[0], torch.arange(50.0))


def test_it_answers_like_any_predictor(kit):
    net = kit.Net(kit.convolutional())
    answer = Redrawn(net).predict(kit.case())
    assert isinstance(answer, Probabilities) and answer.values != net.predict(kit.case()).values
    pixels = kit.Net(nn.Sequential(nn.Conv2d(1, 3, 3, padding=1)), ("background", "a", "b"))
    region = Redrawn(pixels).predict(kit.case())
    assert isinstance(region, Segmentation) and region.scores.shape == (3, 16, 20)
    assert np.allclose(region.scores.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(region.labels, region.scores.argmax(axis=0))
    broken = Case.of(Image.from_array(np.full((4, 4), np.nan)))
    assert isinstance(Redrawn(pixels).predict(broken), NotEvaluated)


@pytest.mark.parametrize("shape", [(16, 20), (4, 8, 10)])
def test_volumes_too(kit, shape):
    assert isinstance(Redrawn(kit.Net(kit.convolutional(rank=len(shape)))).predict(kit.case(shape)), Probabilities)
