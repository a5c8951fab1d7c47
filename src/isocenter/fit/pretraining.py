"""Pre-training on images alone: the network learns to restore masked blocks, and keeps all weights but its heads'."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from isocenter import nets
from isocenter.data import Cases, Pretraining, Study, Watch, pretraining_of
from isocenter.data.study import Imbalance
from isocenter.errors import RecipeError
from isocenter.fit.feed import Shelf
from isocenter.fit.loop import Builder, train
from isocenter.fit.scheme import Scheme

# Where the checkpoint of pre-training lies, below that of the training itself.
FOLDER = "pretraining"
# The kind of answer; see `fit.questions`.
KIND = "restore_masked"
# First names of the parameters that give an answer of one kind.
HEADS = ("head", "aux", "score")
# Masked blocks along the longest side of a patch, where nobody says: as in masked image modelling of patches of 224
# pixels in blocks of 14 or 16 (He et al., CVPR 2022).
ACROSS = 16


def resolved(recipe: Any, study: Study, origins: dict[str, str]) -> Pretraining:
    """What the recipe says about pre-training, with every None resolved; `origins` receives the reasons.

    Parameters
    ----------
    recipe
        As in `fit.planning.plan`.
    study
        Resolved.
    """
    asked = pretraining_of(recipe)
    if not asked.epochs:
        return asked
    side = max(study.patch or (ACROSS,))
    origins["pretraining.epochs"] = "recipe"
    origins["pretraining.steps"] = "default: as study.steps" if asked.steps is None else "recipe"
    origins["pretraining.block"] = f"default: a sixteenth of {side} pixels" if asked.block is None else "recipe"
    return replace(asked, steps=asked.steps or study.steps, block=asked.block or max(1, round(side / ACROSS)))


def informed(
    build: Builder, scheme: Scheme, cases: Cases, valid: Cases, *, watch: Watch
) -> tuple[Builder, dict[str, Any]]:
    """How to build the network with what it learnt from images alone, and what to say about it, JSON-able.

    Parameters
    ----------
    build
        Makes the untrained network; handed back as it is where the scheme asks for no pre-training.
    scheme
        Of the training that follows.
    cases, valid
        Images of train, with truth or not; and of val, which choose the best weights. No truth is looked at.
    watch
        Circumstances. With a folder the checkpoint goes into `FOLDER` below it; `resume` continues there.

    Raises
    ------
    RecipeError
        As `phase`.
    ResourceError, BundleError
        As `fit.loop.train`.
    """
    if not scheme.pretraining.epochs:
        return build, {}
    own = phase(scheme)
    told = replace(
        watch,
        folder=None if watch.folder is None else watch.folder / FOLDER,
        # The budget is of the whole training; its plan has set the batches of pre-training aside.
        minutes=None,
        report=lambda progress: watch.report(replace(progress, what="pretrain")),
    )
    made = train(lambda: nets.build(own.network), Shelf(cases, own), Shelf(valid, own), watch=told)
    learnt = {name: value.clone() for name, value in made.module.state_dict().items()}
    counts = {"cases": len(cases), "unlabelled": len(cases) - len(cases.labelled)}
    said = {**counts, "text": words(scheme.pretraining, **counts), "history": made.history, "score": made.score}
    return lambda: handed(build(), learnt), said


def phase(scheme: Scheme) -> Scheme:
    """The scheme of pre-training: the same network and patches, another head and question.

    Raises
    ------
    RecipeError
        The network was handed over as an object, which has one head only.
    """
    if scheme.network["name"] == "given":
        raise RecipeError(
            "pre-training builds the network a second time, with another head",
            got=str(scheme.network.get("class", "")),
            remedy="Pass network='module:Class', or set epochs of pretraining to 0",
        )
    plan, asked = scheme.plan, scheme.pretraining
    return replace(
        scheme,
        plan=replace(plan, head=KIND, settings={"outputs": plan.channels}, mirror=(), largest=False),
        network=nets.answering(scheme.network) | {"outputs": plan.channels},
        study=replace(scheme.study, epochs=asked.epochs, steps=asked.steps, patience=0),
        loop=replace(scheme.loop, foreground=0.0, imbalance=Imbalance()),
    )


def handed(module: nn.Module, learnt: dict[str, torch.Tensor]) -> nn.Module:
    """The untrained network with every weight that was learnt before, its heads left as they are."""
    state = module.state_dict()
    for name, value in learnt.items():
        if name.split(".")[0] not in HEADS and name in state and state[name].shape == value.shape:
            state[name].copy_(value)
    return module


def words(pretraining: Pretraining, *, cases: int, unlabelled: int) -> str:
    """One sentence for the model card.

    >>> words(Pretraining(20, 50, 0.5, 16), cases=74, unlabelled=69)
    '20 x 50 batches restored 16-pixel blocks, 50 % of each patch, in 74 images of train, 69 of them without truth'
    """
    what = f"{pretraining.block}-pixel blocks, {100 * pretraining.share:.0f} % of each patch"
    whom = f"{cases} images of train, {unlabelled} of them without truth"
    return f"{pretraining.epochs} x {pretraining.steps} batches restored {what}, in {whom}"
