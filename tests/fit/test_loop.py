from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from isocenter import nets
from isocenter.data import IGNORE, Cases, Progress, Watch, merged
from isocenter.errors import BundleError, RecipeError, ResourceError
from isocenter.fit import loop
from isocenter.fit.checkpoint import NAME
from isocenter.fit.feed import Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.loop import Trained, probed, train
from isocenter.fit.planning import plan
from isocenter.fit.scheme import Scheme
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet

QUICK = {"study.epochs": 3, "study.steps": 4, "study.batch_size": 2, "width": 4}


class StopError(Exception):
    """Thrown by a report: the run is cut off."""


def cut_after(steps: int) -> Callable[[Progress], None]:
    seen = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) >= steps:
            raise StopError

    return report


def ready(cases: Cases, task: str, **settings: object) -> tuple[Callable[[], torch.nn.Module], Shelf, Shelf]:
    recipe = merged(UNet() if task == "segment" else Cnn(), QUICK | settings)
    scheme = plan(recipe, fingerprint(cases.split("train"), task))
    shelf, valid = Shelf(cases.split("train"), scheme), Shelf(cases.split("val"), scheme)
    return (lambda: nets.build(scheme.network)), shelf, valid


def same(a: Trained, b: Trained) -> bool:
    left, right = a.module.state_dict(), b.module.state_dict()
    return a.history == b.history and all(torch.equal(left[k], right[k]) for k in left)


def with_scheme(shelf: Shelf, scheme: Scheme) -> Shelf:
    return Shelf(shelf.cases, scheme)


@pytest.mark.parametrize("task", ["segment", "classify"])
@pytest.mark.parametrize("at", [1, 11])
def test_a_run_that_was_cut_off_ends_in_the_same_bytes(
    discs, pictures, tmp_path, monkeypatch, task: str, at: int
) -> None:
    monkeypatch.setattr(loop, "EVERY", 0.0)  # a checkpoint after every step
    settings = {} if task == "segment" else {"dropout": 0.5}
    build, shelf, valid = ready(discs() if task == "segment" else pictures(), task, **settings)
    whole = train(build, shelf, valid, watch=Watch(seed=3))
    with pytest.raises(StopError):
        train(build, shelf, valid, watch=Watch(seed=3, folder=tmp_path, report=cut_after(at)))
    assert (tmp_path / NAME).is_file()
    resumed = train(build, shelf, valid, watch=Watch(seed=3, folder=tmp_path, resume=True))
    assert same(whole, resumed)


def test_the_seed_decides_and_the_threads_before_do_not(discs) -> None:
    build, shelf, valid = ready(discs(), "segment")
    a, b = (train(build, shelf, valid, watch=Watch(seed=1)) for _ in range(2))
    assert same(a, b)
    assert not same(a, train(build, shelf, valid, watch=Watch(seed=2)))


def test_it_learns(discs) -> None:
    build, shelf, valid = ready(discs(), "segment", **{"study.epochs": 8, "study.learning_rate": 0.01})
    trained = train(build, shelf, valid, watch=Watch())
    assert trained.score is not None
    assert trained.score > 0.8
    assert trained.score == pytest.approx(max(h["score"] for h in trained.history), abs=1e-6)
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert [h["step"] for h in trained.history] == [4 * (i + 1) for i in range(8)]


def test_patience_ends_a_run_that_gets_no_better(discs) -> None:
    cases = discs(4)
    x, y = [c.image().pixels() for c in cases], [c.truth().labels for c in cases]
    # On val nothing is labelled, so that no network scores better than another.
    blind = Cases.from_arrays(
        x,
        [*y[:2], *(np.full_like(m, IGNORE) for m in y[2:])],
        task="segment",
        classes=["disc"],
        splits=["train", "train", "val", "val"],
    )
    build, shelf, valid = ready(blind, "segment", **{"study.epochs": 40, "study.steps": 1, "study.patience": 2})
    trained = train(build, shelf, valid, watch=Watch())
    assert "no better score" in trained.stopped
    assert len(trained.history) == 3


