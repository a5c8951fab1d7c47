"""The fitted network of a number."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Fitted, Image, Normalisation, Plan, Predictor, Value, Values
from isocenter.errors import BundleError
from isocenter.infer import engine
from isocenter.tasks.regress._fitted import FittedRegressor

PLAN = Plan("regress", 2, 1, ("age",), normalisation=Normalisation("rescale"), size=(16, 16),
            settings={"mean": 40.0, "sd": 20.0, "unit": "years", "reach": 5.0})


@pytest.fixture
def fitted(conv_network):
    """The mean of the image, less its middle, in standard deviations."""
    network = conv_network((np.array([1.0]).reshape(1, 1, 1, 1), [-0.5]), pool=True)
    vector = np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    arrays = {
        "network.onnx": np.frombuffer(network, np.uint8),
        "vector/input": vector,
        "vector/output": engine(network, threads=1)(vector),
    }
    return FittedRegressor({"recipe": {}, "plan": PLAN.as_json(), "classes": ["age"]}, arrays)


def test_it_answers_in_its_unit_with_an_interval_and_comes_back(fitted, tmp_path) -> None:
    assert isinstance(fitted, Fitted) and isinstance(fitted, Predictor)
    case = Case.of(Image.from_array(np.full((30, 20), 204, np.uint8)))
    found = fitted.predict(case)
    assert isinstance(found, Values)
    assert found.of("age").number == pytest.approx(46.0, abs=1e-3) and found.of("age").unit == "years"
    assert found.of("age") == Value(found.of("age").number, "years", *(found.of("age").number + r for r in (-5.0, 5.0)))
    bundle = write(fitted, tmp_path / "b", task="regress", method="cnn")
    again = FittedRegressor.from_state(bundle.about["about"], state(open_bundle(tmp_path / "b")))
    assert again.predict(case) == found


def test_a_network_without_its_code_is_not_opened(fitted) -> None:
    with pytest.raises(BundleError, match="not part of isocenter"):
        fitted.opened()
