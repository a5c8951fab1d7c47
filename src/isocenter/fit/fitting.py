"""From a recipe and cases to a trained, exported and checked network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from isocenter import nets
from isocenter.data import Cases, Progress, Watch, as_settings, pretraining_of
from isocenter.errors import InputError, RecipeError
from isocenter.files import write_text
from isocenter.fit import questions
from isocenter.fit.adversarial import measured
from isocenter.fit.export import vector_of
from isocenter.fit.feed import Shelf, room
from isocenter.fit.fingerprint import Fingerprint, fingerprint
from isocenter.fit.loop import PROBE, Trained, plan_path, probed, train
from isocenter.fit.memory import counted
from isocenter.fit.network import LEAST, deepest
from isocenter.fit.planning import plan
from isocenter.fit.pretrained import begun
from isocenter.fit.pretraining import informed
from isocenter.fit.scheme import Scheme
from isocenter.infer.memory import require
from isocenter.ops.array import Array
from isocenter.ops.windows import multiple

About: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Array]
# Pixels of the stored question: enough to pass through every layer.
VECTOR = 2**14


def fitted(
    recipe: Any, cases: Cases, valid: Cases, *, task: str, watch: Watch, head: str = ""
) -> tuple[About, State]:
    """Trains the network of a recipe.

    Parameters
    ----------
    recipe
        As in `plan`.
    cases, valid
        Training cases; and validation cases, for stopping, the best weights, temperature and thresholds. Cases without
        truth serve pre-training, and are left out without it.
    task
        Name of the question.
    watch
        Circumstances. With a folder, ``plan.json`` and checkpoints go there.
    head
        Family of the answer, as in `Plan`.

    Returns
    -------
    about
        JSON-able: recipe, plan, network, classes, history, vector, and scheme, fingerprint, origins, score, stopped;
        after pre-training also pretraining, as `fit.pretraining.informed` says it; after adversarial training also
        adversarial, as `fit.adversarial.measured` says it.
    arrays
        ``network.onnx`` (uint8), ``weights/NAME`` float32, ``vector/input``, ``vector/output``.

    Raises
    ------
    InputError
        Nothing to validate on, or data that do not fit.
    RecipeError
        A recipe or an edited plan that cannot be.
    ResourceError
        Memory or disk do not suffice.
    """
    question = questions.of(head or task)
    known, valid = cases.labelled if question.needs_truth else cases, valid.labelled
    if not len(valid):
        raise InputError(
            "there is nothing to validate on", where=valid.name, remedy="Use a split 'val', or --val-from train"
        )
    facts = fingerprint(cases if pretraining_of(recipe).epochs else known, task, head=head)
    build, shelf, checks = schemed(recipe, facts, known, valid, watch=watch)
    scheme = shelf.scheme
    build, before = informed(build, scheme, cases, valid, watch=watch)
    trained = train(build, shelf, checks, watch=watch)
    watch.report(Progress("export", 1.0))
    question.settled(trained.module, shelf)
    scheme = question.finished(scheme, trained.module, checks)
    vector = vector_of(checks[0].image, vector_grid(scheme))
    network = question.exported(_answering(trained.module, scheme), scheme, vector)
    about = _about(recipe, scheme, facts, trained) | ({"pretraining": before} if before else {})
    if scheme.study.augment.adversarial.epsilon:
        about["adversarial"] = measured(trained.module, checks, seed=watch.seed)
    weights = {f"weights/{k}": _array(v) for k, v in trained.module.state_dict().items() if nets.lasting(k)}
    return about, {**network, **weights}


def schemed(
    recipe: Any, facts: Fingerprint, cases: Cases, valid: Cases, *, watch: Watch
) -> tuple[Callable[[], nn.Module], Shelf, Shelf]:
    """How to build the network, and train and val with the plan: that of the folder when resuming, else the one handed
    back, else a new one.

    Its memory is counted; a new plan is probed for `watch.minutes`; both are written to the folder. What was prepared
    for that stays prepared.

    Raises
    ------
    RecipeError
        A plan for other data, or a network that does not fit.
    ResourceError
        Memory does not suffice.
    """
    path = None if watch.folder is None else plan_path(watch.folder)
    if watch.resume and path is not None and path.is_file():
        scheme = Scheme.from_json(json.loads(path.read_text(encoding="utf-8")))
        _affordable(scheme)
        return builder(recipe, scheme), Shelf(cases, scheme, room()), Shelf(valid, scheme, room())
    scheme = plan(recipe, facts) if watch.plan is None else Scheme.from_json(watch.plan)
    _fits(scheme, facts)
    scheme = replace(scheme, network=scheme.network | {"seed": watch.seed})
    build = builder(recipe, scheme)
    _answers(build, scheme)
    shelf, checks = Shelf(cases, scheme, room()), Shelf(valid, scheme, room())
    n = len(cases) + (facts.unlabelled if scheme.pretraining.epochs else 0)
    scheme = counted(build, shelf, n=n, n_valid=len(valid))
    watch.report(Progress(f"plan: up to {scheme.estimate['memory_mb']:.0f} MB of memory", 0.0))
    _affordable(scheme)
    if watch.plan is None and recipe.study.epochs is None and watch.minutes:
        watch.report(Progress(f"probe ({PROBE} steps)", 0.0))
        scheme = probed(build, replace(shelf, scheme=scheme), checks, watch=watch)
    if path is not None:
        write_text(path, json.dumps(scheme.as_json(), indent=1), overwrite=True)
    return build, replace(shelf, scheme=scheme), replace(checks, scheme=scheme)


def builder(recipe: Any, scheme: Scheme) -> Callable[[], nn.Module]:
    """Makes the untrained network, each time the same: from its description, or the object of the recipe, copied."""
    if scheme.network["name"] != "given":
        return lambda: begun(nets.build(scheme.network), recipe)
    given = getattr(recipe, "network", None)
    if not isinstance(given, nn.Module):
        raise RecipeError(
            "the plan is for a network that was handed over as an object", remedy="Hand it over again: network=MODULE"
        )
    weights = {k: v.detach().clone() for k, v in given.state_dict().items()}

    def copied() -> nn.Module:
        import copy

        module = copy.deepcopy(given)
        module.load_state_dict(weights)
        return module

    return copied


def vector_grid(scheme: Scheme) -> tuple[int, ...]:
    """Grid of the stored question: a patch of the plan, halved along its longest axis while it is large.

    One answer about the whole image has no smaller question.
    """
    whole = multiple(scheme.plan.size or scheme.study.patch or (), scheme.plan.divisor)
    if scheme.plan.task in ("classify", "regress"):
        return whole
    least = [d * 2 for d in scheme.plan.divisor]
    grid = list((scheme.study.patch if questions.of(scheme.plan.kind).dense else whole) or least)
    while np.prod(grid) > VECTOR and any(g // 2 >= k for g, k in zip(grid, least, strict=True)):
        axis = max((a for a in range(len(grid)) if grid[a] // 2 >= least[a]), key=lambda a: grid[a])
        grid[axis] //= 2
    return multiple(grid, scheme.plan.divisor)


def _fits(scheme: Scheme, facts: Fingerprint) -> None:
    plan_ = scheme.plan
    for name in ("task", "head", "rank", "classes"):
        mine, theirs = getattr(plan_, name), getattr(facts, name)
        if mine != theirs:
            raise RecipeError(f"the plan is for other data: {name}", got=str(mine), wanted=str(theirs))
    left = deepest(scheme.network, scheme.study.patch or facts.median)
    if scheme.loop.precision == "bf16" and left is not None and left < LEAST:
        raise RecipeError(
            "the plan's bf16 is not exact on grids this small",
            got=f"{left} pixels at the deepest stage",
            wanted=f"at least {LEAST}",
            remedy="Set loop.precision to fp32, or a larger study.patch",
        )


def _answers(build: Callable[[], nn.Module], scheme: Scheme) -> None:
    """Asks a network of one's own once, before it is trained.

    Raises
    ------
    RecipeError
        It does not take such images, or answers in another shape than the task needs.
    """
    name = scheme.network["name"]
    if name != "given" and ":" not in name:
        return
    plan_ = scheme.plan
    grid = vector_grid(scheme)
    wanted = (1, plan_.outputs, *(grid if questions.of(plan_.kind).dense else ()))
    try:
        with torch.inference_mode():
            answer = build().eval()(torch.zeros(1, plan_.channels, *grid))
    except (RuntimeError, TypeError, ValueError) as error:
        got = str(error).strip().split("\n")[0][:200]
        wants = f"(1, {plan_.channels}, *{grid})"
        raise RecipeError("the network cannot take such images", got=got, wanted=wants) from error
    shape = tuple(getattr(answer, "shape", ()))
    if shape != wanted:
        raise RecipeError(
            "the network answers in another shape than the task needs",
            got=str(shape),
            wanted=f"{wanted}: one channel for each of {', '.join(plan_.classes)}",
        )


def _affordable(scheme: Scheme) -> None:
    # Cases for which there is no room are prepared again each time.
    held = scheme.estimate.get("held_mb", 0.0)
    needed = int((scheme.estimate.get("memory_mb", 0.0) - held + min(held, room())) * 2**20)
    smaller = max(1, int(scheme.study.batch_size or 1) // 2)
    require(needed, what="this training", remedy=f"Set study.batch_size={smaller} or a smaller study.patch")


def _answering(module: nn.Module, scheme: Scheme) -> nn.Module:
    if scheme.network["name"] in ("given",) or ":" in scheme.network["name"]:
        return module
    state = {k: v for k, v in module.state_dict().items() if nets.lasting(k)}
    return nets.build(nets.answering(scheme.network), {k: v.numpy() for k, v in state.items()})


def _about(recipe: Any, scheme: Scheme, facts: Fingerprint, trained: Trained) -> About:
    settings = as_settings(recipe) | {"network": scheme.network["name"]}
    return {
        "recipe": settings,
        "plan": scheme.plan.as_json(),
        "network": nets.answering(scheme.network),
        "classes": list(scheme.plan.classes),
        "history": trained.history,
        "vector": {"input": "vector/input", "output": "vector/output", "tolerance": scheme.plan.tolerance},
        "scheme": scheme.as_json(),
        "origins": scheme.origins,
        "fingerprint": facts.as_json(),
        "score": trained.score,
        "stopped": trained.stopped,
    }


def _array(value: torch.Tensor) -> Array:
    array: Array = value.detach().cpu().numpy()
    return np.ascontiguousarray(array)
