from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Fitted, Image, Normalisation, NotEvaluated, Plan, Predictor, Segmentation
from isocenter.data.turning import turned, turned_labels
from isocenter.errors import BundleError
from isocenter.infer import engine
from isocenter.tasks.segment._fitted import FittedSegmenter

PLAN = Plan(
    "segment", 2, 1, ("background", "bright"), normalisation=Normalisation("none"), patch=(16, 16), divisor=(8, 8)
)
BLOCKED = """
import sys
sys.modules["torch"] = None
import numpy as np
from isocenter.bundle import open_bundle, state
from isocenter.data import Case, Image
from isocenter.errors import MissingExtraError
from isocenter.tasks.segment._fitted import FittedSegmenter
bundle = open_bundle(sys.argv[1])
fitted = FittedSegmenter.from_state(bundle.about["about"], state(bundle))
print(int(fitted.predict(Case.of(Image.from_array(np.arange(-300.0, 300.0).reshape(20, 30)))).labels.sum()))
try:
    fitted.opened()
except MissingExtraError as error:
    print(error.line())
"""


@pytest.fixture
def fitted(conv_network):
    """Bright is what is above 0."""
    network = conv_network((np.array([-1.0, 1.0]).reshape(2, 1, 1, 1), np.zeros(2)))
    vector = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    arrays = {
        "network.onnx": np.frombuffer(network, np.uint8),
        "vector/input": vector,
        "vector/output": engine(network, threads=1)(vector),
        "weights/head.weight": np.ones(2, np.float32),
    }
    about = {"recipe": {}, "plan": PLAN.as_json(), "network": {"name": "unet"}, "classes": ["bright"], "history": []}
    return FittedSegmenter(about, arrays)


@pytest.fixture
def case(rng):
    return Case.of(Image.from_array(rng.normal(size=(37, 25)).astype(np.float32)))


def test_it_answers_on_the_cases_own_grid(fitted, case):
    assert isinstance(fitted, Fitted) and isinstance(fitted, Predictor)
    out = fitted.predict(case)
    assert isinstance(out, Segmentation) and out.regions == ("bright",)
    assert np.array_equal(out.labels, case.image().pixels() > 0)
    assert out.geometry is case.image().geometry


def test_asked_for_scores_it_gives_the_softmax_and_the_same_labels(fitted, case):
    found = fitted.scored(case)
    wanted = 1 / (1 + np.exp(-2 * case.image().pixels()))
    assert np.allclose(found.scores[1], wanted, atol=1e-5) and np.allclose(found.scores.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(found.labels, fitted.predict(case).labels) and fitted.predict(case).scores is None


def test_a_bundle_brings_it_back(fitted, case, tmp_path):
    bundle = write(fitted, tmp_path / "b", task="segment", method="unet", made={"isocenter": "0.1.0"})
    again = FittedSegmenter.from_state(bundle.about["about"], state(open_bundle(tmp_path / "b")))
    assert again.about == fitted.about and again.state().keys() == fitted.state().keys()
    assert np.array_equal(again.predict(case).labels, fitted.predict(case).labels)


def test_the_stored_vector_is_asked_before_the_first_answer(fitted, case):
    wrong = {**fitted.arrays, "vector/output": fitted.arrays["vector/output"] + 0.01}
    with pytest.raises(BundleError, match="other than at its export"):
        FittedSegmenter(fitted.about, wrong).predict(case)


def test_parts_that_are_missing_are_refused_at_once(fitted):
    for name in ("network.onnx", "vector/input", "vector/output"):
        with pytest.raises(BundleError, match=name):
            FittedSegmenter(fitted.about, {k: v for k, v in fitted.arrays.items() if k != name})
    with pytest.raises(BundleError, match="plan"):
        FittedSegmenter({**fitted.about, "plan": {"task": "segment"}}, fitted.arrays)


def test_nothing_can_be_changed_from_outside(fitted):
    with pytest.raises(AttributeError):
        fitted.about = {}
    fitted.state().clear()
    assert fitted.state()


def test_nan_is_not_evaluated(fitted):
    pixels = np.full((9, 9), np.nan)
    assert isinstance(fitted.predict(Case.of(Image.from_array(pixels))), NotEvaluated)


def test_a_bundle_answers_while_torch_is_blocked(fitted, tmp_path):
    write(fitted, tmp_path / "b", task="segment", method="unet")
    command = [sys.executable, "-c", BLOCKED, str(tmp_path / "b")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer, refusal = done.stdout.splitlines()
    assert int(answer) == 299
    assert "isocenter[train]" in refusal


@pytest.mark.parametrize("codes", ["SPL", "LAS", "PRI", "ILA"])
def test_a_volume_stored_another_way_round_gets_the_same_answer(conv_network, rng, codes):
    # The kernel looks towards the head only, so that an answer on a volume as it lies would differ.
    kernel = np.zeros((2, 1, 3, 3, 3), np.float32)
    kernel[1, 0, 2, 1, 1] = 1.0
    network = conv_network((kernel, np.zeros(2)))
    vector = rng.normal(size=(1, 1, 8, 8, 8)).astype(np.float32)
    arrays = {
        "network.onnx": np.frombuffer(network, np.uint8),
        "vector/input": vector,
        "vector/output": engine(network, threads=1)(vector),
    }
    plan = replace(PLAN, rank=3, patch=(16, 16, 16), divisor=(1, 1, 1), orientation="SPL")
    about = {"recipe": {}, "plan": plan.as_json(), "network": {"name": "unet"}, "classes": ["bright"], "history": []}
    fitted = FittedSegmenter(about, arrays)
    straight = Image.from_array(rng.normal(size=(5, 6, 7)).astype(np.float32), spacing=(2.0, 1.0, 1.0))
    image = turned(straight, codes)
    wanted = fitted.predict(Case.of(straight))
    found = fitted.predict(Case.of(image))
    assert found.geometry == image.geometry
    assert np.array_equal(found.labels, turned_labels(wanted, codes).labels)
