from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from isocenter.errors import UnreadableError
from isocenter.verbs import _opcodes
from isocenter.verbs._opcodes import Left, Storage, Tensor, Walk


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused_and_never_crash(seed: int) -> None:
    data = np.random.default_rng(seed).integers(0, 256, 400, np.uint8).tobytes()
    with pytest.raises(UnreadableError):
        Walk().run(data)


def test_an_opcode_of_objects_is_refused() -> None:
    out = io.BytesIO()
    pickle.Pickler(out, 4).dump({frozenset({1})})
    with pytest.raises(UnreadableError, match="more than weights"):
        Walk().run(out.getvalue())


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_values_come_back(protocol: int) -> None:
    held = {"a": [1, 2.5, None, True, False, "x", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "b": {"c": 1 << 70}}
    assert Walk().run(pickle.dumps(held, protocol=protocol)) == held


def test_pickles_behind_each_other_are_read_in_turn() -> None:
    stream = io.BytesIO(pickle.dumps([1], protocol=2) + pickle.dumps("two", protocol=4) + b"rest")
    assert Walk().run(stream) == [1] and Walk().run(stream) == "two" and stream.read() == b"rest"


def test_what_is_called_becomes_a_placeholder() -> None:
    walk = Walk()
    assert walk.run(b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00exit\x85R.") == Left("posix.system")
    assert walk.left == {"posix.system"} and walk.found == Left("posix.system")
    rebuilt = Walk()._called(_opcodes.Named("torch._utils._rebuild_tensor_v2"), (Storage("0", "Float"), 1, (2,), (1,)))
    assert rebuilt == Tensor(Storage("0", "Float"), 1, (2,), (1,))


def test_an_endless_description_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_opcodes, "OPCODES", 50)
    with pytest.raises(UnreadableError, match="too long"):
        Walk().run(pickle.dumps(list(range(100)), protocol=2))
    assert Walk().run(pickle.dumps([1] * 20, protocol=2)) == [1] * 20


def test_numbers_of_an_unknown_kind_are_refused() -> None:
    said = b"\x80\x02(X\x07\x00\x00\x00storagectorch\nQuantumStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ."
    with pytest.raises(UnreadableError, match="Quantum"):
        Walk().run(said)


@pytest.mark.parametrize("body", [b"t.", b"e.", b"]a.", b"h\x05.", b".", b"}K\x01s.", b"(K\x01", b"\xff"])
def test_a_stack_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"damaged|cut short"):
        Walk().run(b"\x80\x02" + body)
    infinite = b"\x80\x02ctorch._utils\n_rebuild_tensor\n((X\x07\0\0\0storagectorch\nFloatStorage\nK\0tQ"
    with pytest.raises(UnreadableError, match="damaged"):
        Walk().run(infinite + b"G\x7f\xf0\0\0\0\0\0\0))tR.")
