from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from isocenter import nets
from isocenter.data import Plan
from isocenter.errors import BundleError
from isocenter.fit.export import exported, vector_of
from isocenter.fit.validation import asked
from isocenter.infer import engine

SIZES = {"widths": [4, 8], "strides": [[2, 2]], "deep": 1}
NETWORKS = [
    ("segment", (1, 2, 16, 16), {"name": "unet", "rank": 2, "channels": 2, "outputs": 3} | SIZES),
    (
        "segment",
        (1, 1, 8, 8, 8),
        {"name": "unet", "rank": 3, "channels": 1, "outputs": 2} | SIZES | {"strides": [[1, 2, 2]]},
    ),
    ("classify", (1, 1, 32, 32), {"name": "resnet18", "rank": 2, "channels": 1, "outputs": 2, "width": 8}),
    ("classify", (1, 1, 16, 16), {"name": "small", "rank": 2, "channels": 1, "outputs": 2, "width": 8, "depth": 3}),
]


@pytest.mark.parametrize(("task", "shape", "spec"), NETWORKS)
def test_any_batch_and_grid_answers_as_torch_does(task: str, shape: tuple[int, ...], spec: dict[str, object]) -> None:
    module = nets.build(spec)
    classes = ("a", "b", "c")[: int(str(spec["outputs"]))]
    plan = Plan(task, len(shape) - 2, shape[1], classes, tolerance=1e-4)
    vector = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    data, answer = exported(module, plan, vector, dense=plan.task == "segment")
    assert np.array_equal(answer, asked(module, vector))
    other = np.random.default_rng(1).normal(size=(2, shape[1], *(2 * s for s in shape[2:]))).astype(np.float32)
    assert np.abs(engine(data)(other) - asked(module, other)).max() < 1e-4


def test_a_network_that_exports_to_something_else_is_refused() -> None:
    class Fickle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x) + (1.0 if torch.onnx.is_in_onnx_export() else 0.0)

    plan = Plan("segment", 2, 1, ("background", "a"))
    with pytest.raises(BundleError, match="does not answer as the trained one"):
        exported(Fickle(), plan, np.zeros((1, 1, 8, 8), np.float32), dense=True)


def test_the_vector_is_the_middle() -> None:
    image = np.arange(100, dtype=np.float32).reshape(1, 10, 10)
    assert vector_of(image, (4, 4)).tolist() == [image[:, 3:7, 3:7].tolist()]
    assert vector_of(image, (16, 4)).shape == (1, 1, 16, 4)
