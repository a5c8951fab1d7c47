from __future__ import annotations

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import Case, Cases, Image, Segmentation, Watch, knobs, merged
from isocenter.tasks.segment.unet import UNet

QUICK = {"study.epochs": 8, "study.steps": 5, "study.batch_size": 4, "study.learning_rate": 0.01, "width": 6}


@pytest.fixture(scope="module")
def cases() -> Cases:
    rng = np.random.default_rng(0)
    x, y = [], []
    for _ in range(10):
        mask = np.zeros((32, 32), np.uint8)
        a, b = rng.integers(4, 16, 2)
        mask[a : a + 12, b : b + 10] = 1
        x.append(np.round(mask * 90 + 60 + rng.normal(0, 12, mask.shape)).clip(0, 255).astype(np.uint8))
        y.append(mask)
    return Cases.from_arrays(x, y, task="segment", classes=["block"], splits=["train"] * 7 + ["val"] * 3)


@pytest.fixture(scope="module")
def answerer(cases: Cases):
    return merged(UNet(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())


def overlap(found: Segmentation, truth: Segmentation) -> float:
    a, b = found.labels == 1, truth.labels == 1
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_it_learns_and_answers_on_the_own_grid(cases: Cases, answerer) -> None:
    for case in cases.split("val"):
        found = answerer.predict(case)
        assert found.names == ("background", "block")
        assert found.geometry == case.image().geometry
        assert overlap(found, case.truth()) > 0.85


def test_other_grids_are_answered_too(answerer) -> None:
    for shape in ((50, 33), (7, 90)):
        found = answerer.predict(Case.of(Image.from_array(np.full(shape, 60, np.uint8))))
        assert found.labels.shape == shape


def test_it_comes_back_from_its_state(cases: Cases, answerer) -> None:
    again = UNet.from_state(answerer.about, answerer.state())
    for case in cases.split("val"):
        assert np.array_equal(again.predict(case).labels, answerer.predict(case).labels)


def test_it_opens_for_gradients(cases: Cases, answerer) -> None:
    import torch

    opened = answerer.opened()
    case = cases.split("val")[0]
    tensor = opened.prepare(case).requires_grad_()
    opened.module(tensor)[:, 1].sum().backward()
    assert tensor.grad is not None
    assert float(tensor.grad.abs().sum()) > 0
    labels = opened.module(tensor.detach()).argmax(1)[0].numpy()
    assert (labels == answerer.predict(case).labels[: labels.shape[0], : labels.shape[1]]).mean() > 0.99
    assert set(opened.layers) <= set(dict(opened.module.named_modules()))
    assert torch.is_tensor(tensor)


def test_the_catalog_finds_it_and_every_field_is_described() -> None:
    assert catalog.find("segment", "unet") is UNet
    rows = knobs(UNet)
    assert {"width", "study.epochs", "study.augment.spatial.rotation", "after.largest"} <= {k.name for k in rows}
    assert all(k.text for k in rows)


@pytest.mark.parametrize("form", [{"form.residual": True, "form.attention": True}, {"form.loss": "tversky+focal"}])
def test_other_forms_and_losses_learn_too(cases: Cases, form: dict[str, object]) -> None:
    found = merged(UNet(), QUICK | form).fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert found.about["scheme"]["loop"]["loss"] == form.get("form.loss", "dice+cross_entropy")
    assert bool(found.about["network"].get("attention")) == ("form.attention" in form)
    for case in cases.split("val"):
        assert overlap(found.predict(case), case.truth()) > 0.8


def test_slices_with_their_neighbours_answer_volumes_of_any_length() -> None:
    from isocenter.simulate import cohort

    volumes = cohort(8, seed=0, kind="ct-volume", shape=(6, 32, 32))
    quick = {"study.epochs": 3, "study.steps": 5, "study.batch_size": 2, "study.learning_rate": 0.01, "width": 6}
    found = merged(UNet(), quick | {"form.context": 1}).fit(volumes.split("train"), volumes.split("val"), watch=Watch())
    assert found.about["plan"]["divisor"][0] == 1
    assert found.about["network"]["context"] == 1
    longer = cohort(8, seed=1, kind="ct-volume", shape=(9, 32, 32))[7]
    assert found.predict(longer).labels.shape == (9, 32, 32)
