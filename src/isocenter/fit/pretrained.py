"""Weights that an encoder learnt elsewhere, by the parameter names in common use."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from isocenter.bundle.tensors import unpacked
from isocenter.errors import BundleError, MissingFileError
from isocenter.ops.array import Array

ENCODER = "features."


def begun(module: nn.Module, recipe: Any) -> nn.Module:
    """The untrained network with the encoder's weights that `recipe.weights` names; as it is where none are named.

    Parameters
    ----------
    module
        Has parameters ``features.*``.
    recipe
        Its field ``weights``, where it has one: a safetensors file that holds all of them under the same names; further
        tensors of the file (the classifier) are left out. A network of one channel takes the sum over the three that
        the file's first layer has, which is what it would answer to that channel three times.

    Raises
    ------
    MissingFileError
        There is no such file.
    BundleError
        It is no safetensors file, or a weight is missing or of another shape.
    """
    path = getattr(recipe, "weights", None)
    if path is None:
        return module
    found = unpacked(read(path))
    state = module.state_dict()
    wanted = [name for name in state if name.startswith(ENCODER)]
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        raise BundleError(
            "the file does not hold the encoder's weights",
            where=str(path),
            got=", ".join(sorted(found)[:4]) or "no tensors",
            wanted=", ".join((missing or [f"{ENCODER}0.weight"])[:4]),
            remedy="Convert those of a VGG-16: isocenter convert FILE.pth OUT.safetensors",
        )
    for name in wanted:
        state[name].copy_(torch.from_numpy(_fitting(found[name], tuple(state[name].shape), name=name, where=str(path))))
    return module


def read(path: str | Path) -> bytes:
    """The bytes of a file; MissingFileError where there is none."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MissingFileError("no such file of weights", where=str(path), got=error.strerror or "") from error


def digest(path: str | Path) -> str:
    """sha256 of a file of weights; raises as `read`."""
    return hashlib.sha256(read(path)).hexdigest()


def _fitting(array: Array, shape: tuple[int, ...], *, name: str, where: str) -> Array:
    own = np.array(array, dtype=np.float32, order="C")
    if own.ndim == len(shape) > 1 and own.shape[1] == 3 and shape[1] == 1:
        own = own.sum(1, keepdims=True)
    if own.shape != shape:
        raise BundleError(
            "a weight has another shape than the network's",
            where=f"{where}: {name}",
            got=str(own.shape),
            wanted=str(shape),
            remedy="Leave width out; the published weights are for images of one or three channels and two axes",
        )
    return own
