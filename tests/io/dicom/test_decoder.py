from __future__ import annotations

import multiprocessing
import os
import resource
import struct
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from isocenter.errors import UnreadableError
from isocenter.io import read_image
from isocenter.io.dicom import decoder, header

Make = Callable[..., Path]
RLE, J2K, JLS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"


def compressed(path: Path, syntax: str) -> Path:
    data = pydicom.dcmread(path)
    data.compress(syntax, generate_instance_uid=False)
    data.save_as(path)
    return path


def fragments(path: Path, syntax: str, *pieces: bytes) -> Path:
    """The file with these compressed fragments in the place of its pixels."""
    data = pydicom.dcmread(path)
    # pydicom does not write syntaxes that it does not know: one of the same length stands in for them.
    known = UID(syntax).is_transfer_syntax
    data.file_meta.TransferSyntaxUID = syntax if known else J2K
    data.PixelData = encapsulate(list(pieces))
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    if not known:
        path.write_bytes(path.read_bytes().replace(J2K.encode(), syntax.encode().ljust(len(J2K), b"\0"), 1))
    return path


@pytest.mark.parametrize("syntax", [RLE, J2K, JLS])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_lossless_syntaxes_give_back_the_very_numbers(
    syntax: str, dtype: str, tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 250, (32, 40)).astype(dtype)
    if dtype == "int16":
        array -= 100
    path = compressed(dicom(tmp_path / "a.dcm", array, Modality="OT"), syntax)
    image = read_image(path)
    assert image.source.transfer_syntax == syntax
    assert np.array_equal(image.pixels(), array)


def test_a_compressed_series_is_put_in_order(tmp_path: Path, volume: Make, rng: np.random.Generator) -> None:
    array = rng.integers(-500, 500, (5, 16, 16)).astype(np.int16)
    folder = volume(tmp_path / "s", array, RescaleIntercept="-24")
    for path in folder.iterdir():
        compressed(path, RLE)
    assert np.array_equal(read_image(folder).pixels(), array - 24)


