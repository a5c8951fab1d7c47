"""Learning what normal images are like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from isocenter import nets
from isocenter.data import Cases, merged
from isocenter.fit.feed import Shelf, batch
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.autoencode import QUESTION, coarse, measured
from isocenter.fit.scheme import Scheme
from isocenter.tasks.classify.autoencoder import Autoencoder

SMALL = {"width": 4, "code": 3}


def schemed(cases: Cases, **settings: object) -> Scheme:
    return plan(merged(Autoencoder(), SMALL | settings), fingerprint(cases, "classify", head="autoencode"))


@pytest.fixture
def cases(pictures) -> Cases:
    return replace(pictures(), positive="sick")


def test_the_plan_says_what_it_is(cases: Cases) -> None:
    scheme = schemed(cases)
    assert scheme.plan.kind == "autoencode" and scheme.plan.task == "classify" and scheme.plan.positive == "sick"
    assert scheme.network["sizes"] == [4, 2, 3] and scheme.network["grid"] == [8, 8]
    assert scheme.network["score"] == "error"
    assert schemed(cases, kind="variational").network["score"] == "elbo"
    assert schemed(cases, kind="denoising", noise=0.5).plan.settings == {"calibrate": "platt", "noise": 0.5}
    assert Scheme.from_json(scheme.as_json()) == scheme
    assert scheme.estimate["core_minutes"] < 5


def test_train_needs_no_case_of_the_other_class(cases: Cases) -> None:
    normal = cases.subset(range(0, 12, 2))
    assert fingerprint(normal, "classify", head="autoencode").counts == {"normal": 6, "sick": 0}


def test_an_odd_grid_is_padded_to_a_multiple(pictures) -> None:
    scheme = schemed(replace(pictures(size=18), positive="sick"), **{"study.epochs": 1})
    assert scheme.plan.divisor == (2, 2) and scheme.network["grid"] == [9, 9]
    wide = schemed(replace(pictures(size=35), positive="sick"))
    assert wide.plan.divisor == (4, 4) and wide.network["grid"] == [9, 9] and wide.study.patch == (36, 36)


def test_the_target_is_the_image_without_its_noise(cases: Cases) -> None:
    clean = batch(Shelf(cases, schemed(cases)), 2, seed=1)
    assert torch.equal(*clean)
    noisy = batch(Shelf(cases, schemed(cases, kind="denoising")), 2, seed=1)
    assert torch.equal(noisy[1], clean[1])
    assert float((noisy[0] - noisy[1]).std()) == pytest.approx(0.8, rel=0.25)
    again = batch(Shelf(cases, schemed(cases, kind="denoising")), 2, seed=1)
    assert torch.equal(again[0], noisy[0])


@pytest.mark.parametrize("shape", [(1, 64, 48), (2, 12, 32, 32)])
def test_noise_is_coarse(shape: tuple[int, ...]) -> None:
    found = coarse(np.random.default_rng(0), shape)
    assert found.shape == shape and found.dtype == np.float32
    assert abs(found.mean()) < 0.25 and 0.4 < found.std() < 1.2
    near = np.corrcoef(found[..., 1:].ravel(), found[..., :-1].ravel())[0, 1]
    assert near > 0.6


def test_a_case_without_truth_has_no_share_of_any_class(cases: Cases) -> None:
    blind = cases.without_truth([0])
    scheme = schemed(cases)
    assert Shelf(blind, scheme)[0].target.tolist() == [0, 0]
    assert Shelf(blind, scheme)[1].target.tolist() == [0, 1]


def test_what_is_read_off_normal_images_is_of_them_alone(cases: Cases) -> None:
    scheme = schemed(cases)
    module = nets.build(scheme.network).eval()
    shelf = Shelf(cases, scheme)
    error, _, codes, seen = measured(module, shelf, scheme)
    assert len(seen) == sum(c.truth().label == "normal" for c in cases) == len(error)
    QUESTION.settled(module, shelf)
    assert np.allclose(module.centre, codes.mean(0), atol=1e-5)
    assert float(module.variance) == pytest.approx(error.mean(), rel=1e-5)
    logs = np.log(error + 1e-8)
    assert np.allclose(module.moments, [logs.mean(), logs.std()], atol=1e-4)
    assert module.sides.tolist() == [-0.5, 0.5]
    # The mean score of normal images is 0.
    with torch.inference_mode():
        assert np.mean([float(module(x)[0, 1]) for x in seen]) == pytest.approx(0, abs=1e-4)
    turned = replace(scheme, plan=replace(scheme.plan, positive="normal"))
    QUESTION.settled(module, Shelf(cases, turned))
    assert module.sides.tolist() == [0.5, -0.5]


def test_the_score_rises_as_normal_images_are_restored_better(cases: Cases) -> None:
    for kind in ("convolutional", "variational"):
        scheme = schemed(cases, kind=kind)
        module = nets.build(scheme.network).train()
        shelf = Shelf(cases, scheme)
        before = QUESTION.score(module, shelf)
        step = torch.optim.AdamW(module.parameters(), lr=3e-3)
        loss = QUESTION.loss(scheme)
        module.train()
        for i in range(8):
            step.zero_grad()
            images, targets = batch(shelf, i, seed=0)
            loss(module(images), targets).backward()
            step.step()
        assert QUESTION.score(module, shelf) > before
    assert QUESTION.score(module, Shelf(cases.subset([1, 3]), scheme)) < 10


def test_one_image_is_enough_to_be_settled(cases: Cases) -> None:
    scheme = schemed(cases, **{"anomaly.score": "mahalanobis"})
    module = nets.build(scheme.network)
    QUESTION.settled(module, Shelf(cases.subset([0]), scheme))
    with torch.inference_mode():
        assert torch.isfinite(module(torch.zeros(1, 1, 16, 16))).all()
