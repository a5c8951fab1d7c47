from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from isocenter.data import Case, Cases, Entry, Image, Instances, Study, Watch, as_settings, build
from isocenter.errors import RecipeError
from isocenter.tasks.instances.mask_rcnn import MaskRCNN

BRIEF = {
    "study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "study.patch": (64, 64), "width": 8, "features": 16,
}  # fmt: skip


def case_of(seed):
    rng = np.random.default_rng(seed)
    numbers, (y, x) = np.zeros((64, 80), np.int32), np.mgrid[:64, :80]
    for i in range(1, 5):
        numbers[(y - rng.integers(8, 56)) ** 2 + (x - rng.integers(8, 72)) ** 2 <= 36] = i
    image = Image.from_array((numbers > 0) * 50.0 + rng.normal(size=numbers.shape))
    truth = partial(Instances.from_label_map, numbers, image.geometry)
    return Case(f"case{seed}", {"image": image}, load_truth=truth)


def cases(seeds):
    return Cases(tuple(Entry(f"case{i}", partial(case_of, i)) for i in seeds), task="instances", classes=("object",))


@pytest.fixture(scope="module")
def fitted():
    return build(MaskRCNN, BRIEF).fit(cases(range(4)), cases([4, 5]), watch=Watch(threads=1))


def test_a_recipe_is_plain_values(fitted):
    recipe = MaskRCNN(width=16, study=Study(epochs=2))
    assert build(MaskRCNN, as_settings(recipe)) == recipe
    assert recipe.limits == (0.5,) and recipe.network == "rcnn"
    with pytest.raises(RecipeError):
        build(MaskRCNN, {"width": 3})


def test_it_studies_and_answers_on_the_cases_own_grid(fitted):
    out = fitted.predict(case_of(7))
    assert isinstance(out, Instances) and out.classes == ("object",) and out.geometry.shape == (64, 80)
    assert fitted.about["plan"]["head"] == "rcnn" and len(fitted.about["history"]) == 1
    assert 0 <= fitted.about["score"] <= 1 and "val" in fitted.about["origins"]["plan.settings.least"]
    assert {"network.onnx", "box0.onnx", "mask.onnx"} <= set(fitted.state()) and "box1.onnx" not in fitted.state()


def test_it_comes_back_from_its_state(fitted):
    again = MaskRCNN.from_state(fitted.about, fitted.state())
    mine, theirs = fitted.predict(case_of(8)), again.predict(case_of(8))
    assert np.array_equal(mine.label_map(), theirs.label_map()) and np.array_equal(mine.scores, theirs.scores)


def test_the_same_seed_gives_the_same_bytes(fitted):
    again = build(MaskRCNN, BRIEF).fit(cases(range(4)), cases([4, 5]), watch=Watch(threads=1))
    assert set(again.state()) == set(fitted.state())
    assert all(np.array_equal(again.state()[k], v) for k, v in fitted.state().items())
