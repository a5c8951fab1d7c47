from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Image, Normalisation, NotEvaluated, Plan, Probabilities
from isocenter.errors import BundleError, InputError
from isocenter.infer import classify, engine
from isocenter.infer.classifying import decided, probabilities


def plan(classes=("normal", "pneumonia"), rank=2, **fields):
    fields.setdefault("normalisation", Normalisation("none"))
    return Plan("classify", rank, 1, classes, **fields)


@pytest.fixture
def mean_network(conv_network):
    """Logits 0 and the mean of the image."""

    def make(rank):
        return engine(conv_network((np.array([0.0, 1.0]).reshape(2, 1, *[1] * rank), [0.0, 0.0]), pool=True), threads=1)

    return make


@pytest.mark.parametrize("shape", [(16, 24), (8, 16, 16)])
def test_the_probability_of_each_class(shape, mean_network, rng):
    pixels = rng.normal(size=shape).astype(np.float32) + 1
    out = classify(mean_network(len(shape)), Image.from_array(pixels), plan(rank=len(shape)))
    assert isinstance(out, Probabilities) and out.classes == ("normal", "pneumonia") and not out.multilabel
    assert out.of("pneumonia") == pytest.approx(1 / (1 + np.exp(-pixels.mean())), abs=1e-5)
    assert out.decided is None and out.decision == ("pneumonia",)


def test_size_divisor_and_channels(rng):
    seen = []

    def run(batch):
        seen.append(batch.shape)
        return np.zeros((1, 2), np.float32)

    image = Image.from_array(rng.normal(size=(100, 60)), spacing=(1.0, 1.0))
    classify(run, image, plan(size=(30, 30), divisor=(32, 32)))
    classify(run, image, plan(spacing=(2.0, 2.0)))
    assert seen == [(1, 1, 32, 32), (1, 1, 50, 30)]


def test_temperature_and_sigmoid():
    logits = np.array([2.0, -1.0, 500.0])
    assert probabilities(logits[:2], plan(temperature=2.0))[0] == pytest.approx(1 / (1 + np.exp(-1.5)))
    each = probabilities(logits, plan(("a", "b", "c"), multilabel=True, temperature=0.5))
    np.testing.assert_allclose(each, [1 / (1 + np.exp(-4)), 1 / (1 + np.exp(2)), 1.0])
    assert probabilities(logits, plan(("a", "b", "c"))).sum() == 1


def test_thresholds_decide():
    two = plan(thresholds=(0.7, 0.3), positive="pneumonia")
    assert decided(np.array([0.65, 0.35]), two) == ("pneumonia",)
    assert decided(np.array([0.75, 0.25]), two) == ("normal",)
    one = plan(thresholds=(0.3,), positive="pneumonia")
    assert decided(np.array([0.65, 0.35]), one) == ("pneumonia",)
    several = plan(("a", "b", "c"), multilabel=True, thresholds=(0.2, 0.9, 0.5))
    assert decided(np.array([0.3, 0.8, 0.5]), several) == ("a", "c")
    three = plan(("a", "b", "c"), thresholds=(0.5, 0.1, 0.5))
    assert decided(np.array([0.6, 0.2, 0.2]), three) == ("b",)
    assert decided(np.array([0.6, 0.4]), plan()) is None


def test_decisions_reach_the_answer(mean_network):
    image = Image.from_array(np.zeros((8, 8), np.float32))
    out = classify(mean_network(2), image, plan(thresholds=(0.6, 0.4), positive="pneumonia"))
    assert out.decided == ("pneumonia",) and out.label == "normal"
    out = classify(mean_network(2), image, plan(thresholds=(0.4, 0.6), multilabel=True))
    assert out.multilabel and out.decision == ("normal",)


def test_mirrored_answers_are_averaged(rng):
    image = Image.from_array(np.arange(12.0).reshape(3, 4))
    out = classify(lambda batch: batch[:, 0, :2, 0], image, plan(mirror=("x",)))
    corner, mirrored = np.array([0.0, 4.0]), np.array([3.0, 7.0])
    wanted = np.exp((corner + mirrored) / 2)
    np.testing.assert_allclose(out.values, wanted / wanted.sum(), rtol=1e-6)


def test_refusals(mean_network, rng):
    run = mean_network(2)
    with pytest.raises(BundleError, match="another question"):
        classify(run, Image.from_array(np.zeros((4, 4))), Plan("segment", 2, 1, ("background", "a")))
    with pytest.raises(InputError, match="cut"):
        classify(run, Image.from_array(np.zeros((4, 4, 4))), plan())
    with pytest.raises(BundleError, match="another shape"):
        classify(run, Image.from_array(np.zeros((4, 4))), plan(("a", "b", "c")))
    assert isinstance(classify(run, Image.from_array(np.full((4, 4), np.nan)), plan()), NotEvaluated)


def test_a_map_of_the_plan_follows_the_temperature():
    how = {"kind": "platt", "slope": [0.5, 0.5], "offset": [0.2, -0.2]}
    found = probabilities(np.array([4.0, 0.0]), plan(temperature=2.0, settings={"calibration": how}))
    assert found == pytest.approx([1 / (1 + np.exp(-1.4)), 1 / (1 + np.exp(1.4))])
    steps = {"kind": "isotonic", "at": [[0.3, 0.7]] * 2, "value": [[0.4, 0.6]] * 2}
    sure = probabilities(np.array([9.0, -9.0]), plan(settings={"calibration": steps}))
    assert sure == pytest.approx([0.6, 0.4])
