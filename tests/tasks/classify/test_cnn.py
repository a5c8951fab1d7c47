from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter import catalog
from isocenter.data import Cases, Watch, knobs, merged
from isocenter.tasks.classify.cnn import Cnn

QUICK = {"study.epochs": 6, "study.steps": 5, "study.batch_size": 8, "study.learning_rate": 0.01, "width": 8}


def corners(n: int = 30, classes: int = 2, rank: int = 2, size: int = 16) -> Cases:
    rng, half = np.random.default_rng(0), size // 2
    y = np.arange(n) % classes
    x = rng.normal(0, 1, (n, *(size,) * rank)).astype(np.float32)
    for i, c in enumerate(y):
        x[i][(slice(0, half) if c % 2 else slice(half, size), slice(0, half) if c < 2 else slice(half, size))] += 3
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


@pytest.mark.parametrize("network", ["textbook", "vgg16", "googlenet", "mobilenet_v3_small"])
def test_named_networks_are_trained_exported_and_come_back(network: str) -> None:
    cases = corners(16, size=32)
    recipe = merged(Cnn(), QUICK | {"study.epochs": 1, "study.steps": 1, "network": network})
    made = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert made.about["recipe"]["network"] == network
    again = Cnn.from_state(made.about, made.state())
    assert again.predict(cases[0]).values == made.predict(cases[0]).values
    opened = again.opened()
    with torch.inference_mode():
        logits = opened.module(opened.prepare(cases[0]))[0].double()
    plan = made.plan
    assert (logits / plan.temperature).softmax(0).tolist() == pytest.approx(made.predict(cases[0]).values, abs=1e-4)
    assert not any(name.startswith("weights/aux") for name in made.state())


def test_slices_as_context_and_several_labels() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (12, 3, 16, 16)).astype(np.float32)
    labels = np.array([[1, 1], [1, 0], [0, 1], [0, 0]] * 3)
    cases = Cases.from_arrays(x, labels, classes=["a", "b"], splits=["train"] * 8 + ["val"] * 4)
    settings = {"form.context": 1, "imbalance.weights": "effective", "imbalance.focal": 1.0, "study.epochs": 1}
    made = merged(Cnn(), QUICK | settings).fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert made.plan.multilabel
    assert made.about["network"]["context"] == 1
    assert all(0 < v < 1 for v in made.predict(cases[0]).values)


def test_of_an_order_mistakes_are_near() -> None:
    """Brightness in five classes, mixed up near their borders: the ordinal loss is off by less on average."""
    rng = np.random.default_rng(1)
    level = rng.uniform(0, 5, 120)
    x = rng.normal(0, 0.3, (120, 16, 16)).astype(np.float32)
    x[:, :, :8] += level[:, None, None].astype(np.float32)
    names = [f"grade {int(v)}" for v in np.clip(level + rng.normal(0, 0.3, 120), 0, 4.99)]
    cases = Cases.from_arrays(x, names, splits=["train"] * 80 + ["val"] * 40)
    order = tuple(f"grade {i}" for i in range(5))
    learnt = QUICK | {"study.epochs": 16, "imbalance.smoothing": 0.0, "form.order": order, "before.intensity": "none"}
    made = merged(Cnn(), learnt).fit(cases.split("train"), cases.split("val"), watch=Watch())
    off = []
    for case in cases.split("val"):
        found = made.predict(case)
        truth = order.index(case.truth().label)
        off.append(abs(sum(order.index(c) * v for c, v in zip(found.classes, found.values, strict=True)) - truth))
    # Always saying the middle grade is off by 1.2.
    assert np.mean(off) < 0.7
    assert made.about["scheme"]["loop"]["order"] == list(order)


def test_it_opens_for_gradients(answerer) -> None:
    opened = answerer.opened()
    tensor = opened.prepare(corners()[0]).requires_grad_()
    opened.module(tensor)[0, 1].backward()
    assert float(tensor.grad.abs().sum()) > 0
    assert opened.layers[-1] in dict(opened.module.named_modules())


def test_the_catalog_finds_it_and_every_field_is_described() -> None:
    assert catalog.find("classify", "cnn") is Cnn
    assert all(k.text for k in knobs(Cnn))


def test_the_same_training_twice_with_everything_against_imbalance() -> None:
    cases = corners(20)
    settings = {"mixup": 0.3, "sampling": "sqrt", "adjustment": 1.0, "focal": 1.0, "weights": "effective"}
    recipe = merged(Cnn(), QUICK | {f"imbalance.{k}": v for k, v in settings.items()} | {"study.epochs": 1})
    a, b = (recipe.fit(cases.split("train"), cases.split("val"), watch=Watch()) for _ in range(2))
    assert all(np.array_equal(a.state()[name], b.state()[name]) for name in a.state())
    how = a.about["scheme"]["loop"]["imbalance"]
    assert how == {
        "sampling": "sqrt", "weights": "effective", "focal": 1.0, "adjustment": 1.0, "mixup": 0.3, "smoothing": 0.1
    }  # fmt: skip
    assert a.about["origins"]["loop.imbalance.mixup"] == "recipe"
