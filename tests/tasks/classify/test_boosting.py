"""Boosted trees as a method."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Progress, Watch, as_settings, build
from isocenter.errors import BundleError, RecipeError
from isocenter.tasks.classify.boosting import Boosting, FittedBoosting, Growing

QUICK = {"size": 6, "trees": Growing(rounds=40)}


def accuracy(method: FittedBoosting, cases) -> float:
    return float(np.mean([method.predict(c).decision == e.labels for c, e in zip(cases, cases.entries, strict=True)]))


@pytest.mark.parametrize("options", [{}, {"classes": 3}, {"shape": (6, 24, 24)}])
def test_it_learns(corners, options: dict) -> None:
    method = Boosting(**QUICK).fit(corners(80, **options), corners(40, seed=1, **options))
    assert accuracy(method, corners(40, seed=2, **options)) > 0.85


def test_several_labels_at_once(both_labels) -> None:
    train, valid = both_labels
    method = Boosting(**QUICK).fit(train, valid)
    found = [method.predict(c) for c in valid]
    assert found[0].multilabel and len(method.about["plan"]["thresholds"]) == 2
    assert np.mean([set(f.decision) == set(e.labels) for f, e in zip(found, valid.entries, strict=True)]) > 0.8


def test_rounds_and_threshold_come_from_val_and_a_few_cases_make_small_leaves(corners) -> None:
    train, valid = corners(30), corners(31, seed=1)
    method = Boosting(**QUICK).fit(train, valid)
    losses = [h["valid_log_loss"] for h in method.about["history"]]
    assert len(method.state()["roots"]) == int(np.argmin(losses)) + 1 <= len(losses)
    assert method.about["plan"]["positive"] == "mass" and len(method.about["plan"]["thresholds"]) == 1
    # Thirty cases and leaves of twenty: nothing could be split.
    assert (method.state()["features"] >= 0).any()


def test_it_looks_at_what_the_recipe_names(corners) -> None:
    train, valid = corners(40), corners(20, seed=1)
    one = Boosting(size=4, trees=Growing(rounds=5)).fit(train, valid)
    two = Boosting(size=4, trees=Growing(rounds=5), features="radiomics").fit(train, valid)
    assert one.about["features"]["kind"] == "thumbnail" and two.about["features"]["kind"] == "radiomics"
    assert two.state()["features"].max() < 18 + 23 + 79
    assert isinstance(two.predict(Case.of(Image.from_array(np.full((24, 24), np.nan)))), NotEvaluated)


def test_the_same_data_give_the_same_bits_and_come_back(corners) -> None:
    train, valid = corners(40), corners(20, seed=1)
    one, two = (Boosting(**QUICK).fit(train, valid) for _ in range(2))
    assert all(np.array_equal(one.state()[k], two.state()[k]) for k in one.state())
    back = Boosting.from_state(json.loads(json.dumps(one.about)), one.state())
    assert back.predict(valid[0]) == one.predict(valid[0])


def test_progress_reaches_the_end(corners) -> None:
    said: list[Progress] = []
    Boosting(**QUICK).fit(corners(20), corners(10), watch=Watch(report=said.append))
    assert said[-1].share == 1.0 and [p.share for p in said] == sorted(p.share for p in said)


def test_what_does_not_fit_is_refused(corners) -> None:
    method = Boosting(**QUICK).fit(corners(20), corners(20))
    with pytest.raises(BundleError, match="do not fit"):
        Boosting.from_state(method.about, {k: v for k, v in method.state().items() if k != "left"})
    with pytest.raises(BundleError, match="no trees"):
        Boosting.from_state(method.about, {**method.state(), "left": 0 * method.state()["left"]})
    with pytest.raises(BundleError, match="do not fit"):
        Boosting.from_state({**method.about, "classes": ["a", "b", "c"]}, method.state())
    for settings in ({"rate": 0}, {"trees": {"leaves": 1}}, {"features": "pixels"}):
        with pytest.raises(RecipeError):
            build(Boosting, settings)


def test_recipes_come_back() -> None:
    recipe = Boosting(trees=Growing(leaves=7), features="both", region="mask")
    assert build(Boosting, json.loads(json.dumps(as_settings(recipe)))) == recipe


def test_it_studies_and_answers_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from isocenter.data import Cases\n"
        "from isocenter.tasks.classify.boosting import Boosting\n"
        "from isocenter.tasks.classify.mlp import Mlp\n"
        "x = np.random.default_rng(0).normal(size=(20, 8, 8)); x[::2, :4] += 3\n"
        "cases = Cases.from_arrays(list(x), np.arange(20) % 2)\n"
        "print([m(size=4).fit(cases, cases).predict(cases[0]).label for m in (Boosting, Mlp)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['0', '0']"
