from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Cases, Watch, knobs, merged
from isocenter.tasks.classify.cnn import Cnn

QUICK = {"study.epochs": 6, "study.steps": 5, "study.batch_size": 8, "study.learning_rate": 0.01, "width": 8}


def corners(n: int = 30, classes: int = 2, rank: int = 2) -> Cases:
    rng = np.random.default_rng(0)
    y = np.arange(n) % classes
    x = rng.normal(0, 1, (n, *(16,) * rank)).astype(np.float32)
    for i, c in enumerate(y):
        x[i][(slice(0, 8) if c % 2 else slice(8, 16), slice(0, 8) if c < 2 else slice(8, 16))] += 3
    return Cases.from_arrays(x, [f"c{c}" for c in y], splits=["train"] * (n - 8) + ["val"] * 8)


@pytest.fixture(scope="module")
def answerer():
    cases = corners()
    return merged(Cnn(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())


def test_it_learns(answerer) -> None:
    found = [(answerer.predict(c), c.truth()) for c in corners().split("val")]
    assert np.mean([f.decision == (t.label,) for f, t in found]) >= 0.85
    assert all(f.classes == ("c0", "c1") and abs(sum(f.values) - 1) < 1e-6 for f, _ in found)


def test_it_comes_back_from_its_state(answerer) -> None:
    again = Cnn.from_state(answerer.about, answerer.state())
    for case in corners().split("val"):
        assert again.predict(case).values == answerer.predict(case).values


@pytest.mark.parametrize(
    ("classes", "rank", "network"), [(4, 2, "small"), (2, 3, "small"), (2, 2, "resnet18"), (2, 3, "resnet18")]
)
def test_more_classes_more_axes_and_the_large_network(classes: int, rank: int, network: str) -> None:
    cases = corners(20, classes, rank)
    recipe = merged(Cnn(), QUICK | {"study.epochs": 1, "study.steps": 1, "network": network})
    found = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch()).predict(cases[0])
    assert len(found.values) == classes


def test_it_opens_for_gradients(answerer) -> None:
    opened = answerer.opened()
    tensor = opened.prepare(corners()[0]).requires_grad_()
    opened.module(tensor)[0, 1].backward()
    assert float(tensor.grad.abs().sum()) > 0
    assert opened.layers[-1] in dict(opened.module.named_modules())


def test_the_catalog_finds_it_and_every_field_is_described() -> None:
    assert catalog.find("classify", "cnn") is Cnn
    assert all(k.text for k in knobs(Cnn))
