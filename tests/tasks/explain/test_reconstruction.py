"""The error map of networks whose restored image is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import Attribution, Case, Image, NotEvaluated
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.explain.reconstruction import Reconstruction


class Flat(nn.Module):
    """Restores every image as its mean: what stands out of it is the error."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(1, 1)
        self.register_buffer("sides", torch.tensor([-0.5, 0.5]))

    def restored(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3), keepdim=True).expand_as(x) * (1 + 0 * self.scale.weight.sum())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.restored(x) - x).square().mean((1, 2, 3))[:, None] * self.sides


def test_the_map_is_the_squared_error(kit) -> None:
    case = kit.case()
    found = Reconstruction(of=kit.Net(Flat())).predict(case)
    pixels = case.image().pixels()
    assert isinstance(found, Attribution) and found.method == "reconstruction" and found.target == "mass"
    assert np.allclose(found.values, (pixels - pixels.mean()) ** 2, atol=1e-6)
    assert np.array_equal(Reconstruction(of=kit.Net(Flat()), target="mass").predict(case).values, found.values)


def test_colours_are_averaged(kit) -> None:
    array = np.random.default_rng(0).random((3, 6, 8)).astype(np.float32)
    case = Case.of(Image.from_array(array, axes="cyx"))
    found = Reconstruction(of=kit.Net(Flat())).predict(case)
    assert np.allclose(found.values, ((array - array.mean((1, 2), keepdims=True)) ** 2).mean(0), atol=1e-6)


def test_what_has_no_restored_image_is_refused(kit) -> None:
    with pytest.raises(RecipeError, match="restores no images"):
        Reconstruction(of=kit.Net(kit.convolutional())).predict(kit.case())
    with pytest.raises(RecipeError, match="explain another method"):
        Reconstruction()
    with pytest.raises(NotFoundError, match="not normal"):
        Reconstruction(of=kit.Net(Flat()), target="normal").predict(kit.case())
    broken = Case.of(Image.from_array(np.full((4, 4), np.nan)))
    assert isinstance(Reconstruction(of=kit.Net(Flat())).predict(broken), NotEvaluated)


def test_with_other_weights_it_is_asked_again(kit) -> None:
    made = Reconstruction(of=kit.Net(Flat())).redrawn("mass", seed=1)
    assert made.predict(kit.case()).target == "mass"