def test_single_frames_of_a_compressed_film(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    array = rng.integers(0, 250, (6, 16, 16)).astype(np.uint8)
    path = dicom(tmp_path / "a.dcm", array, NumberOfFrames=6, FrameTime="40", ImagePositionPatient=None)
    coding = header.read(compressed(path, RLE)).coding
    found = list(decoder.frames(str(path), coding, [4, 0, 5]))
    assert all(np.array_equal(f, array[i]) for f, i in zip(found, (4, 0, 5), strict=True))


def test_frames_deflated_one_by_one(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    array = rng.integers(0, 999, (3, 16, 20)).astype(np.uint16)
    packed = []
    for frame in array:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        stream = packer.compress(frame.tobytes()) + packer.flush()
        packed.append(stream + b"\0" * (len(stream) % 2))
    path = dicom(tmp_path / "a.dcm", array, NumberOfFrames=3, FrameTime="40", ImagePositionPatient=None, Modality="OT")
    image = read_image(fragments(path, decoder.DEFLATED_FRAMES, *packed))
    assert np.array_equal(image.pixels(), array)
    fewer = read_image(fragments(path, decoder.DEFLATED_FRAMES, *packed[:2]))
    with pytest.raises(UnreadableError, match=r"a\.dcm: fewer frames than declared: got 2, needed 3"):
        fewer.pixels()
    broken = read_image(fragments(path, decoder.DEFLATED_FRAMES, *packed[:2], b"\xff" * 50))
    with pytest.raises(UnreadableError, match=r"a\.dcm: cannot be read as DICOM"):
        broken.pixels()


@pytest.mark.parametrize("syntax", [RLE, J2K, JLS, "1.2.840.10008.1.2.4.50"])
@pytest.mark.parametrize("noise", [b"\0\0", b"\0" * 64, b"\xff" * 500, bytes(range(256))])
def test_noise_is_refused_and_the_next_file_is_read(
    syntax: str, noise: bytes, tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 250, (16, 16)).astype(np.uint8)
    bad = read_image(fragments(dicom(tmp_path / "bad.dcm", array), syntax, noise))
    with pytest.raises(UnreadableError, match=r"bad\.dcm: (its compressed pixels|no decoder)"):
        bad.pixels()
    good = read_image(compressed(dicom(tmp_path / "good.dcm", array), RLE))
    assert np.array_equal(good.pixels(), array)


def test_a_syntax_that_nobody_decodes_says_what_would_help(tmp_path: Path, dicom: Make) -> None:
    path = fragments(dicom(tmp_path / "a.dcm", np.zeros((8, 8), np.uint8)), "1.2.840.10008.1.2.4.55", b"\xff\xd8" * 20)
    with pytest.raises(UnreadableError, match=r"a\.dcm: no decoder for its compression is installed"):
        read_image(path).pixels()
    unknown = fragments(dicom(tmp_path / "b.dcm", np.zeros((8, 8), np.uint8)), "1.2.3.4.5", b"\0" * 20)
    with pytest.raises(UnreadableError, match=r"b\.dcm: .*1\.2\.3\.4\.5"):
        read_image(unknown).pixels()


def test_a_stream_that_decodes_to_another_size_is_refused(
    tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    path = compressed(dicom(tmp_path / "a.dcm", rng.integers(0, 250, (48, 48)).astype(np.uint8)), J2K)
    data = pydicom.dcmread(path)
    data.Rows = 64
    data.save_as(path)
    with pytest.raises(UnreadableError, match=r"a\.dcm"):
        read_image(path).pixels()


def test_a_stream_that_swells_stays_within_the_memory_of_the_child(
    tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    path = compressed(dicom(tmp_path / "a.dcm", rng.integers(0, 250, (48, 48)).astype(np.uint8)), J2K)
    data = bytearray(path.read_bytes())
    # The size marker of the codestream (ISO 15444-1, A.5.1): 60,000 pixels each way, in one tile.
    at = data.index(b"\xff\x4f\xff\x51") + 4
    struct.pack_into(">II", data, at + 4, 60_000, 60_000)
    struct.pack_into(">II", data, at + 20, 60_000, 60_000)
    path.write_bytes(bytes(data))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    with pytest.raises(UnreadableError, match=r"a\.dcm"):
        read_image(path).pixels()
    assert time.perf_counter() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
    assert decoder.CHILD.process is None or memory_peak(decoder.CHILD.process.pid) < 2 << 20


def memory_peak(pid: int) -> int:
    """Largest resident size of a process in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def test_a_decoder_that_takes_for_ever_is_stopped(
    tmp_path: Path, dicom: Make, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 250, (16, 16)).astype(np.uint8)
    path = compressed(dicom(tmp_path / "a.dcm", array), RLE)
    image = read_image(path)
    image.pixels()
    monkeypatch.setattr(decoder, "PATIENCE", 0.3)
    assert decoder.CHILD.process is not None
    # A stopped process is one that never answers.
    os.kill(decoder.CHILD.process.pid, 19)
    start = time.perf_counter()
    with pytest.raises(UnreadableError, match=r"a\.dcm: its compressed pixels brought the decoder down"):
        image.pixels()
    assert time.perf_counter() - start < 5
    monkeypatch.undo()
    assert np.array_equal(image.pixels(), array)


def test_a_child_that_died_is_replaced(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    array = rng.integers(0, 250, (16, 16)).astype(np.uint8)
    image = read_image(compressed(dicom(tmp_path / "a.dcm", array), RLE))
    image.pixels()
    assert decoder.CHILD.process is not None
    decoder.CHILD.process.kill()
    decoder.CHILD.process.wait()
    assert np.array_equal(image.pixels(), array)


def test_threads_take_turns(tmp_path: Path, dicom: Make) -> None:
    images = [
        read_image(compressed(dicom(tmp_path / f"{k}.dcm", np.full((16, 16), k, np.uint8)), RLE)) for k in range(6)
    ]
    seen: dict[int, set[int]] = {}

    def look(k: int) -> None:
        seen[k] = set(np.unique(images[k].pixels()).tolist())

    threads = [threading.Thread(target=look, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == {k: {k} for k in range(6)}


def pixel_sum(path: str) -> int:
    return int(read_image(path).pixels().sum())


def test_other_processes_have_a_child_of_their_own(tmp_path: Path, dicom: Make) -> None:
    path = compressed(dicom(tmp_path / "a.dcm", np.full((16, 16), 2, np.uint8)), RLE)
    assert pixel_sum(str(path)) == 512
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(pixel_sum, [str(path)] * 4) == [512] * 4
    assert pixel_sum(str(path)) == 512


def test_a_reader_who_stops_half_way_leaves_nothing_in_the_pipe(
    tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 250, (4, 16, 16)).astype(np.uint8)
    path = dicom(tmp_path / "a.dcm", array, NumberOfFrames=4, FrameTime="40", ImagePositionPatient=None)
    coding = header.read(compressed(path, RLE)).coding
    some = decoder.frames(str(path), coding, [0, 1, 2, 3])
    next(some)
    some.close()
    assert np.array_equal(next(iter(decoder.frames(str(path), coding, [3]))), array[3])


def test_fragments_end_where_the_file_says(tmp_path: Path, dicom: Make) -> None:
    path = fragments(dicom(tmp_path / "a.dcm", np.zeros((8, 8), np.uint8)), RLE, b"ab", b"cdef")
    coding = header.read(path).coding
    assert list(decoder.fragments(str(path), coding.offset)) == [b"ab", b"cdef"]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(UnreadableError, match="cut short"):
        list(decoder.fragments(str(path), coding.offset))
