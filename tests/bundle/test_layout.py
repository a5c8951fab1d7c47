from __future__ import annotations

import pytest

from isocenter.bundle.layout import legal, seal


@pytest.mark.parametrize("name", ["network.onnx", "state.safetensors", "a", "A_b-c.1.onnx"])
def test_plain_names(name):
    assert legal(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "a/b",
        "a\\b",
        "a..b",
        "a ",
        "a.",
        "é",
        "a\n",
        "c:a",
        "bundle.json",
        "bundle.sha256",
    ],
)
def test_other_names(name):
    assert not legal(name)


def test_the_seal_is_what_sha256sum_writes():
    assert seal("ab") == b"ab  bundle.json\n"
