from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from isocenter import nets
from isocenter.data import Cases, Pretraining, Progress, Study, Watch, merged
from isocenter.errors import BundleError, InputError, LabelError, RecipeError
from isocenter.fit import Scheme, fitted, loop
from isocenter.fit.checkpoint import NAME
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.pretraining import FOLDER, handed, informed, phase, resolved
from isocenter.tasks.segment.deeplab import DeepLab
from isocenter.tasks.segment.fcn import FCN
from isocenter.tasks.segment.unet import UNet

QUICK = {"study.epochs": 2, "study.steps": 2, "study.batch_size": 2, "width": 4}
PHASES = ("pretrain", "train")
FIRST = {"form.pretraining.epochs": 2, "form.pretraining.steps": 3}


class StopError(Exception):
    """Thrown by a report: the run is cut off."""


def cut_after(steps: int) -> Callable[[Progress], None]:
    seen: list[Progress] = []

    def report(progress: Progress) -> None:
        seen.extend([progress] * (progress.what in PHASES))
        if len(seen) >= steps:
            raise StopError

    return report


def made(cases: Cases, settings: dict[str, object] | None = None, **watch: object) -> tuple[dict, dict]:
    recipe = merged(UNet(), QUICK | (FIRST if settings is None else settings))
    return fitted(recipe, cases.split("train"), cases.split("val"), task="segment", watch=Watch(**watch))


