"""One step: a batch through the network and back, the optimiser, the running mean of the weights."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from isocenter.errors import ResourceError
from isocenter.fit import questions
from isocenter.fit.adversarial import hardened
from isocenter.fit.checkpoint import Run
from isocenter.fit.feed import Shelf, batch, reaches
from isocenter.fit.scheme import Loop, Scheme

# Of stochastic gradient descent with Nesterov's momentum.
MOMENTUM = 0.9

LossOf = Callable[[Any, Any], Tensor]


def loss_of(scheme: Scheme) -> LossOf:
    """The loss of a scheme, over what the network gives in training mode."""
    return questions.of(scheme.plan.kind).loss(scheme)


def optimiser_of(module: nn.Module, scheme: Scheme) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) or SGD with Nesterov momentum; no decay on norms and biases."""
    flat = [p for p in module.parameters() if p.ndim <= 1]
    full = [p for p in module.parameters() if p.ndim > 1]
    groups = [{"params": full, "weight_decay": scheme.loop.weight_decay}, {"params": flat, "weight_decay": 0.0}]
    rate = float(scheme.study.learning_rate or 1e-3)
    if scheme.loop.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM, nesterov=True)
    return torch.optim.AdamW(groups, lr=rate)


def rate_at(step: int, steps: int, peak: float, warmup: float) -> float:
    """Learning rate of a step: cosine up from peak / 25, cosine down to peak / 1000 (one cycle, Smith 2018)."""
    rise = max(1, round(steps * warmup))
    if step < rise:
        low, share = peak / 25, step / rise
        return low + (peak - low) * 0.5 * (1 - math.cos(math.pi * share))
    share = (step - rise) / max(1, steps - rise)
    return peak / 1000 + (peak - peak / 1000) * 0.5 * (1 + math.cos(math.pi * share))


def started(build: Callable[[], nn.Module], scheme: Scheme, device: torch.device) -> Run:
    """A run before its first step."""
    module = build().to(device).train()
    mean = {k: v.detach().clone() for k, v in module.state_dict().items()} if scheme.loop.ema else {}
    return Run(module, optimiser_of(module, scheme), mean)


def one_step(run: Run, shelf: Shelf, loss: LossOf, step: int, *, seed: int) -> float:
    """One batch through the network and back; the loss.

    A batch that the GPU cannot hold goes through in ever smaller parts, from then on.

    Raises
    ------
    ResourceError
        Not even one sample fits into memory.
    """
    scheme, loop = shelf.scheme, shelf.scheme.loop
    device = next(run.module.parameters()).device
    images, targets = batch(shelf, step, seed=seed)
    images, targets = images.to(device), _each(targets, lambda t: t.to(device))
    reach = reaches(shelf, step, seed=seed).to(device) if scheme.study.augment.adversarial.epsilon else None
    inside = questions.of(scheme.plan.kind).sees_targets
    for group in run.optimiser.param_groups:
        group["lr"] = rate_at(step, scheme.steps, float(scheme.study.learning_rate or 1e-3), loop.warmup)
    while True:
        run.optimiser.zero_grad(set_to_none=True)
        try:
            shown = images
            if reach is not None:
                shown = hardened(run, images, targets, scheme=scheme, reach=reach, step=step, seed=(seed << 32) + step)
            value = learnt(run, shown, targets, loss=loss, loop=loop, inside=inside, seed=(seed << 32) + step)
            break
        except (torch.OutOfMemoryError, RuntimeError) as error:
            run.parts = _smaller(run.parts, images, error)
    nn.utils.clip_grad_norm_(run.module.parameters(), loop.clip)
    run.optimiser.step()
    _averaged(run, loop, step)
    return value


def learnt(
    run: Run, images: Tensor, targets: Any, *, loss: LossOf, loop: Loop, inside: bool, seed: int
) -> float:
    """A batch through the network and back, in ``run.parts`` parts; the loss. Gradients are added to what is there.

    Parameters
    ----------
    run
        Whose module learns.
    images, targets
        As `feed.batch` gives them.
    loss, loop
        Of the scheme.
    inside
        Whether the module takes the targets too.
    seed
        Of what torch draws on the way: dropout, sampling.
    """
    total = 0.0
    # Dropout and sampling draw from torch's own state, which is set by the step: nothing to save.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        start = 0
        for part in images.chunk(run.parts):
            held = slice(start, start + len(part))
            target = _each(targets, operator.itemgetter(held))
            start += len(part)
            with torch.autocast(images.device.type, torch.bfloat16, enabled=loop.precision == "bf16"):
                out = run.module(part, target) if inside else run.module(part)
            value = loss(out, target) * (len(part) / len(images))
            value.backward()
            total += float(value.detach())
    return total


def _each(targets: Any, change: Callable[[Tensor], Tensor]) -> Any:
    return tuple(change(t) for t in targets) if isinstance(targets, tuple) else change(targets)


def _smaller(parts: int, images: Tensor, error: Exception) -> int:
    full = isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
    if not full:
        raise error
    if parts >= len(images):
        raise ResourceError(
            "memory does not suffice for one training sample",
            got=str(tuple(images.shape[1:])),
            remedy="Set a smaller study.patch or width",
        ) from error
    if images.is_cuda:
        torch.cuda.empty_cache()
    return parts * 2


def _averaged(run: Run, loop: Loop, step: int) -> None:
    # Early on the mean is short, so that it forgets the random start (Tarvainen and Valpola 2017).
    decay = min(loop.ema, (1 + step) / (10 + step))
    state = run.module.state_dict()
    with torch.no_grad():
        for name, mean in run.mean.items():
            if mean.is_floating_point():
                mean.lerp_(state[name], 1 - decay)
            else:
                mean.copy_(state[name])
