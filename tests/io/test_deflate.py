from __future__ import annotations

import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import UnreadableError
from isocenter.io import deflate


@pytest.fixture
def member(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, zipfile.ZipInfo, bytes]:
    """A member of 12 MB that deflates to about half."""
    plain = rng.integers(0, 16, 12 << 20).astype(np.uint8).tobytes()
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("first.txt", "another member in front")
        archive.writestr("x.npy", plain)
        return path, archive.getinfo("x.npy"), plain


def test_any_stretch_is_the_one_of_the_plain_member(
    member: tuple[Path, zipfile.ZipInfo, bytes], rng: np.random.Generator
) -> None:
    path, info, plain = member
    stretches = [(0, 10), (len(plain) - 10, 10), (0, len(plain)), (5 << 20, 3 << 20), (123, 0)]
    stretches += [(int(s), int(s) % 1000 + 1) for s in rng.integers(0, 11 << 20, 20)]
    for start, length in stretches:
        assert deflate.stretch(path, info, start, length=length) == plain[start : start + length]


def test_later_reads_start_near_by(member: tuple[Path, zipfile.ZipInfo, bytes]) -> None:
    path, info, plain = member
    deflate.stretch(path, info, len(plain) - 1, length=1)
    index = deflate._index(path, info)
    assert len(index.plain) >= len(plain) // (2 * deflate.STRIDE)
    assert index.plain == sorted(index.plain)
    start = time.process_time()
    for _ in range(5):
        deflate.stretch(path, info, len(plain) - 1, length=1)
    near = (time.process_time() - start) / 5
    start = time.process_time()
    deflate.stretch(path, info, 0, length=len(plain))
    assert near < 0.7 * (time.process_time() - start)


def test_a_file_that_changed_is_read_anew(member: tuple[Path, zipfile.ZipInfo, bytes]) -> None:
    path, info, _ = member
    deflate.stretch(path, info, 8 << 20, length=1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes([7]) * (9 << 20))
        info = archive.getinfo("x.npy")
    assert deflate.stretch(path, info, 8 << 20, length=3) == b"\7\7\7"


def test_only_a_few_members_are_remembered(tmp_path: Path) -> None:
    for i in range(deflate.MEMBERS + 3):
        path = tmp_path / f"{i}.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", b"abc")
            info = archive.getinfo("x.npy")
        assert deflate.stretch(path, info, 1, length=2) == b"bc"
    assert len(deflate._known) <= deflate.MEMBERS


def test_a_stretch_behind_the_end_is_refused(member: tuple[Path, zipfile.ZipInfo, bytes]) -> None:
    path, info, plain = member
    with pytest.raises(UnreadableError, match=r"a\.npz: cut short"):
        deflate.stretch(path, info, len(plain) - 5, length=6)


def test_a_damaged_local_header_is_refused(member: tuple[Path, zipfile.ZipInfo, bytes]) -> None:
    path, info, _ = member
    data = bytearray(path.read_bytes())
    data[info.header_offset] ^= 255
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableError, match=r"a\.npz: a damaged or encrypted zip member"):
        deflate.stretch(path, info, 0, length=1)


def test_damaged_packed_bytes_are_refused(member: tuple[Path, zipfile.ZipInfo, bytes]) -> None:
    path, info, plain = member
    data = bytearray(path.read_bytes())
    start = info.header_offset + 40
    data[start : start + 64] = b"\xff" * 64
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableError, match=r"a\.npz"):
        deflate.stretch(path, info, len(plain) - 1, length=1)
