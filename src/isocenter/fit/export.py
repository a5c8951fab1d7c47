"""From a trained torch module to ONNX bytes that answer the same."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import torch
from torch import nn

from isocenter.data import Plan
from isocenter.errors import BundleError
from isocenter.fit.validation import asked
from isocenter.infer import engine, verify
from isocenter.ops.array import Array

OPSET = 17


def exported(module: nn.Module, plan: Plan, vector: Array, *, dense: bool) -> tuple[bytes, Array]:
    """The network as ONNX, and its answer to `vector`, checked to agree within plan.tolerance.

    Parameters
    ----------
    module
        On the CPU.
    plan
        Names the engine and the tolerance.
    vector
        float32 (1, c, *grid), stored beside it.
    dense
        Whether the answer has the grid too.

    Raises
    ------
    BundleError
        The exported network does not answer as torch does.
    """
    module.eval()
    answer = asked(module, vector)
    data = onnx_bytes(module, vector, dense=dense, coarser=dense and answer.shape[2:] != vector.shape[2:])
    try:
        verify(engine(data, kind=plan.engine, threads=1), vector, answer, plan)
    except BundleError as error:
        raise BundleError(
            "the exported network does not answer as the trained one",
            got=error.got or error.what,
            remedy="Use layers that ONNX has, or raise the plan's tolerance",
        ) from error
    return data, answer


def onnx_bytes(module: nn.Module, vector: Array, *, dense: bool, coarser: bool = False) -> bytes:
    """ONNX of opset 17 with free batch and grid; `dense` when the answer has a grid too, `coarser` its own one."""
    axes: dict[int, str] = {0: "n", **{i: f"s{i}" for i in range(2, vector.ndim)}}
    own: dict[int, str] = {i: f"t{i}" if coarser and i else name for i, name in axes.items()}
    names: dict[str, Any] = {"input": axes, "output": own if dense else {0: "n"}}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The TorchScript exporter is deprecated but is the one that needs no further package and keeps free axes.
        about = ".*(legacy TorchScript|torch.onnx|torch.jit|feature will be removed).*"
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=about)
        # Instance normalisation uses the statistics of its input in training and evaluation alike.
        warnings.filterwarnings("ignore", category=UserWarning, message=".*'instance_norm' is set to train.*")
        # Said of every recurrent layer, whose first state is made from the batch here.
        warnings.filterwarnings("ignore", category=UserWarning, message=".*batch_size other than 1.*")
        # Shape checks of torch's own layers; that the answer is the same on the vector is checked afterwards.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        torch.onnx.export(
            module,
            (torch.from_numpy(vector),),
            buffer,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes=names,
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


def vector_of(image: Array, grid: tuple[int, ...]) -> Array:
    """float32 (1, c, *grid): the middle of a prepared image (c, *own), padded to `grid` where it is smaller."""
    from isocenter.ops.windows import padded

    inside = padded(image, grid)
    starts = [(have - want) // 2 for have, want in zip(inside.shape[1:], grid, strict=True)]
    cut = inside[(slice(None), *(slice(s, s + g) for s, g in zip(starts, grid, strict=True)))]
    return np.ascontiguousarray(cut[None], dtype=np.float32)
