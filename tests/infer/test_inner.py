"""Inner values of a network, and what is cut off behind them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from isocenter.bundle import values
from isocenter.errors import BundleError, RecipeError
from isocenter.infer import engine
from isocenter.infer.inner import inner


def halving(onnx_bytes: bytes, after: str) -> bytes:
    """The network with a pooling by two after one of its values."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(onnx_bytes)
    for node in model.graph.node:
        node.input[:] = ["half" if name == after else name for name in node.input]
    pool = onnx.helper.make_node("AveragePool", [after], ["half"], kernel_shape=[2, 2], strides=[2, 2])
    where = next(i for i, n in enumerate(model.graph.node) if after in n.output) + 1
    model.graph.node.insert(where, pool)
    return model.SerializeToString()


def layers(rng: np.random.Generator, *widths: int) -> list:
    return [(rng.normal(size=(b, a, 3, 3)), rng.normal(size=b)) for a, b in pairwise(widths)]


def test_the_deepest_layer_that_is_fine_enough(conv_network, rng) -> None:
    data = halving(conv_network(*layers(rng, 1, 5, 6, 7, 2)), "r1")
    vector = rng.normal(size=(1, 1, 16, 20)).astype(np.float32)
    assert [name for _, name in values(data)] == ["c0", "r0", "c1", "r1", "half", "c2", "r2", "c3"]
    fine, coarse = inner(data, vector, stride=1), inner(data, vector, stride=2)
    assert fine(vector).shape == (1, 6, 16, 20) and coarse(vector).shape == (1, 2, 8, 10)
    assert fine(vector).min() == 0
    assert fine(np.zeros((1, 1, 30, 34), np.float32)).shape == (1, 6, 30, 34)
    np.testing.assert_allclose(coarse(vector), engine(data, threads=1)(vector), atol=1e-5)


def test_a_layer_without_several_channels_or_grid_is_none(conv_network, rng) -> None:
    vector = rng.normal(size=(1, 1, 8, 8)).astype(np.float32)
    with pytest.raises(RecipeError, match="as fine"):
        inner(conv_network(*layers(rng, 1, 1)), vector, stride=1)
    pooled = inner(conv_network(*layers(rng, 1, 4, 2), pool=True), vector, stride=4)
    assert pooled(vector).shape == (1, 2, 8, 8)


def test_what_is_no_network_is_refused(rng) -> None:
    vector = np.zeros((1, 1, 8, 8), np.float32)
    with pytest.raises(BundleError):
        inner(b"\x08\x07" * 50 + b"\xff", vector, stride=1)
    with pytest.raises(RecipeError, match="no inner layer"):
        inner(b"", vector, stride=1)
