"""What lies inside a network: the values of one of its inner layers, without torch."""

from __future__ import annotations

import numpy as np

from isocenter.bundle import refuse_external, until, values
from isocenter.errors import RecipeError
from isocenter.infer.engines import OnnxRuntime
from isocenter.infer.threads import threads
from isocenter.ops.array import Array

# What an inner layer ends in.
ENDS = (
    "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Gelu", "Sigmoid", "HardSwish", "Mul", "Add", "Clip", "Conv",
    "InstanceNormalization", "BatchNormalization",
)  # fmt: skip


def inner(onnx_bytes: bytes, vector: Array, *, stride: float) -> OnnxRuntime:
    """The engine of the deepest features of a network before its grid becomes too coarse; what follows is cut off.

    Parameters
    ----------
    onnx_bytes
        The exported network.
    vector
        float32 (1, c, *grid): a question that it can answer.
    stride
        Pixels of the network's grid by one of the features' that are allowed on every axis.

    Returns
    -------
    Called with (1, c, *grid) it answers (1, channels, *grid / stride or finer).

    Raises
    ------
    RecipeError
        There is no layer with a grid as fine as that.
    BundleError
        The bytes are no network.
    """
    refuse_external(onnx_bytes)
    known = [name for kind, name in values(onnx_bytes) if kind in ENDS]
    if not known:
        raise RecipeError("the network has no inner layer with a grid", got=f"{len(onnx_bytes)} bytes of a network")
    # Sums over volumes depend on the number of threads in the last bit.
    count = threads() if vector.ndim == 4 else 1
    probe = OnnxRuntime.open(until(onnx_bytes, known), count)
    shapes = [np.shape(v) for v in probe.session.run(None, {probe.input: np.asarray(vector, np.float32)})]
    chosen = None
    for name, shape in zip(known, shapes, strict=True):
        if len(shape) != vector.ndim or shape[0] != len(vector):
            continue
        if any(n > stride * m for n, m in zip(vector.shape[2:], shape[2:], strict=True)):
            break
        chosen = name if shape[1] > 1 else chosen
    if chosen is None:
        raise RecipeError("no inner layer is as fine as that", where="stride", got=str(stride), wanted="a larger one")
    return OnnxRuntime.open(until(onnx_bytes, [chosen]), count)
