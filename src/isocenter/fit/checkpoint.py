"""Checkpoints: one safetensors file, written whole or not at all, that holds everything a run needs to go on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from isocenter.errors import BundleError
from isocenter.files import written

NAME = "checkpoint.safetensors"


@dataclass
class Run:
    """What changes while a network learns.

    Parameters
    ----------
    module, optimiser
        The network and who steps it.
    mean
        Running mean of the weights, by name; empty without.
    best
        Weights of the best validation so far.
    step
        Steps done.
    best_score
        Of `best`.
    stale
        Validations since `best`.
    history
        One entry a validation: step, loss, score, rate. No times: the file does not depend on the machine's load.
    losses
        Sum and number of losses since the last validation.
    parts
        Pieces that a batch goes through the network in; a circumstance of the machine, not saved.
    """

    module: nn.Module
    optimiser: torch.optim.Optimizer
    mean: dict[str, Tensor]
    best: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    best_score: float | None = None
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=lambda: [0.0, 0.0])
    parts: int = 1


def save(run: Run, folder: Path, *, key: str) -> None:
    """Writes the checkpoint of a run.

    Parameters
    ----------
    run
        The state.
    folder
        Where; the file is `NAME`.
    key
        Digest of plan and seed, checked by `load`.

    Raises
    ------
    ResourceError
        The disk is full; the last good checkpoint stays.
    OutputError
        The folder cannot be written.
    """
    from safetensors.torch import save as packed

    tensors = {f"model/{k}": v for k, v in run.module.state_dict().items()}
    tensors |= {f"mean/{k}": v for k, v in run.mean.items()} | {f"best/{k}": v for k, v in run.best.items()}
    for index, values in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{k}": v for k, v in values.items() if isinstance(v, Tensor)}
    state = {
        "key": key,
        "step": run.step,
        "best_score": run.best_score,
        "stale": run.stale,
        "history": run.history,
        "losses": run.losses,
    }
    data = packed(
        {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, metadata={"state": json.dumps(state)}
    )
    with written(folder / NAME, overwrite=True) as part:
        part.write_bytes(data)


def load(run: Run, folder: Path, *, key: str) -> bool:
    """Brings a run to its last checkpoint; False when there is none.

    Raises
    ------
    BundleError
        The checkpoint is of another plan or seed, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / NAME
    if not path.is_file():
        return False
    try:
        with safe_open(str(path), framework="pt") as file:
            state = json.loads(file.metadata()["state"])
            tensors = {k: file.get_tensor(k) for k in list(file.keys())}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BundleError(
            "the checkpoint is damaged", where=str(path), got=str(error), remedy="Start again without --resume"
        ) from error
    if state["key"] != key:
        raise BundleError(
            "the checkpoint is of another plan or seed",
            where=str(path),
            remedy="Resume with the same settings, or start again",
        )
    device = next(run.module.parameters()).device
    run.module.load_state_dict(_under(tensors, "model/"))
    run.mean = {k: v.to(device) for k, v in _under(tensors, "mean/").items()}
    run.best = _under(tensors, "best/")
    _restore_optimiser(run.optimiser, _under(tensors, "optimiser/"))
    run.step, run.stale, run.history, run.losses = state["step"], state["stale"], state["history"], state["losses"]
    run.best_score = state["best_score"]
    return True


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _restore_optimiser(optimiser: torch.optim.Optimizer, flat: dict[str, Tensor]) -> None:
    states: dict[int, dict[str, Any]] = {}
    for name, value in flat.items():
        index, _, key = name.partition("/")
        states.setdefault(int(index), {})[key] = value
    whole = optimiser.state_dict()
    whole["state"] = states
    optimiser.load_state_dict(whole)
