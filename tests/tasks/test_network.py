from __future__ import annotations

import sys

import numpy as np
import pytest

from isocenter.data import Case, Image, Plan
from isocenter.errors import BundleError
from isocenter.tasks._network import accepted, opened_of, plan_of
from isocenter.tasks.segment._fitted import FittedSegmenter

PLAN = Plan("segment", 2, 1, ("background", "a"), divisor=(4, 4), spacing=(1.0, 1.0))
SPEC = {"name": "unet", "rank": 2, "channels": 1, "outputs": 2, "widths": [4, 8], "strides": [[2, 2]]}


def arrays(**changed):
    found = {
        "network.onnx": np.zeros(3, np.uint8),
        "vector/input": np.zeros((1, 1, 4, 4), np.float32),
        "vector/output": np.zeros((1, 2, 4, 4), np.float32),
    }
    return {name: array for name, array in {**found, **changed}.items() if array is not None}


def test_what_a_network_needs():
    accepted({"plan": PLAN.as_json()}, arrays(), "segment")
    for name in arrays():
        with pytest.raises(BundleError, match=name):
            accepted({"plan": PLAN.as_json()}, arrays(**{name: None}), "segment")
    with pytest.raises(BundleError, match="not bytes"):
        accepted({"plan": PLAN.as_json()}, arrays(**{"network.onnx": np.zeros(3)}), "segment")
    with pytest.raises(BundleError, match="another question"):
        accepted({"plan": PLAN.as_json()}, arrays(), "classify")


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"plan": None},
        {"plan": 3},
        {"plan": {}},
        {"plan": {**PLAN.as_json(), "pach": 1}},
        {"plan": {**PLAN.as_json(), "rank": float("nan")}},
        {"plan": {**PLAN.as_json(), "rank": float("inf")}},
        {"plan": {**PLAN.as_json(), "overlap": 10**400}},
        {"plan": {**PLAN.as_json(), "settings": [1]}},
    ],
)
def test_plans_that_cannot_be_read(about):
    with pytest.raises(BundleError, match="plan"):
        plan_of(about, "segment")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank", 4),
        ("patch", [16]),
        ("divisor", [0, 4]),
        ("spacing", [1.0, -1.0]),
        ("size", [4, 4, 4]),
        ("channels", 0),
        ("classes", []),
        ("overlap", 1.0),
        ("overlap", 0.999),
        ("overlap", float("nan")),
        ("divisor", [4096, 4]),
        ("size", [4, 1 << 20]),
        ("patch", [1 << 20, 4]),
        ("spacing", [float("nan"), 1.0]),
        ("spacing", [1.0, 1e-30]),
        ("channels", 1 << 20),
        ("smallest", float("nan")),
        ("smallest", -1.0),
        ("temperature", float("inf")),
        ("tolerance", float("nan")),
        ("tolerance", float("inf")),
        ("thresholds", [float("nan"), 0.5]),
        ("normalisation", {"kind": "window", "low": 0.0, "high": 1.0, "mean": 0.0, "sd": 0.0}),
        ("normalisation", {"kind": "window", "low": 0.0, "high": float("inf")}),
        ("mirror", ["z"]),
        ("temperature", 0.0),
        ("thresholds", [0.5, 0.5, 0.5]),
    ],
)
def test_plans_that_contradict_themselves(name, value):
    with pytest.raises(BundleError, match=name):
        plan_of({"plan": {**PLAN.as_json(), name: value}}, "segment")