def test_resuming_another_plan_is_refused(discs, tmp_path) -> None:
    build, shelf, valid = ready(discs(), "segment", **{"study.epochs": 1})
    train(build, shelf, valid, watch=Watch(folder=tmp_path))
    with pytest.raises(BundleError, match="another plan or seed"):
        train(build, shelf, valid, watch=Watch(folder=tmp_path, resume=True, seed=9))
    other = replace(shelf.scheme, loop=replace(shelf.scheme.loop, ema=0.5))
    with pytest.raises(BundleError, match="another plan or seed"):
        train(build, with_scheme(shelf, other), with_scheme(valid, other), watch=Watch(folder=tmp_path, resume=True))


def test_progress_tells_loss_score_and_time(discs) -> None:
    build, shelf, valid = ready(discs(), "segment")
    heard: list[Progress] = []
    train(build, shelf, valid, watch=Watch(report=heard.append))
    assert [round(p.share * 12) for p in heard] == list(range(1, 13))
    assert all(p.loss is not None and p.seconds_left is not None for p in heard)
    assert heard[-1].score is not None
    assert heard[-1].seconds_left == pytest.approx(0.0)


def test_a_budget_becomes_epochs_once(discs) -> None:
    build, shelf, valid = ready(discs(), "segment")
    short = probed(build, shelf, valid, watch=Watch(minutes=0.1))
    long = probed(build, shelf, valid, watch=Watch(minutes=1.0))
    assert int(short.study.epochs or 0) < int(long.study.epochs or 0)
    assert "--time" in long.origins["study.epochs"]
    assert long.estimate["seconds_per_step"] > 0
    assert probed(build, shelf, valid, watch=Watch()) == shelf.scheme


@pytest.mark.parametrize("change", [{"optimiser": "sgd"}, {"ema": 0.0}, {"precision": "fp32"}])
def test_the_other_choices_of_the_loop_run_and_resume(discs, tmp_path, monkeypatch, change: dict[str, object]) -> None:
    monkeypatch.setattr(loop, "EVERY", 0.0)
    build, shelf, valid = ready(discs(), "segment")
    scheme = replace(shelf.scheme, loop=replace(shelf.scheme.loop, **change))
    shelf, valid = with_scheme(shelf, scheme), with_scheme(valid, scheme)
    whole = train(build, shelf, valid, watch=Watch())
    with pytest.raises(StopError):
        train(build, shelf, valid, watch=Watch(folder=tmp_path, report=cut_after(7)))
    assert same(whole, train(build, shelf, valid, watch=Watch(folder=tmp_path, resume=True)))


def test_a_loss_that_explodes_is_said(discs) -> None:
    build, shelf, valid = ready(discs(), "segment")

    def broken() -> torch.nn.Module:
        module = build()
        with torch.no_grad():
            next(module.parameters()).fill_(float("nan"))
        return module

    with pytest.raises(ResourceError, match="not a finite number"):
        train(broken, shelf, valid, watch=Watch())


def test_devices() -> None:
    assert loop.device_of("cpu").type == "cpu"
    with pytest.raises(RecipeError, match="no such device"):
        loop.device_of("tpu")
    if not torch.cuda.is_available():
        assert loop.device_of("auto").type == "cpu"
        with pytest.raises(ResourceError, match="no GPU"):
            loop.device_of("cuda")


def test_a_checkpoint_that_cannot_be_written_stops_the_run(discs, tmp_path: Path) -> None:
    from isocenter.errors import OutputError

    (tmp_path / "file").write_text("x")
    build, shelf, valid = ready(discs(), "segment", **{"study.epochs": 1})
    with pytest.raises(OutputError):
        train(build, shelf, valid, watch=Watch(folder=tmp_path / "file"))
