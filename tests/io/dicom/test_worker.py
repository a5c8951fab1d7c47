from __future__ import annotations

import ast
import io
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from isocenter.io.dicom import worker

SOURCE = Path(worker.__file__)


def ask(*lines: bytes) -> list[bytes]:
    """What a worker process answers to these lines, raw."""
    done = subprocess.run(
        [sys.executable, "-P", str(SOURCE)], input=b"".join(lines), capture_output=True, check=True, timeout=60
    )
    assert done.stderr == b""
    return [done.stdout]


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert not [n for n in names if n.startswith("isocenter")]


def test_a_malformed_request_is_answered_with_an_error_and_the_next_one_is_heard() -> None:
    (out,) = ask(b"not json\n", b"{}\n", b'{"memory": 1000000000, "syntax": "1.2.3"}\n')
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == 3
    assert all("error" in a for a in answers)


def test_it_answers_a_line_and_the_raw_numbers_of_each_frame(tmp_path: Path, dicom: Any) -> None:
    array = np.arange(64, dtype=np.uint8).reshape(8, 8)
    path = dicom(tmp_path / "a.dcm", array)
    data = pydicom.dcmread(path)
    data.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    data.save_as(path)
    from isocenter.io.dicom import decoder, header

    request = decoder._request(str(path), header.read(path).coding, [0])
    (out,) = ask(json.dumps(request).encode() + b"\n")
    line, _, body = out.partition(b"\n")
    assert json.loads(line) == {"shape": [8, 8], "dtype": "|u1"}
    assert body == array.tobytes()


def test_no_input_means_no_answer() -> None:
    assert ask() == [b""]


def test_the_cap_is_a_limit_on_the_address_space() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        worker.cap(1 << 30)
        assert 1 << 30 < resource.getrlimit(resource.RLIMIT_AS)[0] < 1 << 44
        with pytest.raises(MemoryError):
            bytearray(2 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_a_message_is_one_line() -> None:
    channel = io.BytesIO()
    worker.say(channel, {"error": "first\nsecond"})
    assert channel.getvalue().count(b"\n") == 1
