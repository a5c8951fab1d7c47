from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Fitted, Image, Instances, Normalisation, NotEvaluated, Plan, Predictor
from isocenter.errors import BundleError
from isocenter.tasks.instances._fitted_rcnn import FittedRegions

ANCHORS = [[[12.0, 12.0], [20.0, 20.0]]]
BLOCKED = """
import sys
sys.modules["torch"] = None
import numpy as np
from isocenter.bundle import open_bundle, state
from isocenter.data import Case, Image
from isocenter.tasks.instances._fitted_rcnn import FittedRegions
bundle = open_bundle(sys.argv[1])
fitted = FittedRegions.from_state(bundle.about["about"], state(bundle))
pixels = np.random.default_rng(0).normal(size=(50, 70)).astype(np.float32)
print(int(fitted.predict(Case.of(Image.from_array(pixels))).label_map().astype(bool).sum()))
"""


@pytest.fixture(scope="module")
def fitted():
    """An untrained network, exported."""
    from isocenter import nets
    from isocenter.data import Study
    from isocenter.fit.questions.rcnn import QUESTION
    from isocenter.fit.scheme import Scheme

    spec = {"name": "rcnn", "rank": 2, "channels": 1, "outputs": 1, "seed": 0, "anchors": ANCHORS, "width": 8,
            "features": 16, "limits": [0.5]}  # fmt: skip
    settings = {"strides": [4], "anchors": ANCHORS, "features": 16, "spreads": [[0.1, 0.2]], "bins": [7, 14],
                "proposals": [100, 50], "least": 0.2, "limit": 0.4, "most": 20}  # fmt: skip
    plan = Plan("instances", 2, 1, ("cell",), normalisation=Normalisation("none"), divisor=(32, 32), head="rcnn",
                settings=settings)  # fmt: skip
    module = nets.build(spec)
    vector = np.random.default_rng(0).normal(size=(1, 1, 64, 64)).astype(np.float32)
    arrays = QUESTION.exported(module, Scheme(plan, spec, Study()), vector)
    about = {"recipe": {}, "plan": plan.as_json(), "network": spec, "classes": ["cell"], "history": [], "vector": {}}
    return FittedRegions(about, arrays)


def random_case():
    return Case.of(Image.from_array(np.random.default_rng(0).normal(size=(50, 70)).astype(np.float32)))


def test_it_answers_on_the_cases_own_grid(fitted):
    assert isinstance(fitted, Fitted) and isinstance(fitted, Predictor)
    out = fitted.predict(random_case())
    assert isinstance(out, Instances) and out.geometry.shape == (50, 70) and 0 < len(out) <= 20
    assert np.array_equal(out.label_map(), fitted.predict(random_case()).label_map())


def test_pixels_that_are_no_numbers_are_not_evaluated(fitted):
    assert isinstance(fitted.predict(Case.of(Image.from_array(np.full((40, 40), np.nan)))), NotEvaluated)


def test_a_bundle_answers_without_torch(fitted, tmp_path):
    folder = tmp_path / "cells.bundle"
    made = {"isocenter": "0.1.0", "codes": {}}
    write(fitted, folder, task="instances", method="mask_rcnn", made=made, fingerprint={}, origins={})
    again = FittedRegions.from_state(open_bundle(folder).about["about"], state(open_bundle(folder)))
    mine = fitted.predict(random_case()).label_map()
    assert np.array_equal(again.predict(random_case()).label_map(), mine)
    ran = subprocess.run([sys.executable, "-c", BLOCKED, str(folder)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) == np.count_nonzero(mine)


@pytest.mark.parametrize("name", ["network.onnx", "box0.onnx", "mask.onnx", "vector/mask/output", "vector/input"])
def test_a_missing_part_is_named(fitted, name):
    arrays = {k: v for k, v in fitted.state().items() if k != name}
    with pytest.raises(BundleError, match="lacks a part"):
        FittedRegions(fitted.about, arrays)


def test_what_contradicts_itself_is_refused(fitted):
    plan = {**fitted.about["plan"], "settings": {**fitted.about["plan"]["settings"], "spreads": []}}
    with pytest.raises(BundleError, match="contradicts"):
        FittedRegions({**fitted.about, "plan": plan}, fitted.state())
    with pytest.raises(BundleError, match="not bytes"):
        FittedRegions(fitted.about, {**fitted.state(), "mask.onnx": np.zeros(3)})


def test_a_head_that_answers_otherwise_is_found_out(fitted):
    arrays = {**fitted.state(), "vector/mask/output": fitted.state()["vector/mask/output"] + 1}
    with pytest.raises(BundleError, match="other than at its export"):
        FittedRegions(fitted.about, arrays).predict(random_case())
