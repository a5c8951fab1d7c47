from __future__ import annotations

import numpy as np
import pytest

from isocenter.bundle.documents import dumped, parsed
from isocenter.errors import BundleError, OutputError


def test_there_and_back():
    value = {"text": "肝", "list": [1, 2.5, None, True], "inner": {"a": []}}
    assert parsed(dumped(value), what="it") == value


def test_numbers_of_numpy_and_values_that_json_lacks():
    value = {
        "a": np.float32(0.5),
        "b": np.arange(3),
        "c": (1, np.nan),
        "d": {3, 1},
        4: float("inf"),
        "f": np.bool_(True),
    }
    assert parsed(dumped(value), what="it") == {
        "a": 0.5,
        "b": [0, 1, 2],
        "c": [1, None],
        "d": [1, 3],
        "4": None,
        "f": True,
    }
    for wrong in (object(), b"bytes", 1j):
        with pytest.raises(OutputError):
            dumped({"a": wrong})


def test_floats_keep_every_bit():
    values = [0.1, 1 / 3, 1e-300, 123456789.123456789]
    assert parsed(dumped({"v": values}), what="it")["v"] == values


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[1]", b"null", b"\xff", b'{"a": Infinity}', b'{"a": 1, "a": 2}', b"[" * 10**5]
)
def test_what_is_no_document(data):
    with pytest.raises(BundleError, match="the thing"):
        parsed(data, what="the thing")


def test_keys_that_would_run_code_are_only_text():
    assert parsed(b'{"__class__": "os.system", "!!python/object": 1}', what="it")["__class__"] == "os.system"
