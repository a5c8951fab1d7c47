"""The loop: steps, running mean, validation, stopping, checkpoints."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from isocenter.data import Progress, Watch
from isocenter.errors import RecipeError, ResourceError
from isocenter.fit import checkpoint, questions
from isocenter.fit.checkpoint import Run
from isocenter.fit.feed import Shelf
from isocenter.fit.scheme import Scheme
from isocenter.fit.step import loss_of, one_step, started

# Steps that measure the speed, and the share of the time that training may take.
PROBE, SHARE = 20, 0.85
# Seconds between checkpoints.
EVERY = 20.0

Builder = Callable[[], nn.Module]


@dataclass(frozen=True)
class Trained:
    """What came out of the loop.

    Parameters
    ----------
    module
        On the CPU, in eval mode, with the best weights on val.
    history
        One entry a validation.
    score
        Best validation score.
    stopped
        Why it ended before its last step, or "".
    """

    module: nn.Module
    history: list[dict[str, float]]
    score: float | None
    stopped: str = ""


def device_of(name: str) -> torch.device:
    """The device of ``"auto"``, ``"cpu"`` or ``"cuda"``; ResourceError when there is no GPU and one was asked for."""
    if name not in ("auto", "cpu", "cuda"):
        raise RecipeError("no such device", got=name, wanted="auto, cpu or cuda")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ResourceError("no GPU that torch can use", remedy="Pass --device cpu")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


@contextmanager
def threaded(threads: int) -> Iterator[None]:
    """torch with this many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(build: Builder, shelf: Shelf, valid: Shelf, *, watch: Watch) -> Trained:
    """Trains to the end of the plan, from the last checkpoint where `watch.resume` asks for it.

    Parameters
    ----------
    build
        Makes the untrained network; called once.
    shelf, valid
        Training and validation cases. The plan is `shelf.scheme`.
    watch
        Circumstances.

    Raises
    ------
    ResourceError
        A checkpoint cannot be written because the disk is full.
    BundleError
        `watch.resume` meets a checkpoint of another plan.
    """
    device, scheme = device_of(watch.device), shelf.scheme
    with threaded(watch.threads):
        run = started(build, scheme, device)
        key = _key(scheme, watch.seed)
        if watch.resume and watch.folder is not None:
            checkpoint.load(run, watch.folder, key=key)
        stopped = _loop(run, shelf, valid, watch=watch, key=key)
        weights = run.best or run.mean or run.module.state_dict()
        module = run.module.cpu().eval()
        module.load_state_dict({k: v.cpu() for k, v in weights.items()})
    return Trained(module, run.history, run.best_score, stopped)


def probed(build: Builder, shelf: Shelf, valid: Shelf, *, watch: Watch) -> Scheme:
    """The scheme with as many epochs as fill 85 % of `watch.minutes`, by the speed of 20 steps and one validation.

    The network of the probe is thrown away.
    """
    device, scheme = device_of(watch.device), shelf.scheme
    if watch.minutes is None:
        return scheme
    start = time.monotonic()
    with threaded(watch.threads):
        run, loss = started(build, scheme, device), loss_of(scheme)
        marks = []
        for step in range(PROBE):
            one_step(run, shelf, loss, step, seed=watch.seed)
            marks.append(time.monotonic())
            if marks[-1] - start > 0.1 * 60 * watch.minutes:
                break
        questions.of(scheme.plan.kind).score(run.module, valid)
        checked = time.monotonic() - marks[-1]
    # The first steps also read the images and warm up.
    per_step = (marks[-1] - marks[len(marks) // 4]) / max(1, len(marks) - 1 - len(marks) // 4)
    epoch = per_step * int(scheme.study.steps or 1) + checked
    left = SHARE * 60 * watch.minutes - (time.monotonic() - start) - per_step * scheme.steps_before
    study = replace(scheme.study, epochs=max(1, int(left / max(epoch, 1e-9))))
    origins = scheme.origins | {"study.epochs": f"--time {watch.minutes:g} min: {per_step:.3g} s a step"}
    estimate = scheme.estimate | {"seconds_per_step": round(per_step, 4)}
    return replace(scheme, study=study, origins=origins, estimate=estimate)


def _loop(run: Run, shelf: Shelf, valid: Shelf, *, watch: Watch, key: str) -> str:
    scheme, loss = shelf.scheme, loss_of(shelf.scheme)
    every, patience, first = int(scheme.study.steps or 1), int(scheme.study.patience or 0), run.step
    start = saved = time.monotonic()
    limit = None if watch.minutes is None else start + 60 * watch.minutes
    while run.step < scheme.steps:
        value = one_step(run, shelf, loss, run.step, seed=watch.seed)
        if not math.isfinite(value):
            raise ResourceError(
                "the loss is not a finite number any more",
                where=f"step {run.step}",
                got=str(value),
                remedy="Lower study.learning_rate, or set the plan's loop.precision to fp32",
            )
        run.step += 1
        run.losses = [run.losses[0] + value, run.losses[1] + 1]
        now = time.monotonic()
        if run.step % every == 0:
            _validated(run, valid, rate=run.optimiser.param_groups[0]["lr"])
        if watch.folder is not None and (now - saved > EVERY or run.step == scheme.steps):
            checkpoint.save(run, watch.folder, key=key)
            saved = now
        pace = (time.monotonic() - start) / (run.step - first)
        watch.report(
            Progress(
                "train",
                run.step / scheme.steps,
                value,
                run.history[-1]["score"] if run.history else None,
                pace * (scheme.steps - run.step),
            )
        )
        if patience and run.stale >= patience:
            return f"no better score on val for {patience} validations"
        if limit is not None and now > limit and run.history:
            return "the time was up"
    return ""


def _validated(run: Run, valid: Shelf, *, rate: float) -> None:
    now = {k: v.detach().clone() for k, v in run.module.state_dict().items()}
    if run.mean:
        run.module.load_state_dict(run.mean)
    value = questions.of(valid.scheme.plan.kind).score(run.module, valid)
    run.history.append(
        {
            "step": run.step,
            "loss": round(run.losses[0] / max(1.0, run.losses[1]), 6),
            "score": round(value, 6),
            "rate": rate,
        }
    )
    run.losses = [0.0, 0.0]
    run.stale = 0 if run.best_score is None or value > run.best_score else run.stale + 1
    # Of equal scores the later one has seen more.
    if run.best_score is None or value >= run.best_score:
        run.best = {k: v.detach().cpu().clone() for k, v in run.module.state_dict().items()}
        run.best_score = value
    run.module.load_state_dict(now)
    run.module.train()


def _key(scheme: Scheme, seed: int) -> str:
    values = scheme.as_json() | {"seed": seed}
    for note in ("origins", "estimate"):
        values.pop(note)
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def plan_path(folder: Path) -> Path:
    """Where the plan of a run lies."""
    return folder / "plan.json"
