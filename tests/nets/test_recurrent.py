"""A network that reads sequences."""

from __future__ import annotations

import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.nets import build
from isocenter.nets.recurrent import CELLS, POOLINGS, Recurrent

SPEC = {"name": "recurrent", "rank": 3, "channels": 1, "outputs": 2, "sizes": [4, 2], "hidden": 4, "seed": 0}


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", list(CELLS))
def test_any_length_and_grid_and_every_case_by_itself(cell: str, pooling: str) -> None:
    module = build(SPEC | {"cell": cell, "pooling": pooling})
    assert isinstance(module, Recurrent)
    x = torch.randn(3, 1, 6, 10, 12)
    with torch.inference_mode():
        every = module(x)
        assert every.shape == (3, 2) and module(x[:, :, :2, :8, :8]).shape == (3, 2)
        assert torch.allclose(module(x[1:2]), every[1:2], atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_order_of_slices_counts(pooling: str) -> None:
    module = build(SPEC | {"pooling": pooling})
    x = torch.randn(1, 1, 6, 8, 8)
    with torch.inference_mode():
        assert not torch.allclose(module(x), module(x.flip(2)), atol=1e-6)
        assert not torch.allclose(module(x), module(x.flip(4)), atol=1e-6), "where in the plane counts too"


def test_what_is_pooled() -> None:
    answers = torch.arange(12.0).reshape(1, 3, 4)
    made = {p: build(SPEC | {"hidden": 2, "pooling": p})._pooled(answers) for p in POOLINGS}
    assert made["mean"].tolist() == [[4.0, 5.0, 6.0, 7.0]] and made["max"].tolist() == [[8.0, 9.0, 10.0, 11.0]]
    assert made["last"].tolist() == [[8.0, 9.0, 2.0, 3.0]], "the way back ends at the first slice"
    low, high = answers.amin(1), answers.amax(1)
    assert ((made["attention"] >= low) & (made["attention"] <= high)).all()


def test_two_axes_are_refused() -> None:
    with pytest.raises(RecipeError, match="volumes"):
        build(SPEC | {"rank": 2})
