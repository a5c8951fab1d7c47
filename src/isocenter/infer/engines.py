"""Engines that run an exported network, and the proof that they answer as the training network did."""

from __future__ import annotations

import hashlib
import io
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, TypeAlias

import numpy as np

from isocenter.bundle import first_width, refuse_external
from isocenter.data import Plan
from isocenter.errors import BundleError, MissingExtraError, RecipeError, ResourceError, nearest
from isocenter.infer.memory import BYTES_PER_CHANNEL, WIDTH
from isocenter.infer.threads import threads as default_threads
from isocenter.ops.array import Array

# (n, c, *grid) float32 -> logits (n, classes[, *grid]) float32. What `engine` makes also has `parallel`, the number of
# calls at the same time that it is built for, and `pixel_bytes`, its memory per pixel of one call.
Engine: TypeAlias = Callable[[Array], Array]
# Networks kept open; one answer needs one, a region network five, an ensemble a few.
KEPT = 8


def engine(onnx_bytes: bytes, *, kind: str = "onnxruntime", threads: int | None = None, parallel: int = 1) -> Engine:
    """A network ready to answer, in float32 on the CPU.

    Parameters
    ----------
    onnx_bytes
        The exported network, whole: no external data.
    kind
        ``"onnxruntime"``, or ``"openvino"`` (extra `fast`).
    threads
        Threads of one call; default `infer.threads()`. In three dimensions onnxruntime's sums depend on it in the last
        bit; `ready` therefore uses one thread a call there, and several calls.
    parallel
        Calls at the same time; onnxruntime only.

    Raises
    ------
    BundleError
        The bytes are no network that the engine can run.
    MissingExtraError
        openvino is not installed.
    RecipeError
        An unknown kind.
    """
    if kind not in BUILDERS:
        raise RecipeError(f"unknown engine {kind!r}", remedy=nearest(kind, BUILDERS))
    refuse_external(onnx_bytes)
    width = first_width(onnx_bytes) or WIDTH
    session = BUILDERS[kind](onnx_bytes, max(1, threads or default_threads()))
    return replace(session, parallel=max(1, parallel), pixel_bytes=width * BYTES_PER_CHANNEL)


@dataclass(frozen=True)
class OnnxRuntime:
    """One onnxruntime session; called with (n, c, *grid) float32."""

    session: Any
    input: str
    parallel: int = 1
    pixel_bytes: int = WIDTH * BYTES_PER_CHANNEL

    @classmethod
    def open(cls, onnx_bytes: bytes, threads: int) -> OnnxRuntime:
        """Builds the session; BundleError when the bytes are no network."""
        import onnxruntime as ort

        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        # Waiting threads sleep: other programs on a laptop, and other windows, get the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a dozen unrelated classes, none of them public.
            raise BundleError("the network cannot be opened", got=_first_line(error)) from error
        if len(session.get_inputs()) != 1 or not session.get_outputs():
            raise BundleError("the network must have one input", got=str(len(session.get_inputs())))
        return cls(session, session.get_inputs()[0].name)

    def __call__(self, batch: Array) -> Array:
        """Logits of the first output."""
        try:
            return np.asarray(self.session.run(None, {self.input: np.ascontiguousarray(batch, np.float32)})[0])
        except Exception as error:
            raise _failed(error, batch) from error


@dataclass(frozen=True)
class OpenVino:
    """One compiled openvino network; called with (n, c, *grid) float32."""

    compiled: Any
    parallel: int = 1
    pixel_bytes: int = WIDTH * BYTES_PER_CHANNEL

    @classmethod
    def open(cls, onnx_bytes: bytes, threads: int) -> OpenVino:
        """Compiles in float32; MissingExtraError without openvino, BundleError when the bytes are no network."""
        try:
            import openvino
        except ImportError as error:
            raise MissingExtraError("the engine openvino", "fast") from error
        settings = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"}
        core = openvino.Core()
        try:
            return cls(
                core.compile_model(
                    core.read_model(io.BytesIO(onnx_bytes)), "CPU", settings | {"INFERENCE_NUM_THREADS": threads}
                )
            )
        except RuntimeError as error:
            raise BundleError("the network cannot be opened", got=_first_line(error)) from error

    def __call__(self, batch: Array) -> Array:
        """Logits of the first output."""
        try:
            return np.array(self.compiled(np.ascontiguousarray(batch, np.float32))[0])
        except RuntimeError as error:
            raise _failed(error, batch) from error


