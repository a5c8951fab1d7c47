"""How a network of several modalities learns: samples of which each may lack some, modalities dropped on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from isocenter import nets
from isocenter.data import Intensity, Plan, Progress, Spatial, Watch
from isocenter.errors import ResourceError
from isocenter.fit.augment import drawn, positions, sampled, shaded
from isocenter.fit.export import exported
from isocenter.fit.loop import device_of, threaded
from isocenter.nets.fusing import LATE, Fusing
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss

# Fewest steps of a study where nobody says how many passes; and fewest and most passes.
STEPS, FEWEST, MOST = 400, 10, 150
SPATIAL = Spatial(rotation=(-10.0, 10.0), scaling=(0.9, 1.1), translation=(-0.05, 0.05))
INTENSITY, SHARE = Intensity(gain=(0.8, 1.25), offset=0.2, noise=0.1), 0.3


@dataclass(frozen=True, eq=False)
class Samples:
    """Cases, prepared.

    Parameters
    ----------
    images
        One array a role, float32 (n, c, *grid); zeros where a case lacks it.
    facts
        float32 (n, numbers).
    present
        bool (n, count): roles in order, then facts.
    truth
        float32 (n, classes), zeros and ones.
    """

    images: tuple[Array, ...]
    facts: Array
    present: Array
    truth: Array


@dataclass(frozen=True)
class Fused:
    """How it learns.

    Parameters
    ----------
    kind
        Of `nets.fusing.FUSIONS`.
    tokens
        Numbers of each modality.
    dropout
        Probability with which a modality that is there is left out of a sample of training; one always stays.
    epochs
        Passes over train; None: as many as make 400 steps, 10 to 150.
    rate, decay, batch
        Of AdamW, a cosine after a short rise.
    """

    kind: str
    tokens: int
    dropout: float
    epochs: int | None
    rate: float
    decay: float
    batch: int


def fuse(
    networks: Sequence[Mapping[str, Any]], train: Samples, valid: Samples, how: Fused, *, several: bool, watch: Watch,
    choose: bool = True,
) -> tuple[Fusing, list[dict[str, float]]]:
    """The trained network on the CPU, and its losses by epoch.

    Parameters
    ----------
    networks
        Descriptions of the encoders for `nets.build`, one a role.
    train, valid
        Samples.
    how
        As `Fused`.
    several
        One sigmoid a class.
    watch
        Seed, threads, device, progress.
    choose
        Keep the epoch of the least log loss on val; else the last one.

    Raises
    ------
    ResourceError
        The loss is not a finite number any more.
    """
    rng, device = np.random.default_rng(watch.seed), device_of(watch.device)
    with threaded(watch.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(watch.seed)
        module = _built(networks, train, how).to(device)
        epochs = how.epochs or _passes(len(train.truth), how.batch)
        steps = epochs * math.ceil(len(train.truth) / how.batch)
        optimiser = torch.optim.AdamW(module.parameters(), lr=how.rate, weight_decay=how.decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _pace(step / steps))
        best, kept, history = math.inf, module.state_dict(), []
        for epoch in range(epochs):
            losses = []
            for at in _batches(len(train.truth), how.batch, rng):
                loss = _loss(module, _tensors(train, at, device, how=how, rng=rng), several=several)
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
                optimiser.step()
                schedule.step()
                losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                raise ResourceError("the loss is not a finite number any more", where=f"epoch {epoch + 1}",
                                    got=str(losses[-1]), remedy="Lower learning.learning_rate")
            now = log_loss(logits(module, valid), valid.truth, several=several)
            history.append({"train_loss": float(np.mean(losses)), "valid_log_loss": now})
            if now < best or not choose:
                best, kept = now, {k: v.detach().cpu().clone() for k, v in module.state_dict().items()}
            watch.report(Progress("train", (epoch + 1) / epochs, history[-1]["train_loss"], -now))
        module.cpu().load_state_dict(kept)
    return module.eval(), history


def logits(module: Fusing, samples: Samples) -> Array:
    """(n, classes) of samples as they are, float64."""
    return _asked(module, samples, fused=True)


def tokens(module: Fusing, samples: Samples) -> Array:
    """(n, count, tokens) of samples as they are, float64."""
    return _asked(module, samples, fused=False)


def network_files(module: Fusing, plans: Sequence[Plan], samples: Samples) -> dict[str, Array]:
    """Each encoder as ONNX with a stored question and its answer, and every other parameter below ``head/``.

    Raises
    ------
    BundleError
        An exported encoder does not answer as torch does.
    """
    out: dict[str, Array] = {}
    for i, (encoder, plan) in enumerate(zip(module.encoders, plans, strict=False)):
        here = int(np.flatnonzero(samples.present[:, i])[0])
        vector = np.ascontiguousarray(samples.images[i][here : here + 1])
        data, answer = exported(encoder, plan, vector, dense=False)
        out |= {f"encoder{i}.onnx": np.frombuffer(data, np.uint8), f"encoder{i}/input": vector,
                f"encoder{i}/output": answer}
    rest = {k: v for k, v in module.state_dict().items() if not k.startswith("encoders.")}
    return out | {f"head/{k}": np.ascontiguousarray(v.numpy()) for k, v in rest.items()}


def _built(networks: Sequence[Mapping[str, Any]], train: Samples, how: Fused) -> Fusing:
    encoders = [nets.build(spec) for spec in networks]
    facts, count = train.facts.shape[1], train.present.shape[1]
    return Fusing(encoders, facts, train.truth.shape[1], kind=how.kind, tokens=how.tokens, count=count)


def _passes(n: int, batch: int) -> int:
    return int(min(MOST, max(FEWEST, math.ceil(STEPS / math.ceil(n / batch)))))


def _pace(share: float) -> float:
    """Of the rate: up over the first tenth, then down along a cosine."""
    return share / 0.1 + 0.01 if share < 0.1 else 0.5 * (1 + math.cos(math.pi * (share - 0.1) / 0.9))


def _batches(n: int, batch: int, rng: np.random.Generator) -> list[Array]:
    order = rng.permutation(n)
    return [order[i : i + batch] for i in range(0, n, batch)]


Batch = tuple[list[Tensor], Tensor, Tensor, Tensor]


def _tensors(
    samples: Samples, at: Array, device: torch.device, *, how: Fused | None = None,
    rng: np.random.Generator | None = None,
) -> Batch:
    """Images, facts, presence and truth of some samples; in training varied, and with modalities left out."""
    present = samples.present[at]
    if how is not None and rng is not None:
        present = thinned(present, how.dropout, rng)
    images = []
    for i, array in enumerate(samples.images):
        part = array[at]
        if rng is not None:
            part = np.stack([_varied(x, rng) if here else x for x, here in zip(part, present[:, i], strict=True)])
        images.append(torch.from_numpy(np.ascontiguousarray(part)).to(device))
    rest = (samples.facts[at], present, samples.truth[at])
    facts, there, truth = (torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in rest)
    return images, facts, there, truth


def thinned(present: Array, share: float, rng: np.random.Generator) -> Array:
    """Who is left of bool (n, count) when each that is there goes with probability `share`; one of a row always stays.

    Source: Neverova et al., ModDrop, IEEE Trans. PAMI 38 (2016) 1692.
    """
    draw = rng.random(present.shape)
    kept = present & (draw >= share)
    # Of a row that would be empty the one with the largest draw stays.
    lone = np.zeros_like(present)
    lone[np.arange(len(present)), np.where(present, draw, -1.0).argmax(axis=1)] = True
    return np.where(kept.any(axis=1, keepdims=True), kept, lone & present)


def _varied(image: Array, rng: np.random.Generator) -> Array:
    grid = image.shape[1:]
    centre = (np.asarray(grid, float) - 1) / 2
    moved = sampled(image, positions(drawn(rng, SPATIAL, grid, centre), grid))
    return shaded(rng, moved, INTENSITY, SHARE)


def _loss(module: Fusing, batch: Batch, *, several: bool) -> Tensor:
    """Cross-entropy of the fused logits; of late fusion that of each modality by itself, the mean of those present."""
    images, facts, present, truth = batch
    seen = module.train().seen(images, facts, present)
    if module.kind != LATE:
        return _entropy(module.fused(seen, present), truth, several).mean()
    each = module.answers(seen)
    single = _entropy(each.flatten(0, 1), truth.repeat_interleave(module.count, 0), several).view(present.shape)
    there = present.to(single.dtype)
    loss: Tensor = (single * there).sum() / there.sum()
    return loss


def _entropy(logits_: Tensor, truth: Tensor, several: bool) -> Tensor:
    if several:
        return functional.binary_cross_entropy_with_logits(logits_, truth, reduction="none").mean(1)
    return functional.cross_entropy(logits_, truth, reduction="none")


def _asked(module: Fusing, samples: Samples, *, fused: bool, batch: int = 32) -> Array:
    device = next(module.parameters()).device
    module.eval()
    out = []
    with torch.inference_mode():
        for start in range(0, len(samples.truth), batch):
            at = np.arange(start, min(start + batch, len(samples.truth)))
            images, facts, present, _ = _tensors(samples, at, device)
            seen = module.seen(images, facts, present)
            out.append((module.fused(seen, present) if fused else seen).double().cpu().numpy())
    return np.concatenate(out)
