"""The fitted network that answers pixel by pixel."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Fitted, Image, Instances, Normalisation, NotEvaluated, Plan, Predictor
from isocenter.errors import BundleError
from isocenter.infer import engine
from isocenter.tasks.instances._fitted import FittedContours

PLAN = Plan(
    "instances", 2, 1, ("background", "bright"), normalisation=Normalisation("none"), patch=(16, 16), divisor=(8, 8),
    head="contours", settings={"outputs": 5, "scale": 4.0, "prominence": 0.6},
)  # fmt: skip
BLOCKED = """
import sys
sys.modules["torch"] = None
import numpy as np
from isocenter.bundle import open_bundle, state
from isocenter.data import Case, Image
from isocenter.tasks.instances._fitted import FittedContours
bundle = open_bundle(sys.argv[1])
fitted = FittedContours.from_state(bundle.about["about"], state(bundle))
pixels = np.full((20, 30), -5.0, np.float32)
pixels[2:6, 3:8] = pixels[12:16, 20:24] = 5.0
print(fitted.predict(Case.of(Image.from_array(pixels))).areas.tolist())
"""


@pytest.fixture
def fitted(conv_network):
    """Bright is what is above 0; every pixel votes for itself."""
    weights = np.array([-1.0, 1.0, 1.0, 0.0, 0.0]).reshape(5, 1, 1, 1)
    network = conv_network((weights, np.zeros(5)))
    vector = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    arrays = {
        "network.onnx": np.frombuffer(network, np.uint8),
        "vector/input": vector,
        "vector/output": engine(network, threads=1)(vector),
        "weights/head.weight": np.ones(2, np.float32),
    }
    about = {"recipe": {}, "plan": PLAN.as_json(), "network": {"name": "unet"}, "classes": ["bright"], "history": []}
    return FittedContours(about, arrays)


def test_it_answers_on_the_cases_own_grid(fitted) -> None:
    assert isinstance(fitted, Fitted) and isinstance(fitted, Predictor)
    pixels = np.full((37, 25), -5.0, np.float32)
    pixels[4:9, 5:9] = 5.0
    found = fitted.predict(Case.of(Image.from_array(pixels)))
    assert isinstance(found, Instances) and found.areas.tolist() == [20] and found.classes == ("bright",)
    assert found.geometry.shape == (37, 25)
    assert isinstance(fitted.predict(Case.of(Image.from_array(np.full((9, 9), np.inf)))), NotEvaluated)


def test_it_answers_the_same_from_a_bundle_without_torch(fitted, tmp_path) -> None:
    folder = tmp_path / "one.bundle"
    write(fitted, folder, task="instances", method="contours")
    found = subprocess.run([sys.executable, "-c", BLOCKED, str(folder)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "[20, 16]"
    again = FittedContours.from_state(fitted.about, state(open_bundle(folder)))
    assert np.array_equal(again.state()["network.onnx"], fitted.state()["network.onnx"])


def test_a_plan_of_another_task_is_refused(fitted) -> None:
    about = {**fitted.about, "plan": fitted.about["plan"] | {"task": "segment"}}
    with pytest.raises(BundleError, match="another question"):
        FittedContours(about, fitted.arrays)
