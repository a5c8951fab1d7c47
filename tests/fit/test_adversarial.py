"""Samples that fool the network while it learns, and what that costs and gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isocenter import nets
from isocenter.data import Cases, Normalisation, Plan, Progress, Watch, merged
from isocenter.errors import RecipeError
from isocenter.fit.adversarial import gradients, hardened, measured, possible
from isocenter.fit.feed import Shelf, batch, reach_of, reaches
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.fitting import fitted
from isocenter.fit.planning import plan
from isocenter.fit.step import loss_of, one_step, started
from isocenter.infer import prepare
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.detect.retinanet import RetinaNet
from isocenter.tasks.segment.unet import UNet

HARD = {"study.augment.adversarial.epsilon": 0.05}
BRIEF = {"study.epochs": 2, "study.steps": 3, "study.batch_size": 4, "width": 4}


def shelf_of(recipe: Any, cases: Cases, task: str, **settings: Any) -> Shelf:
    made = merged(recipe, {**BRIEF, **HARD, **settings})
    scheme = plan(made, fingerprint(cases, task))
    return Shelf(cases, replace(scheme, loop=replace(scheme.loop, precision="fp32")))


def begun(shelf: Shelf) -> Any:
    torch.manual_seed(0)
    return started(lambda: nets.build(shelf.scheme.network), shelf.scheme, torch.device("cpu"))


def changed(shelf: Shelf, run: Any, step: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    images, targets = batch(shelf, step, seed=0)
    reach = reaches(shelf, step, seed=0)
    hard = hardened(run, images, targets, scheme=shelf.scheme, reach=reach, step=step, seed=1)
    return images, hard, reach


@pytest.mark.parametrize("kind", ["standardise", "percentile", "window", "none"])
def test_the_reach_is_the_slope_of_the_normalisation(pictures: Any, kind: str) -> None:
    case = pictures()[0]
    how = Normalisation(kind, -1.0, 2.0) if kind == "window" else Normalisation(kind)
    plan_ = Plan("classify", 2, 1, ("a", "b"), normalisation=how, size=(16, 16))
    image = case.image()
    pixels = image.pixels()
    width = float(pixels.max() - pixels.min())
    (reach,) = reach_of(case, plan_, prepare(image, plan_).array)
    low, high = np.percentile(pixels, (0.5, 99.5))
    wanted = {"standardise": 1 / pixels.std(), "percentile": 4 / (high - low), "window": 4 / 3, "none": 1.0}[kind]
    assert reach == pytest.approx(wanted * width, rel=0.01)


@pytest.mark.parametrize("steps", [1, 4])
def test_samples_change_within_the_budget_and_the_loss_rises(pictures: Any, steps: int) -> None:
    shelf = shelf_of(Cnn(network="small"), pictures(), "classify", **{"study.augment.adversarial.steps": steps})
    run, loss = begun(shelf), loss_of(shelf.scheme)
    images, hard, reach = changed(shelf, run)
    away = (hard - images).abs().flatten(1).amax(1)
    limit = 0.05 * reach[:, 0]
    assert (away <= limit * 1.0001).all() and (away > 0.9 * limit).all()
    _, targets = batch(shelf, 5, seed=0)
    run.module.eval()
    with torch.no_grad():
        assert loss(run.module(hard), targets) > loss(run.module(images), targets)


def test_the_budget_grows_and_a_share_is_left_as_it_is(pictures: Any) -> None:
    part = {"study.augment.adversarial.share": 0.5, "study.augment.adversarial.rise": 1.0}
    shelf = shelf_of(Cnn(network="small"), pictures(), "classify", **part)
    run = begun(shelf)
    sizes = []
    for step in (0, 5):
        images, hard, reach = changed(shelf, run, step)
        assert torch.equal(hard[2:], images[2:]) and not torch.equal(hard[:2], images[:2])
        sizes.append(float(((hard - images)[:2].abs().flatten(1).amax(1) / reach[:2, 0]).max()))
    assert sizes[0] == pytest.approx(0.05 / 6, rel=0.05) and sizes[1] == pytest.approx(0.05, rel=0.05)


def test_the_network_and_torchs_state_are_left_as_they_were(pictures: Any) -> None:
    shelf = shelf_of(Cnn(network="resnet18"), pictures(), "classify", width=8)
    run = begun(shelf)
    before = {k: v.clone() for k, v in run.module.state_dict().items()}
    state = torch.get_rng_state()
    _, one, _ = changed(shelf, run)
    _, two, _ = changed(shelf, run)
    assert torch.equal(one, two) and torch.equal(state, torch.get_rng_state()) and run.module.training
    assert all(torch.equal(v, before[k]) for k, v in run.module.state_dict().items()), "running means stay"
    assert all(p.grad is None for p in run.module.parameters())


@pytest.mark.parametrize("rank", [2, 3])
def test_regions_too(discs: Any, rank: int) -> None:
    shelf = shelf_of(UNet(), discs(rank=rank, size=16 if rank == 3 else 24), "segment")
    run = begun(shelf)
    images, hard, _ = changed(shelf, run)
    assert hard.shape == images.shape and not torch.equal(hard, images)
    assert one_step(run, shelf, loss_of(shelf.scheme), 5, seed=0) > 0


def test_parts_change_as_the_whole_does(pictures: Any) -> None:
    shelf = shelf_of(Cnn(network="small"), pictures(), "classify")
    run = begun(shelf)
    _, whole, _ = changed(shelf, run)
    run.parts = 2
    _, parts, _ = changed(shelf, run)
    assert torch.allclose(whole, parts, atol=1e-6)


class Killed(Exception):
    pass


@pytest.mark.parametrize("steps", [1, 2])
def test_a_killed_training_resumes_to_the_same_bytes(pictures: Any, tmp_path: Path, steps: int,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocenter.fit.loop.EVERY", 0.0)
    cases = pictures()
    recipe = merged(Cnn(network="small"), {**BRIEF, **HARD, "study.augment.adversarial.steps": steps})
    train, val = cases.split("train"), cases.split("val")
    whole = fitted(recipe, train, val, task="classify", watch=Watch(folder=tmp_path / "a"))
    count = 0

    def kill(progress: Progress) -> None:
        nonlocal count
        count += progress.what == "train"
        if count == 4:
            raise Killed

    with pytest.raises(Killed):
        fitted(recipe, train, val, task="classify", watch=Watch(folder=tmp_path / "b", report=kill))
    again = fitted(recipe, train, val, task="classify", watch=Watch(folder=tmp_path / "b", resume=True))
    assert all(np.array_equal(v, again[1][k]) for k, v in whole[1].items())
    assert whole[0]["adversarial"] == again[0]["adversarial"]
    plain = fitted(merged(recipe, {"study.augment.adversarial.epsilon": 0.0}), train, val, task="classify",
                   watch=Watch())
    assert "adversarial" not in plain[0]
    weights = [k for k in whole[1] if k.startswith("weights/")]
    assert any(not np.array_equal(whole[1][k], plain[1][k]) for k in weights)


def test_what_it_costs_is_measured_on_val(pictures: Any) -> None:
    shelf = shelf_of(Cnn(network="small"), pictures(), "classify")
    run = begun(shelf)
    for step in range(6):
        one_step(run, shelf, loss_of(shelf.scheme), step, seed=0)
    found = measured(run.module.eval(), shelf, seed=0)
    assert found["epsilon"] == 0.05 and found["n"] == 16 and found["metric"] == "accuracy"
    assert 0 <= found["robust"] <= found["clean"] <= 1
    assert f"{found['clean']:.3f} unchanged, {found['robust']:.3f} under" in found["text"]
    hardest = replace(shelf, scheme=replace(shelf.scheme, study=merged(shelf.scheme.study, {
        "augment.adversarial.epsilon": 0.9})))  # fmt: skip
    assert measured(run.module, hardest, seed=0)["robust"] < found["clean"]


def test_regions_are_measured_by_dice(discs: Any) -> None:
    shelf = shelf_of(UNet(), discs(), "segment")
    found = measured(begun(shelf).module.eval(), shelf, seed=0)
    assert found["metric"] == "dice" and 0 <= found["robust"] <= found["clean"] <= 1


def test_training_makes_the_answers_harder_to_fool(pictures: Any) -> None:
    cases = pictures(n=40, val=12)
    found = {}
    for epsilon in (0.0, 0.06):
        settings = {"study.epochs": 5, "study.steps": 24, "study.batch_size": 8, "width": 8}
        shelf = shelf_of(Cnn(network="small"), cases.split("train"), "classify", **settings, **{
            "study.augment.adversarial.epsilon": epsilon, "study.learning_rate": 0.01})  # fmt: skip
        run = begun(shelf)
        for step in range(40):
            one_step(run, shelf, loss_of(shelf.scheme), step, seed=0)
        study = merged(shelf.scheme.study, {"augment.adversarial.epsilon": 0.06})
        asked = Shelf(cases.split("val"), replace(shelf.scheme, study=study))
        found[epsilon] = measured(run.module.eval(), asked, seed=0)
    assert found[0.06]["robust"] >= found[0.0]["robust"] + 0.2
    assert found[0.06]["clean"] >= 0.8


def test_only_classes_and_regions_can_be_hardened_and_it_costs_time(pictures: Any) -> None:
    made = merged(RetinaNet(), HARD)
    from isocenter.fit import questions

    with pytest.raises(RecipeError, match="epsilon at 0"):
        possible(questions.of("detect"), made.study)
    possible(questions.of("classify"), made.study)
    assert gradients(made.study) == 2 and gradients(RetinaNet().study) == 1
    hard, plain = (plan(merged(Cnn(), {**BRIEF, "study.augment.adversarial.epsilon": e}),
                        fingerprint(pictures(), "classify")).estimate["core_minutes"] for e in (0.1, 0.0))  # fmt: skip
    assert hard >= plain
