"""Guided backpropagation against Captum, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.errors import InputError
from isocenter.tasks.explain._guided import guided
from isocenter.tasks.explain._inside import gradient


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
@pytest.mark.parametrize("shape", [(16, 20), (6, 10, 12)])
def test_it_is_captums(kit, captum, shape):
    module, x = kit.convolutional(rank=len(shape)), kit.prepared(kit.case(shape))
    ours = guided(module, x, lambda z: z[0, 1])
    theirs = captum.GuidedBackprop(module).attribute(x.clone().requires_grad_(), target=1)[0].detach().numpy()
    assert np.abs(ours).max() > 1e-5
    assert np.allclose(ours, theirs, atol=1e-4, rtol=1e-4)


class Functional(nn.Module):
    """Rectifiers that are no modules, in place and not."""

    def __init__(self, rectify):
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two, self.rectify = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 2, 3), rectify

    def forward(self, x):
        return self.two(self.rectify(self.one(x))).mean(dim=(2, 3))


SAME = [
    nn.functional.relu, torch.relu, lambda x: x.relu(), lambda x: nn.functional.relu(x, inplace=True),
    lambda x: nn.functional.relu(x, True), nn.ReLU(inplace=True), lambda x: nn.functional.leaky_relu(x, 0.0),
]  # fmt: skip


@pytest.mark.parametrize("rectify", SAME)
def test_every_way_to_write_a_rectifier_is_met(kit, rectify):
    x = kit.prepared(kit.case())
    ours = guided(Functional(rectify), x, lambda z: z[0, 0])
    expected = guided(Functional(nn.ReLU()), x, lambda z: z[0, 0])
    assert np.array_equal(ours, expected)
    assert not np.allclose(ours, gradient(Functional(rectify), x, lambda z: z[0, 0])[1])


def test_signs_and_slopes(kit):
    x = 9 * torch.ones(1, 1, 1, 1)
    x.requires_grad_()

    class Only(nn.Module):
        def __init__(self, act):
            super().__init__()
            self.act = act

        def forward(self, x):
            return self.act(x).flatten(1)

    assert guided(Only(nn.ReLU()), x, lambda z: z[0, 0]) == 1
    assert guided(Only(nn.ReLU()), x, lambda z: -z[0, 0]) == 0
    assert guided(Only(nn.LeakyReLU(0.2)), -x, lambda z: z[0, 0]) == 0
    assert guided(Only(nn.LeakyReLU(0.2)), x, lambda z: z[0, 0]) == 1


def test_the_answer_stays_and_nothing_is_left_behind(kit):
    module, x = kit.convolutional(), kit.prepared(kit.case())
    before = gradient(module, x, lambda z: z[0, 1])
    guided(module, x, lambda z: z[0, 1])
    after = gradient(module, x, lambda z: z[0, 1])
    assert before[0] == after[0] and np.array_equal(before[1], after[1])


def test_a_network_without_rectifiers_is_refused_with_what_would_do(kit):
    with pytest.raises(InputError, match="occlusion"):
        guided(kit.convolutional(act=nn.Tanh), kit.prepared(kit.case()), lambda z: z[0, 1])
