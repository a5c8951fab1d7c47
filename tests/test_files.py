"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from isocenter.errors import OutputError, ResourceError
from isocenter.files import refusal, sha256, write_bytes, write_text, written


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "文.txt"
    write_text(target, "héllo")
    assert target.read_text(encoding="utf-8") == "héllo"
    with pytest.raises(RuntimeError), written(target, overwrite=True) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text(encoding="utf-8") == "héllo" and list(target.parent.iterdir()) == [target]


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"1")
    with pytest.raises(OutputError, match="--overwrite"):
        write_bytes(tmp_path / "a", b"2")
    write_bytes(tmp_path / "a", b"2", overwrite=True)
    assert (tmp_path / "a").read_bytes() == b"2"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "below", b"x")


def test_a_full_disk_is_named() -> None:
    assert isinstance(refusal(OSError(errno.ENOSPC, "full"), Path("x")), ResourceError)
    assert isinstance(refusal(OSError(errno.EACCES, "no"), Path("x")), OutputError)


def test_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert sha256(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
