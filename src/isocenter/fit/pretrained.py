"""Weights that an encoder or a classifier learnt elsewhere, by the parameter names in common use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from isocenter import nets
from isocenter.bundle.layout import STATE
from isocenter.bundle.tensors import unpacked
from isocenter.errors import BundleError, MissingFileError
from isocenter.ops.array import Array

ENCODER = "features."
# A count that some published files lack and that nothing here reads.
COUNT = "num_batches_tracked"
# Before the names of a network's weights in a bundle.
PREFIX = "weights/"


def named(recipe: Any) -> str | None:
    """The file of weights that a recipe names, by itself or in its ``form``; None where it names none."""
    path: str | None = getattr(recipe, "weights", None) or getattr(getattr(recipe, "form", None), "weights", None)
    return path


def begun(module: nn.Module, recipe: Any) -> nn.Module:
    """The untrained network with the weights that the recipe names; as it is where none are named.

    Parameters
    ----------
    module
        A classifier of ours, which takes all but its last layer and heads half way where these are of other classes; or
        one with an encoder ``features.*``, which takes that alone.
    recipe
        Its field ``weights``, or that of its ``form``: a safetensors file that holds all of them under the same names;
        further tensors of the file are left out. Or a bundle of a network that shares those names, such as an
        autoencoder's. A network of other channels than the file's three takes their sum in
        equal parts, which is what it would answer to three equal channels; one of three axes takes each kernel in equal
        parts along the first (Carreira and Zisserman, CVPR 2017).

    Raises
    ------
    MissingFileError
        There is no such file.
    BundleError
        It is no safetensors file, or a weight is missing or of another shape.
    """
    path = named(recipe)
    if path is None:
        return module
    found, state = tensors(path), module.state_dict()
    last = str(getattr(module, "LAST", ""))
    wanted = [name for name in state if name.startswith(ENCODER) or last]
    missing = [name for name in wanted if name not in found and not _free(name, last)]
    if missing or not wanted:
        raise BundleError(
            "the file does not hold the network's weights" if last else "the file does not hold the encoder's weights",
            where=str(path),
            got=", ".join(sorted(found)[:4]) or "no tensors",
            wanted=", ".join((missing or [f"{ENCODER}0.weight"])[:4]),
            remedy="Convert those of the same network: isocenter convert FILE.pth OUT.safetensors",
        )
    for name in wanted:
        array, shape = found.get(name), tuple(state[name].shape)
        if array is None or (_free(name, last) and array.shape != shape):
            continue
        own = _fitted(array, shape) if last else _summed(array, shape)
        if own.shape != shape:
            raise BundleError(
                "a weight has another shape than the network's",
                where=f"{path}: {name}",
                got=str(array.shape),
                wanted=str(shape),
                remedy="Leave width out; dense layers of published weights also need two axes, or form.context"
                if last
                else "Leave width out; the published weights are for images of one or three channels and two axes",
            )
        state[name].copy_(torch.from_numpy(own))
    return module


def adapted(path: str | Path, network: Mapping[str, Any]) -> list[str]:
    """What is done to the weights of a file so that they fit a classifier's description, in words.

    Raises as `read`, and BundleError where the file is no safetensors file.
    """
    found = {name: array.shape for name, array in tensors(path).items()}
    with torch.device("meta"):
        state = nets.build(network).state_dict()
    last, said = nets.last(network), []
    theirs, mine = found.get(f"{last}.weight", (0,)), tuple(state[f"{last}.weight"].shape)
    if theirs != mine:
        said.append(f"{last} begins anew ({theirs[0] or 'no'} classes in the file, {mine[0]} here)")
    first = next(name for name in state if state[name].ndim > 2)
    seen, wanted = found.get(first, ()), tuple(state[first].shape)
    if len(seen) > 1 and seen[1] != wanted[1]:
        said.append(f"{first} takes the sum over {seen[1]} channels in {wanted[1]} equal parts")
    if len(seen) == 4 < len(wanted):
        said.append("kernels are laid out in equal parts across slices")
    return said


def tensors(path: str | Path) -> dict[str, Array]:
    """Name to array of a file of weights, or of the network of a bundle; raises as `read` and `unpacked`."""
    return {name.removeprefix(PREFIX): array for name, array in unpacked(read(path)).items()}


def read(path: str | Path) -> bytes:
    """The bytes of a file of weights, or of the arrays of a bundle; MissingFileError where there is none."""
    try:
        return (Path(path) / STATE if Path(path).is_dir() else Path(path)).read_bytes()
    except OSError as error:
        raise MissingFileError("no such file of weights", where=str(path), got=error.strerror or "") from error


def digest(path: str | Path) -> str:
    """sha256 of a file of weights; raises as `read`."""
    return hashlib.sha256(read(path)).hexdigest()


def _free(name: str, last: str) -> bool:
    """Whether a classifier does without a parameter of the file, or begins it anew."""
    own = bool(last) and (name.startswith(f"{last}.") or not nets.lasting(name))
    return own or name.endswith(COUNT)


def _summed(array: Array, shape: tuple[int, ...]) -> Array:
    """float32, of one channel where the network has one and the file three."""
    own = np.array(array, dtype=np.float32, order="C")
    one = own.ndim == len(shape) > 1 and own.shape[1] == 3 and shape[1] == 1
    return own.sum(1, keepdims=True) if one else own


def _fitted(array: Array, shape: tuple[int, ...]) -> Array:
    """float32, in equal parts along a third axis, and over other channels than the file's three."""
    own: Array = np.asarray(array, np.float32)
    if own.ndim == 4 and len(shape) == 5:
        own = np.repeat(own[:, :, None], shape[2], axis=2) / shape[2]
    if own.ndim == len(shape) > 2 and own.shape[1] == 3 != shape[1]:
        own = np.repeat(own.sum(1, keepdims=True), shape[1], axis=1) / shape[1]
    return own.astype(np.float32, order="C")
