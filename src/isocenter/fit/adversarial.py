"""Training samples changed, within a budget, to raise the network's own loss; and what that costs.

Madry et al., Towards deep learning models resistant to adversarial attacks, ICLR 2018; with one step Wong, Rice,
Kolter, Fast is better than free, ICLR 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from isocenter.data import Study
from isocenter.errors import RecipeError
from isocenter.nets.adversarial import Aim, Ball, Walk, margins_at, pgd

if TYPE_CHECKING:
    from isocenter.fit.checkpoint import Run
    from isocenter.fit.feed import Shelf
    from isocenter.fit.questions.question import Question
    from isocenter.fit.scheme import Scheme

# How the answers on val are attacked at the end: steps, and the length of one as a share of the budget.
CHECKED = Walk(10, 0.25)


def possible(question: Question, study: Study) -> None:
    """RecipeError where samples shall be changed for a question whose answer is neither classes nor regions."""
    if study.augment.adversarial.epsilon and question.task not in ("classify", "segment"):
        raise RecipeError("adversarial samples are made for classes of an image or of its pixels", got=question.task,
                          wanted="classify or segment", remedy="Leave study.augment.adversarial.epsilon at 0")


def gradients(study: Study) -> int:
    """Passes forward and back for one step of the training."""
    hard = study.augment.adversarial
    return 1 + (hard.steps if hard.epsilon else 0)


def hardened(
    run: Run, images: Tensor, targets: Tensor, *, scheme: Scheme, reach: Tensor, step: int, seed: int
) -> Tensor:
    """A batch whose samples (or a share of them) were changed so that the loss rises.

    The change is made on the grid that the network sees: averaging onto it keeps a bound on every pixel.

    Parameters
    ----------
    run
        Whose network is to be fooled; its running statistics stay as they are.
    images, targets
        float32 (n, c, *patch) and what is true, as `feed.batch` gives them.
    scheme
        Its study's ``augment.adversarial``.
    reach
        (n, c) as `feed.reaches` gives it.
    step
        Number of the step, for the growing budget.
    seed
        Of the starts.

    Returns
    -------
    float32 (n, c, *patch).
    """
    hard = scheme.study.augment.adversarial
    count = max(1, round(hard.share * len(images)))
    grown = min(1.0, (step + 1) / max(1.0, hard.rise * scheme.steps))
    radius = (hard.epsilon * grown * reach[:count]).reshape(count, -1, *([1] * (images.ndim - 2)))
    length = hard.step if hard.step is not None else (1.25 if hard.steps == 1 else 2.5 / hard.steps)
    part, target = images[:count], targets[:count]
    draw = torch.Generator().manual_seed(seed)
    away = (2 * torch.rand(part.shape, generator=draw).to(part.device) - 1) * radius
    training = run.module.training
    run.module.eval()
    try:
        for _ in range(hard.steps):
            slope = _slope(run.module, part + away, target, scheme, run.parts)
            away = torch.minimum(torch.maximum(away + length * radius * slope.sign(), -radius), radius)
    finally:
        run.module.train(training)
    return torch.cat([part + away, images[count:]])


def _slope(module: nn.Module, x: Tensor, target: Tensor, scheme: Scheme, parts: int) -> Tensor:
    out = []
    bf16 = scheme.loop.precision == "bf16"
    for piece, true in zip(x.chunk(parts), target.chunk(parts), strict=True):
        at = piece.detach().requires_grad_(True)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            answer = module(at)
        (slope,) = torch.autograd.grad(_loss(answer.float(), true, scheme), at)
        out.append(slope)
    return torch.cat(out)


def _loss(answer: Tensor, target: Tensor, scheme: Scheme) -> Tensor:
    """Cross-entropy without smoothing; further channels than the classes say nothing about them."""
    scores = answer[:, : len(scheme.plan.classes)]
    if scheme.plan.multilabel:
        return functional.binary_cross_entropy_with_logits(scores, target)
    if scheme.plan.task == "segment":
        return functional.cross_entropy(scores, target, ignore_index=255)
    return functional.cross_entropy(scores, target)


def measured(module: nn.Module, valid: Shelf, *, seed: int) -> dict[str, Any]:
    """What the network answers rightly on val as it is, and under attack with the budget that it was hardened for.

    On the grid that the network sees, by the largest score; the attack is projected gradient ascent of ten steps.

    Returns
    -------
    dict
        ``epsilon``, ``n``, ``metric`` (accuracy, or dice of the regions), ``clean``, ``robust``, and in words ``text``.
    """
    plan, epsilon = valid.scheme.plan, valid.scheme.study.augment.adversarial.epsilon
    clean, robust = [], []
    for i in range(len(valid)):
        ready = valid[i]
        x = torch.from_numpy(_whole(ready.image, valid.scheme))[None]
        radius = torch.from_numpy(epsilon * np.asarray(ready.reach)).reshape(1, -1, *([1] * (x.ndim - 2)))
        aim = _aim(ready.target, valid.scheme, x.shape[2:])

        def answers(u: Tensor, x: Tensor = x, radius: Tensor = radius) -> Tensor:
            out: Tensor = module(x + (2 * u - 1) * radius)
            return out[:, : len(plan.classes)]

        # As a share: one half is no change, 0 and 1 are the ends of the budget.
        start = torch.full_like(x, 0.5)
        before = margins_at(answers, start, aim)
        walk = Walk(CHECKED.steps, CHECKED.step, seed=seed + i)
        after = torch.minimum(before, pgd(answers, start, aim, ball=Ball("linf", 0.5), walk=walk).margins)
        clean.append(_kept(before, plan.task))
        robust.append(_kept(after, plan.task))
    metric = "dice" if plan.task == "segment" else "accuracy"
    first, last = (round(float(np.mean(values)), 4) for values in (clean, robust))
    text = (
        f"hardened against changes of {epsilon:.3g} of the range: {metric} on val {first:.3f} unchanged, {last:.3f} "
        f"under attack (n = {len(clean)}); what that cost says a comparison with a bundle that was not hardened"
    )
    return {"epsilon": epsilon, "n": len(clean), "metric": metric, "clean": first, "robust": last, "text": text}


def _whole(image: Any, scheme: Scheme) -> Any:
    from isocenter.ops.windows import multiple, padded

    return padded(image, multiple(image.shape[1:], scheme.plan.divisor)).copy()


def _aim(target: Any, scheme: Scheme, grid: Any) -> Aim:
    if scheme.plan.task == "segment":
        lack = [n - have for n, have in zip(grid, target.shape, strict=True)]
        labels = np.pad(target, [(n // 2, n - n // 2) for n in lack], constant_values=255)
        return Aim(torch.from_numpy(labels.astype(np.int64))[None])
    if scheme.plan.multilabel:
        return Aim((torch.from_numpy(target)[None] > 0.5).float())
    return Aim(torch.tensor([int(np.argmax(target))]))


def _kept(margins: Tensor, task: str) -> float:
    from isocenter.nets.adversarial import LOST

    return float(margins[0]) + LOST if task == "segment" else float(margins[0] > 0)
