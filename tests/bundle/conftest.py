from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Plain:
    """The least that a bundle can be written from."""

    about: dict[str, Any]
    arrays: dict[str, Any] = field(default_factory=dict)

    def state(self):
        return self.arrays

    def predict(self, case):
        return None


@pytest.fixture
def fitted(conv_network) -> Plain:
    """A fitted method with a network, a weight and a vector."""
    network = conv_network((np.ones((2, 1, 1, 1)), np.zeros(2)))
    arrays = {
        "network.onnx": np.frombuffer(network, np.uint8),
        "weights/head.weight": np.arange(4, dtype=np.float32),
        "vector/input": np.zeros((1, 1, 2, 2), np.float32),
    }
    return Plain({"recipe": {"study": {"epochs": 3}}, "plan": {"task": "segment", "rank": 2}, "classes": ["a"]}, arrays)


@pytest.fixture
def save(fitted, tmp_path) -> Callable[..., Any]:
    """Writes `fitted`; keywords replace arguments."""
    from isocenter.bundle import write

    def write_it(folder=None, **changed):
        facts = {
            "made": {"isocenter": "0.1.0", "seed": 0},
            "origins": {"study.epochs": "plan"},
            "fingerprint": {"train": ["ab" * 32], "val": [], "groups": []},
            "card": {"intended_use": "Tests"},
        }
        return write(
            fitted, folder or tmp_path / "b.bundle", **{"task": "segment", "method": "unet", **facts, **changed}
        )

    return write_it
