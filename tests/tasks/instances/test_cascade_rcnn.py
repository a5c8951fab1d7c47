from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from isocenter.data import Case, Cases, Entry, Image, Instances, Watch, as_settings, build
from isocenter.errors import RecipeError
from isocenter.tasks.instances.cascade_rcnn import CascadeRCNN


def case_of(seed):
    rng = np.random.default_rng(seed)
    numbers = np.zeros((64, 64), np.int32)
    for i, (row, column) in enumerate(rng.integers(0, 48, (4, 2)), start=1):
        numbers[row : row + 12, column : column + 10] = i
    held = np.unique(numbers[numbers > 0])
    image = Image.from_array((numbers > 0) * 50.0 + rng.normal(size=numbers.shape))
    truth = partial(
        Instances.from_label_map, numbers, image.geometry, classes=("a", "b"), labels=[int(k) % 2 for k in held]
    )
    return Case(f"case{seed}", {"image": image}, load_truth=truth)


def cases(seeds):
    return Cases(tuple(Entry(f"case{i}", partial(case_of, i)) for i in seeds), task="instances", classes=("a", "b"))


def test_a_recipe_is_plain_values():
    recipe = CascadeRCNN(limits=(0.4, 0.6))
    assert build(CascadeRCNN, as_settings(recipe)) == recipe and CascadeRCNN().limits == (0.5, 0.6, 0.7)


@pytest.mark.parametrize("limits", [(0.5,), (0.5, 0.6, 0.7, 0.8), (0.6, 0.5), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0)])
def test_limits_that_make_no_cascade_are_refused(limits):
    with pytest.raises(RecipeError, match="cascade"):
        CascadeRCNN(limits=limits)


def test_it_studies_answers_and_comes_back():
    recipe = build(
        CascadeRCNN,
        {"limits": (0.5, 0.6), "study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "study.patch": (64, 64),
         "width": 8, "features": 16},
    )  # fmt: skip
    fitted = recipe.fit(cases(range(3)), cases([3]), watch=Watch(threads=1))
    assert {"network.onnx", "box0.onnx", "box1.onnx", "mask.onnx"} <= set(fitted.state())
    out = fitted.predict(case_of(9))
    assert isinstance(out, Instances) and out.classes == ("a", "b") and out.geometry.shape == (64, 64)
    again = CascadeRCNN.from_state(fitted.about, fitted.state()).predict(case_of(9))
    assert np.array_equal(out.label_map(), again.label_map())
    assert fitted.about["recipe"]["limits"] == [0.5, 0.6] or fitted.about["recipe"]["limits"] == (0.5, 0.6)
