from __future__ import annotations

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Fitted, Image, Normalisation, Plan, Predictor, Probabilities
from isocenter.errors import BundleError
from isocenter.infer import engine
from isocenter.tasks.classify._fitted import FittedClassifier

CLASSES = ("normal", "bright")
PLAN = Plan("classify", 2, 1, CLASSES, normalisation=Normalisation("rescale"), size=(16, 16), temperature=0.5)


@pytest.fixture
def fitted(conv_network):
    """Bright is what has a mean above the middle."""
    network = conv_network((np.array([0.0, 1.0]).reshape(2, 1, 1, 1), [0.0, -0.5]), pool=True)
    vector = np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    arrays = {
        "network.onnx": np.frombuffer(network, np.uint8),
        "vector/input": vector,
        "vector/output": engine(network, threads=1)(vector),
    }
    return FittedClassifier({"recipe": {}, "plan": PLAN.as_json(), "classes": list(CLASSES)}, arrays)


@pytest.fixture
def case():
    return Case.of(Image.from_array(np.full((30, 20), 204, np.uint8)))


def test_it_answers_with_calibrated_probabilities(fitted, case):
    assert isinstance(fitted, Fitted) and isinstance(fitted, Predictor)
    out = fitted.predict(case)
    assert isinstance(out, Probabilities) and out.classes == CLASSES
    assert out.of("bright") == pytest.approx(1 / (1 + np.exp(-(0.8 - 0.5) / 0.5)), abs=1e-5)


def test_a_bundle_brings_it_back(fitted, case, tmp_path):
    bundle = write(fitted, tmp_path / "b", task="classify", method="cnn")
    again = FittedClassifier.from_state(bundle.about["about"], state(open_bundle(tmp_path / "b")))
    assert again.predict(case) == fitted.predict(case)


def test_damage_is_refused(fitted, case):
    with pytest.raises(BundleError, match="other than at its export"):
        FittedClassifier(fitted.about, {**fitted.arrays, "vector/output": np.ones((1, 2), np.float32)}).predict(case)
    with pytest.raises(BundleError, match="another question"):
        FittedClassifier({**fitted.about, "plan": {**PLAN.as_json(), "task": "segment"}}, fitted.arrays)
    with pytest.raises(BundleError, match="missing"):
        FittedClassifier(fitted.about, {})
