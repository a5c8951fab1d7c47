"""Integrated gradients against Captum and against what must hold of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.tasks.explain._integrated import begun, integrated


@pytest.mark.parametrize("baseline", ["mean", "black", "blur"])
@pytest.mark.parametrize("shape", [(16, 20), (4, 8, 10)])
def test_it_is_captums(kit, captum, shape, baseline):
    module, x = kit.convolutional(rank=len(shape), act=nn.Softplus), kit.prepared(kit.case(shape))
    start = begun(x, baseline)
    ours, error = integrated(module, x, lambda z: z[0, 1], start=start, steps=64, tolerance=1e-3)
    theirs = captum.IntegratedGradients(module).attribute(x, start, target=1, n_steps=64)
    assert np.abs(ours).max() > 1e-5 and error < 1e-3
    assert np.allclose(ours, theirs[0].sum(dim=0).numpy(), atol=1e-4)


def test_the_sum_is_the_difference_of_the_answers(kit):
    module, x = kit.convolutional(), kit.prepared(kit.case())
    start = begun(x, "blur")
    values, error = integrated(module, x, lambda z: z[0, 0], start=start, steps=2, tolerance=0.01)
    with torch.no_grad():
        difference = float((module(x) - module(start))[0, 0])
    assert values.sum() == pytest.approx(difference, rel=0.02)
    assert abs(values.sum() - difference) / abs(difference) == pytest.approx(error, abs=1e-4)


def test_baselines():
    x = torch.from_numpy(np.random.default_rng(0).normal(5, 1, (1, 2, 24, 24)).astype(np.float32))
    assert float(begun(x, "blur").std(dim=(2, 3)).max()) < 0.3
    assert not begun(x, "mean").any()
    assert torch.equal(begun(x, "black"), torch.full_like(x, float(x.min())))


def test_no_change_of_answer_has_no_completeness(kit):
    module = nn.Sequential(nn.Flatten(), nn.Linear(320, 2))
    nn.init.zeros_(module[1].weight)
    x = kit.prepared(kit.case())
    values, error = integrated(module, x, lambda z: z[0, 0], start=begun(x, "mean"), steps=4, tolerance=0.01)
    assert error is None and not values.any()