def digest(state: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(
        b"".join(k.encode() + np.ascontiguousarray(state[k]).tobytes() for k in sorted(state))
    ).hexdigest()


def scheme_of(cases: Cases, **settings: object) -> Scheme:
    return plan(merged(UNet(), QUICK | FIRST | settings), fingerprint(cases.split("train"), "segment"))


def test_it_is_planned_and_said_where_it_is_asked_for() -> None:
    origins: dict[str, str] = {}
    found = resolved(merged(UNet(), FIRST), Study(steps=50, patch=(128, 96)), origins)
    assert found == Pretraining(2, 3, 0.5, 8)
    assert origins["pretraining.steps"] == "recipe" and "sixteenth of 128" in origins["pretraining.block"]
    given = resolved(merged(DeepLab(), {"pretraining.epochs": 1, "pretraining.block": 5}), Study(steps=7), origins)
    assert given == Pretraining(1, 7, 0.5, 5)
    origins.clear()
    assert resolved(UNet(), Study(), origins) == resolved(FCN(), Study(), origins) == Pretraining()
    assert origins == {}


def test_the_plan_holds_it_and_counts_its_batches(discs) -> None:
    scheme, plain = scheme_of(discs()), scheme_of(discs(), **{"form.pretraining.epochs": 0})
    assert (scheme.steps_before, scheme.steps, plain.steps_before) == (6, 4, 0)
    assert scheme.estimate["core_minutes"] >= plain.estimate["core_minutes"]
    assert Scheme.from_json(json.loads(json.dumps(scheme.as_json()))) == scheme
    with pytest.raises(RecipeError, match="Did you mean share"):
        Scheme.from_json(scheme.as_json() | {"pretraining": {"shar": 0.5}})


def test_the_same_network_with_another_head(discs) -> None:
    scheme = scheme_of(discs(size=64))
    own = phase(scheme)
    assert own.plan.kind == "restore_masked" and own.plan.outputs == 1 and own.steps == 6
    assert own.network == nets.answering(scheme.network) | {"outputs": 1}
    assert (own.study.patch, own.study.patience, own.loop.foreground) == (scheme.study.patch, 0, 0.0)
    with pytest.raises(RecipeError, match=r"a second time.*module:Class"):
        phase(replace(scheme, network={"name": "given", "class": "a:B"}))


def test_every_weight_but_the_heads_is_handed_on(discs) -> None:
    scheme = scheme_of(discs(size=64))
    learnt = nets.build(phase(scheme).network | {"seed": 9}).state_dict()
    fresh = nets.build(scheme.network)
    kept = {k: v.clone() for k, v in fresh.state_dict().items()}
    assert any(k.startswith("aux.") for k in kept)
    for name, value in handed(fresh, learnt).state_dict().items():
        source = kept if name.startswith(("head.", "aux.")) else learnt
        assert torch.equal(value, source[name]), name


def test_nothing_is_learnt_where_nobody_asked(discs) -> None:
    cases, scheme = discs(), scheme_of(discs(), **{"form.pretraining.epochs": 0})

    def build() -> nn.Module:
        return nets.build(scheme.network)

    assert informed(build, scheme, cases, cases, watch=Watch()) == (build, {})


def test_images_without_truth_are_learnt_from(discs) -> None:
    cases = discs(8).without_truth([0, 1, 2])
    heard: list[Progress] = []
    about, _ = made(cases, report=heard.append)
    json.dumps(about, allow_nan=False)
    assert (about["pretraining"]["cases"], about["pretraining"]["unlabelled"]) == (6, 3)
    assert "in 6 images of train, 3 of them without truth" in about["pretraining"]["text"]
    assert len(about["pretraining"]["history"]) == 2 and about["pretraining"]["score"] is not None
    assert (about["fingerprint"]["n"], about["fingerprint"]["unlabelled"]) == (3, 3)
    assert about["scheme"]["pretraining"]["epochs"] == 2 and about["origins"]["pretraining.epochs"] == "recipe"
    shares = [(p.what, round(p.share, 2)) for p in heard if p.what in PHASES]
    assert shares[:6] == [("pretrain", round((i + 1) / 6, 2)) for i in range(6)]
    assert shares[6:10] == [("train", 0.25), ("train", 0.5), ("train", 0.75), ("train", 1.0)]
    # The images without truth change what is learnt, and so does pre-training.
    assert digest(made(cases)[1]) == digest(made(cases)[1])
    assert digest(made(cases)[1]) != digest(made(discs(8))[1])


def test_without_it_cases_without_truth_are_left_out(discs) -> None:
    whole = discs(8)
    few = Cases(tuple(e for i, e in enumerate(whole.entries) if i > 2), whole.name, "segment", whole.classes)
    about, state = made(whole.without_truth([0, 1, 2]), {})
    assert "pretraining" not in about and about["fingerprint"]["unlabelled"] == 0
    assert digest(state) == digest(made(few, {})[1])


def test_what_cannot_be_learnt_from_is_refused(discs) -> None:
    with pytest.raises(InputError, match="nothing to learn from"):
        made(discs(8).without_truth(range(6)))
    with pytest.raises(InputError, match="nothing to validate on"):
        made(discs(8).without_truth([6, 7]))
    # A case that lacks its truth and does not say so is a fault of the data.
    broken = discs(8)
    entries = [replace(e, open=lambda e=e: replace(e.open(), load_truth=None)) for e in broken.entries]
    with pytest.raises(LabelError, match="no label map"):
        made(replace(broken, entries=tuple(entries)))


@pytest.mark.parametrize("at", [2, 6, 8])
def test_a_run_that_was_cut_off_ends_in_the_same_bytes(discs, tmp_path: Path, monkeypatch, at: int) -> None:
    monkeypatch.setattr(loop, "EVERY", 0.0)  # a checkpoint after every step
    cases = discs(8).without_truth([0, 1])
    about, state = made(cases, seed=3)
    with pytest.raises(StopError):
        made(cases, seed=3, folder=tmp_path, report=cut_after(at))
    assert (tmp_path / FOLDER / NAME).is_file() and (tmp_path / NAME).is_file() is (at > 6)
    again, resumed = made(cases, seed=3, folder=tmp_path, resume=True)
    assert digest(resumed) == digest(state)
    assert (again["history"], again["pretraining"]) == (about["history"], about["pretraining"])


def test_what_was_learnt_serves_another_training_of_the_same_plan_only(discs, tmp_path: Path) -> None:
    scheme, cases = scheme_of(discs()), discs()

    def first(scheme: Scheme, **watch: object) -> dict[str, torch.Tensor]:
        told = Watch(folder=tmp_path, resume=True, **watch)
        build, _ = informed(
            lambda: nets.build(scheme.network), scheme, cases.split("train"), cases.split("val"), watch=told
        )
        return build().state_dict()

    heard: list[Progress] = []
    once = first(scheme)
    # How long and by what rate it learns afterwards is no part of it.
    longer = replace(scheme, study=replace(scheme.study, epochs=9))
    twice = first(longer, report=heard.append)
    assert not heard and all(torch.equal(once[k], twice[k]) for k in once)
    with pytest.raises(BundleError, match="another plan or seed"):
        first(replace(scheme, pretraining=replace(scheme.pretraining, share=0.3)))
    with pytest.raises(BundleError, match="another plan or seed"):
        first(scheme, seed=1)


def test_it_learns_to_restore(discs) -> None:
    first = {"form.pretraining.epochs": 6, "form.pretraining.steps": 10, "form.pretraining.block": 3}
    about, _ = made(discs(10), first | {"study.epochs": 1, "study.learning_rate": 0.01, "study.batch_size": 4})
    assert about["pretraining"]["score"] > 0.3
    assert about["pretraining"]["history"][-1]["loss"] < about["pretraining"]["history"][0]["loss"]


@pytest.mark.parametrize(("cls", "rank", "group"), [(UNet, 3, "form.pretraining"), (DeepLab, 2, "pretraining")])
def test_volumes_and_other_networks_learn_so_too(discs, cls: type, rank: int, group: str) -> None:
    cases = discs(5, size=16, rank=rank).without_truth([0])
    brief = {"study.epochs": 1, "study.steps": 1, "study.batch_size": 2, "width": 4}
    recipe = merged(cls(), brief | {f"{group}.epochs": 1, f"{group}.block": 4})
    about, state = fitted(recipe, cases.split("train"), cases.split("val"), task="segment", watch=Watch())
    assert about["pretraining"]["unlabelled"] == 1 and about["scheme"]["pretraining"]["steps"] == 1
    assert np.isfinite(about["pretraining"]["score"]) and len(about["plan"]["patch"]) == rank
    assert any(k.startswith("weights/head.") for k in state)
