"""The network that answers a velocity at half the grid."""

from __future__ import annotations

import pytest
import torch

from isocenter import nets
from isocenter.errors import RecipeError
from isocenter.nets.velocity import Velocity


def test_the_first_step_down_is_not_taken_back() -> None:
    flat = Velocity(2, 2, 2, widths=[4, 8], strides=[[2, 2], [2, 2]]).eval()
    deep = Velocity(3, 2, 3, widths=[4, 8, 8], strides=[[1, 2, 2], [2, 2, 2], [1, 2, 2]]).eval()
    assert flat(torch.randn(2, 2, 16, 24)).shape == (2, 2, 8, 12)
    assert deep(torch.randn(1, 2, 6, 16, 24)).shape == (1, 3, 6, 8, 12)
    alone = Velocity(2, 2, 2, widths=[4], strides=[[2, 2]]).eval()
    assert alone(torch.randn(1, 2, 8, 8)).shape == (1, 2, 4, 4)


def test_it_begins_as_the_identity_and_every_weight_learns() -> None:
    spec = {"name": "velocity", "rank": 2, "channels": 2, "outputs": 2, "seed": 3, "widths": [4, 8],
            "strides": [[2, 2], [2, 2]]}
    net, x = nets.build(spec), torch.randn(2, 2, 16, 16)
    answer = net(x).detach()
    assert 0 < float(answer.abs().max()) < 1e-2
    assert torch.equal(answer, nets.build(spec)(x).detach()), "drawn from the seed alone"
    net.train()(x).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters() if p.ndim > 1)


def test_widths_and_strides_must_fit() -> None:
    with pytest.raises(RecipeError, match="do not fit"):
        Velocity(2, 2, 2, widths=[4, 8], strides=[[2, 2]])
