"""The perceptron as a method."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Cases, Progress, Watch, as_settings, build
from isocenter.errors import BundleError, RecipeError
from isocenter.tasks.classify.linear import Linear
from isocenter.tasks.classify.mlp import FittedMlp, Hidden, Mlp


def accuracy(method, cases) -> float:
    return float(np.mean([method.predict(c).decision == e.labels for c, e in zip(cases, cases.entries, strict=True)]))


@pytest.mark.parametrize("options", [{}, {"classes": 3}, {"shape": (6, 24, 24)}])
def test_it_learns(corners, options: dict) -> None:
    method = Mlp(size=6).fit(corners(80, **options), corners(40, seed=1, **options))
    assert accuracy(method, corners(40, seed=2, **options)) > 0.9


def test_it_learns_what_no_line_divides() -> None:
    """Two corners that are alike or not: each by itself says nothing."""
    rng = np.random.default_rng(0)
    both = rng.integers(0, 2, (400, 2))
    x = rng.normal(0, 0.3, (400, 8, 8))
    x[:, :4, :4] += 2 * both[:, 0, None, None] - 1
    x[:, 4:, 4:] += 2 * both[:, 1, None, None] - 1
    y = both[:, 0] ^ both[:, 1]
    # Noise of the brightness of the whole picture, which thumbnails are standardised against.
    x += rng.normal(0, 1, (400, 1, 1))
    x[:, :4, 4:] += rng.normal(0, 3, (400, 1, 1))
    parts = (slice(0, 240), slice(240, 300), slice(300, 400))
    train, valid, test = (Cases.from_arrays(list(x[s]), y[s]) for s in parts)
    recipe = Mlp(size=4, hidden=Hidden(32, dropout=0.1))
    assert accuracy(recipe.fit(train, valid), test) > 0.8
    assert accuracy(Linear(size=4, texture=False).fit(train, valid), test) < 0.7


def test_several_labels_at_once(both_labels) -> None:
    train, valid = both_labels
    method = Mlp(size=6).fit(train, valid)
    found = [method.predict(c) for c in valid]
    assert found[0].multilabel and len(method.about["plan"]["thresholds"]) == 2
    assert np.mean([set(f.decision) == set(e.labels) for f, e in zip(found, valid.entries, strict=True)]) > 0.8


def test_the_seed_of_the_run_decides_and_it_comes_back(corners) -> None:
    train, valid = corners(40), corners(20, seed=1)
    one, two, other = (Mlp(size=6).fit(train, valid, watch=Watch(seed=s)) for s in (1, 1, 2))
    assert all(np.array_equal(one.state()[k], two.state()[k]) for k in one.state())
    assert not np.array_equal(one.state()["weights0"], other.state()["weights0"])
    back = Mlp.from_state(json.loads(json.dumps(one.about)), one.state())
    assert back.predict(valid[0]) == one.predict(valid[0])


def test_layers_follow_the_recipe(corners) -> None:
    train, valid = corners(20), corners(20, seed=1)
    shapes = {
        layers: [v.shape for k, v in Mlp(size=2, hidden=Hidden(5, layers), features="radiomics").fit(train, valid)
                 .state().items() if k.startswith("weights")]
        for layers in (0, 2)
    }  # fmt: skip
    assert shapes == {0: [(120, 2)], 2: [(120, 5), (5, 5), (5, 2)]}


def test_progress_reaches_the_end(corners) -> None:
    said: list[Progress] = []
    Mlp(size=4).fit(corners(20), corners(10), watch=Watch(report=said.append))
    assert said[-1].share == 1.0 and [p.share for p in said] == sorted(p.share for p in said)


def test_what_does_not_fit_is_refused(corners) -> None:
    method: FittedMlp = Mlp(size=4).fit(corners(20), corners(20))
    state = method.state()
    for bad in ({"weights1": np.zeros((3, 2))}, {"biases0": np.zeros(3)}, {"scale": np.zeros(3)}):
        with pytest.raises(BundleError, match="do not fit"):
            Mlp.from_state(method.about, {**state, **bad})
    for gone in ("mean", "weights0"):
        with pytest.raises(BundleError, match="do not fit"):
            Mlp.from_state(method.about, {k: v for k, v in state.items() if k != gone})
    with pytest.raises(RecipeError):
        build(Mlp, {"hidden": {"dropout": 1.0}})
    recipe = Mlp(hidden=Hidden(layers=2), features="both")
    assert build(Mlp, json.loads(json.dumps(as_settings(recipe)))) == recipe
