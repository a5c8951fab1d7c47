"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Path of a real data set by its folder name; skips where it is absent (ISOCENTER_DATA names the folder)."""
    base = Path(os.environ.get("ISOCENTER_DATA") or ROOT.parent / "shared" / "data")

    def path(name: str) -> Path:
        if not (base / name).is_dir():
            pytest.skip(f"real data absent: {name} (set ISOCENTER_DATA to the folder that holds it)")
        return base / name

    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return ROOT


@pytest.fixture(scope="session")
def conv_network() -> Callable[..., bytes]:
    """Makes ONNX bytes of convolutions without torch: ``conv_network((weight, bias), ..., pool=False)``.

    Weights are (out, in, *kernel) with odd kernels; grids stay; a ReLU stands between layers; `pool` averages the grid
    away. The batch and the grid are free.
    """
    onnx = pytest.importorskip("onnx")
    from onnx import helper, numpy_helper

    def make(*layers: tuple[Any, Any], pool: bool = False) -> bytes:
        rank = np.ndim(layers[0][0]) - 2
        nodes, held, last = [], [], "input"
        for i, (weight, bias) in enumerate(layers):
            weight = np.asarray(weight, np.float32)
            held.append(numpy_helper.from_array(weight, f"w{i}"))
            held.append(numpy_helper.from_array(np.asarray(bias, np.float32), f"b{i}"))
            half = [k // 2 for k in weight.shape[2:]]
            nodes.append(helper.make_node("Conv", [last, f"w{i}", f"b{i}"], [f"c{i}"], pads=half * 2))
            last = f"c{i}"
            if i + 1 < len(layers):
                nodes.append(helper.make_node("Relu", [last], [f"r{i}"]))
                last = f"r{i}"
        if pool:
            nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
            nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
            last = "flat"
        free = [f"s{i}" for i in range(rank)]
        given = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["n", np.shape(layers[0][0])[1], *free])
        out = ["n", np.shape(layers[-1][0])[0], *([] if pool else free)]
        answer = helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, out)
        graph = helper.make_graph(nodes, "network", [given], [answer], held)
        opset = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    """Numbers that are the same in every run."""
    return np.random.default_rng(0)
