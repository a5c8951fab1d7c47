from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Plan
from isocenter.errors import BundleError, MissingExtraError, RecipeError
from isocenter.infer import engine, limited, ready, verify

PLAN = Plan("segment", 2, 1, ("background", "a"), tolerance=1e-4)


@pytest.fixture
def network(conv_network, rng):
    weight, bias = rng.normal(size=(2, 1, 3, 3)), rng.normal(size=2)
    return conv_network((weight, bias)), weight, bias


def test_the_engine_computes_the_network(network, rng):
    from scipy import ndimage

    data, weight, bias = network
    batch = rng.normal(size=(3, 1, 9, 11)).astype(np.float32)
    out = engine(data, threads=1)(batch)
    outputs = list(zip(weight[:, 0], bias, strict=True))
    wanted = [[ndimage.correlate(b[0], w, mode="constant") + c for w, c in outputs] for b in batch]
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, wanted, atol=1e-4)


def test_any_float_input_and_any_layout_is_taken(network, rng):
    run = engine(network[0], threads=1)
    batch = rng.normal(size=(1, 1, 9, 12))
    wanted = run(batch.astype(np.float32))
    assert np.array_equal(run(batch), wanted)
    assert np.array_equal(run(np.asfortranarray(batch.astype(np.float32))), wanted)


@pytest.mark.parametrize("shape", [(6, 40, 40), (4, 16, 16, 16)])
def test_batches_and_threads_change_no_bit_where_we_use_them(shape, conv_network, rng):
    """2D: threads within a call. 3D: calls of one thread each."""
    rank = len(shape) - 1
    layers = [(rng.normal(size=(8, 1, *[3] * rank)), np.zeros(8)), (rng.normal(size=(2, 8, *[3] * rank)), np.zeros(2))]
    data = conv_network(*layers)
    batch = rng.normal(size=(shape[0], 1, *shape[1:])).astype(np.float32)
    single = np.concatenate([engine(data, threads=1)(batch[i : i + 1]) for i in range(len(batch))])
    many = 2 if rank == 2 else 1
    for count in (1, many):
        run = engine(data, threads=count)
        assert np.array_equal(np.concatenate([run(batch[i : i + 1]) for i in range(len(batch))]), single)


@pytest.mark.parametrize("data", [b"", b"not a network", b"\x08\x07" * 50])
def test_what_is_no_network_is_refused(data):
    with pytest.raises(BundleError):
        engine(data)


def test_every_cut_network_is_refused_or_answers_the_vector(network, rng):
    data = network[0]
    vector = rng.normal(size=(1, 1, 5, 5)).astype(np.float32)
    answer = engine(data)(vector)
    for length in range(0, len(data), 7):
        with pytest.raises(BundleError):
            verify(engine(data[:length]), vector, answer, PLAN)


def test_an_input_that_does_not_fit_is_a_typed_error(network):
    with pytest.raises(BundleError, match="does not answer"):
        engine(network[0])(np.zeros((1, 2, 5, 5), np.float32))


def test_unknown_and_missing_engines(network):
    with pytest.raises(RecipeError, match="Did you mean onnxruntime"):
        engine(network[0], kind="onnxruntim")
    pytest.importorskip("onnxruntime")
    try:
        import openvino  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"isocenter\[fast\]"):
            engine(network[0], kind="openvino")


def test_openvino_answers_alike(network, rng):
    pytest.importorskip("openvino", reason="the extra `fast` is not installed")
    batch = rng.normal(size=(2, 1, 16, 16)).astype(np.float32)
    found = engine(network[0], kind="openvino", threads=1)(batch)
    np.testing.assert_allclose(found, engine(network[0])(batch), atol=1e-4)


def test_verify(network, rng):
    run = engine(network[0], threads=1)
    vector = rng.normal(size=(1, 1, 8, 8)).astype(np.float32)
    answer = run(vector)
    assert verify(run, vector, answer, PLAN) == 0
    moved = answer.copy()
    moved[0, 1, 3, 3] += 2e-4
    with pytest.raises(BundleError, match=r"differ by 0.0002.*at most 0.0001"):
        verify(run, vector, moved, PLAN)
    assert verify(run, vector, moved, replace(PLAN, tolerance=1e-3)) == pytest.approx(2e-4, rel=1e-2)
    for other in (answer[:, :1], np.full_like(answer, np.nan)):
        with pytest.raises(BundleError):
            verify(run, vector, other, PLAN)
    with pytest.raises(BundleError):
        verify(lambda batch: run(batch) * np.nan, vector, answer, PLAN)


def test_ready_is_built_once_and_refuses_every_time(network, conv_network, rng):
    data, weight, bias = network
    vector = rng.normal(size=(1, 1, 8, 8)).astype(np.float32)
    answer = engine(data, threads=1)(vector)
    with limited(1):
        assert ready(data, vector, answer, PLAN) is ready(data, vector, answer, PLAN)
        for _ in range(2):
            with pytest.raises(BundleError):
                ready(data, vector, answer + 1, PLAN)
        other = conv_network((weight * 2, bias))
        with pytest.raises(BundleError):
            ready(other, vector, answer, PLAN)
    with limited(2):
        assert ready(data, vector, answer, PLAN).parallel == 1
        assert ready(data, vector, answer, replace(PLAN, rank=3)).parallel == 2


def test_a_network_that_does_not_change_is_hashed_once(network, rng, monkeypatch):
    import hashlib

    from isocenter.infer import engines

    vector = rng.normal(size=(1, 1, 8, 8)).astype(np.float32)
    answer = engine(network[0], threads=1)(vector)
    array = np.frombuffer(network[0], np.uint8)
    with limited(1):
        first = ready(array, vector, answer, PLAN)
        hashed = []
        monkeypatch.setattr(engines.hashlib, "sha256", lambda data: hashed.append(len(data)) or hashlib.md5(data))
        ready(array, vector, answer, PLAN)
        assert len(network[0]) not in hashed
        monkeypatch.undo()
        number, own = id(array), array.copy()
        assert ready(own, vector, answer, PLAN) is first
        own[-40:] = 0
        with pytest.raises(BundleError):
            ready(own, vector, answer, PLAN)
        del array
        assert number not in engines._seen


def test_nothing_heavy_is_imported_before_it_is_needed():
    heavy = "{'torch', 'scipy', 'onnxruntime', 'safetensors', 'onnx'}"
    code = f"import isocenter.infer, sys; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