BUILDERS: dict[str, Callable[[bytes, int], OnnxRuntime | OpenVino]] = {
    "onnxruntime": OnnxRuntime.open,
    "openvino": OpenVino.open,
}


def _failed(error: Exception, batch: Array) -> BundleError | ResourceError:
    text = _first_line(error)
    if isinstance(error, MemoryError) or "allocate" in text or "bad_alloc" in text:
        remedy = "Close other programs or use a plan with a smaller patch"
        return ResourceError("memory does not suffice for one window", got=str(batch.shape), remedy=remedy)
    return BundleError("the network does not answer", got=text, wanted=f"an answer for {batch.shape}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def verify(engine: Engine, vector_in: Array, vector_out: Array, plan: Plan) -> float:
    """Checks that the engine answers the stored question as the training network did.

    Parameters
    ----------
    engine
        As `engine` makes it.
    vector_in, vector_out
        (n, c, *grid) and its logits, float32, stored at export.
    plan
        Its `tolerance` is the largest difference allowed.

    Returns
    -------
    The largest absolute difference.

    Raises
    ------
    BundleError
        The answer has another shape, differs by more, or is not finite.
    """
    answer = engine(vector_in)
    if answer.shape != vector_out.shape:
        got, wanted = str(answer.shape), str(vector_out.shape)
        raise BundleError("the network answers in another shape than at its export", got=got, wanted=wanted)
    difference = float(np.abs(answer.astype(np.float64) - vector_out).max(initial=0.0))
    if not difference <= plan.tolerance:
        raise BundleError(
            "the network answers other than at its export",
            got=f"logits differ by {difference:.3g}",
            wanted=f"at most {plan.tolerance:.3g}",
            remedy="Fetch the bundle again, or install the versions it names",
        )
    return difference


_open: OrderedDict[tuple[str, str, float, int, int], Engine] = OrderedDict()
_lock = Lock()
# Checksums of read-only arrays that are still alive, by identity: a network of 50 MB is not hashed for every case.
_seen: dict[int, tuple[weakref.ref[Array], str]] = {}


def ready(network: Array | bytes, vector_in: Array, vector_out: Array, plan: Plan) -> Engine:
    """The verified engine of a network; built and verified once per process, thread count and plan.

    Parameters
    ----------
    network
        ONNX as uint8 or bytes. A read-only array is recognised without being read again.
    vector_in, vector_out, plan
        As in `verify`; raises as it and `engine` do.
    """
    array = np.frombuffer(network, np.uint8) if isinstance(network, bytes) else network
    count = default_threads()
    parts = "/".join(_digest(part) for part in (array, vector_in, vector_out))
    key = (parts, plan.engine, plan.tolerance, plan.rank, count)
    with _lock:
        if key not in _open:
            alone = plan.rank == 3 and plan.engine == "onnxruntime"
            threads, parallel = (1, count) if alone else (count, 1)
            made = engine(array.tobytes(), kind=plan.engine, threads=threads, parallel=parallel)
            verify(made, vector_in, vector_out, plan)
            _open[key] = made
        _open.move_to_end(key)
        while len(_open) > KEPT:
            _open.popitem(last=False)
        return _open[key]


def _digest(array: Array) -> str:
    known = _seen.get(id(array))
    if known is not None and known[0]() is array and not array.flags.writeable:
        return known[1]
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    if not array.flags.writeable:
        number = id(array)
        _seen[number] = (weakref.ref(array, lambda _: _seen.pop(number, None)), digest)
    return digest