@pytest.mark.parametrize(
    ("task", "head", "settings", "named"),
    [
        ("segment", "", {"outputs": "two"}, "settings.outputs"),
        ("detect", "detect", {"window": [-1, 64]}, "settings.window"),
        ("detect", "", {"most": 1e30}, "settings.most"),
        ("detect", "detect", {"seen": "large"}, "settings.seen"),
        ("instances", "contours", {"outputs": 5, "scale": 0}, "settings.scale"),
        ("instances", "contours", {"outputs": 5}, "settings.scale is missing"),
        ("instances", "rcnn", {}, "settings.strides is missing"),
    ],
)
def test_settings_that_cannot_be(task, head, settings, named):
    plan = Plan(task, 2, 1, ("background", "a"), divisor=(4, 4), head=head, settings=settings)
    with pytest.raises(BundleError, match="contradicts itself") as refused:
        plan_of({"plan": plan.as_json()}, task)
    line = refused.value.line()
    assert named in line and "\n" not in line


@pytest.fixture
def made():
    """A small U-Net as `fit` would leave it."""
    pytest.importorskip("torch")
    from isocenter import nets
    from isocenter.fit.export import exported

    module = nets.build(SPEC)
    vector = np.random.default_rng(1).normal(size=(1, 1, 16, 16)).astype(np.float32)
    data, answer = exported(module, PLAN, vector, dense=True)
    weights = {f"weights/{name}": value.numpy() for name, value in module.state_dict().items()}
    state = {"network.onnx": np.frombuffer(data, np.uint8), "vector/input": vector, "vector/output": answer, **weights}
    return FittedSegmenter({"plan": PLAN.as_json(), "network": SPEC, "classes": ["a"]}, state)


@pytest.fixture
def case(rng):
    return Case.of(Image.from_array(rng.normal(size=(21, 34)).astype(np.float32), spacing=(1.5, 0.9)))


def test_the_open_network_answers_as_the_exported_one(made, case):
    import torch

    inside = made.opened()
    tensor = inside.prepare(case)
    assert tensor.dtype == torch.float32 and tuple(tensor.shape) == (1, 1, 32, 32)
    assert inside.classes == ("background", "a") and inside.layers
    assert set(inside.layers) <= {name for name, _ in inside.module.named_modules()}
    with torch.no_grad():
        logits = inside.module(tensor)[0].numpy()
    home = inside.back(logits, case)
    labels = made.predict(case).labels
    assert home.shape == (2, 21, 34) and home.dtype == np.float32
    clear = np.abs(home[1] - home[0]) > 1e-4
    assert np.array_equal((home[1] > home[0])[clear], labels[clear].astype(bool))
    np.testing.assert_array_equal(inside.back(logits[1], case), home[1])


def test_gradients_flow_through_it(made, case):
    inside = made.opened()
    tensor = inside.prepare(case).requires_grad_()
    inside.module(tensor)[0, 1].sum().backward()
    assert float(tensor.grad.abs().sum()) > 0


def test_foreign_code_is_neither_imported_nor_called(made, monkeypatch):
    plan = plan_of(made.about, "segment")
    for name in ("antigravity:fly", "os:system", "os:getcwd", "isocenter.data:Plan", "torch:zeros", "x:", ":y"):
        with pytest.raises(BundleError, match="not part of isocenter"):
            opened_of({"network": {**SPEC, "name": name}}, made.arrays, plan)
    assert "antigravity" not in sys.modules
    without = {name: array for name, array in made.arrays.items() if not name.startswith("weights/")}
    with pytest.raises(BundleError, match="not part of isocenter"):
        opened_of({"network": SPEC}, without, plan)


def test_a_class_that_the_user_imported_may_be_opened(made, monkeypatch):
    import types

    import torch

    class Mine(torch.nn.Conv2d):
        def __init__(self, channels, outputs):
            super().__init__(channels, outputs, 1)

    module = types.ModuleType("mine")
    module.Mine = Mine
    monkeypatch.setitem(sys.modules, "mine", module)
    weights = {"weights/weight": np.ones((2, 1, 1, 1), np.float32), "weights/bias": np.zeros(2, np.float32)}
    plain = {name: array for name, array in made.arrays.items() if not name.startswith("weights/")}
    inside = opened_of({"network": {**SPEC, "name": "mine:Mine"}}, {**plain, **weights}, PLAN)
    assert isinstance(inside.module, Mine)
