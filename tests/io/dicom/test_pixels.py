from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from isocenter.errors import IsocenterError, ResourceError, UnreadableError
from isocenter.io import read_image

Make = Callable[..., Path]


def edited(path: Path, **fields: object) -> Path:
    """The file with fields set, and those of None deleted."""
    data = pydicom.dcmread(path)
    for name, value in fields.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.save_as(path)
    return path


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_each_type_in_each_encoding(
    dtype: str, syntax: str, tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    info = np.iinfo(dtype)
    array = rng.integers(info.min, info.max, (6, 8)).astype(dtype)
    image = read_image(dicom(tmp_path / "a.dcm", array, syntax=syntax, Modality="OT"))
    found = image.pixels()
    assert found.dtype == dtype and found.dtype.isnative and found.flags.writeable
    assert np.array_equal(found, array)


@pytest.mark.parametrize("signed", [True, False])
def test_bits_that_do_not_belong_to_the_value_are_ignored(
    signed: bool, tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    values = rng.integers(-2048 if signed else 0, 2047 if signed else 4095, (6, 8))
    stored = (values & 0xFFF) | (rng.integers(0, 16, (6, 8)) << 12)
    array = stored.astype(np.uint16).view(np.int16 if signed else np.uint16)
    path = dicom(tmp_path / "a.dcm", array, BitsStored=12, HighBit=11, Modality="OT")
    assert np.array_equal(read_image(path).pixels(), values)


def test_values_in_the_upper_bits_are_shifted_down(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    values = rng.integers(0, 4095, (6, 8))
    path = dicom(tmp_path / "a.dcm", (values << 4).astype(np.uint16), BitsStored=12, HighBit=15, Modality="OT")
    assert np.array_equal(read_image(path).pixels(), values)


def test_padding_below_int16_is_cut_off_and_not_wrapped(tmp_path: Path, dicom: Make) -> None:
    array = np.asarray([[-32768, -32000, 0, 32767]], np.int16)
    path = dicom(tmp_path / "a.dcm", array, RescaleIntercept="-1024")
    assert read_image(path).pixels().tolist() == [[-32768, -32768, -1024, 31743]]
    above = dicom(tmp_path / "b.dcm", np.asarray([[0, 65535]], np.uint16), RescaleIntercept="-1024")
    assert read_image(above).pixels().tolist() == [[-1024, 32767]]


def test_frames_follow_each_other(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    array = rng.integers(-9, 9, (4, 5, 7)).astype(np.int16)
    path = dicom(tmp_path / "a.dcm", array, NumberOfFrames=4, FrameTime="40", ImagePositionPatient=None)
    image = read_image(path)
    assert (image.axes, image.times) == ("tyx", pytest.approx((0, 0.04, 0.08, 0.12)))
    assert np.array_equal(image.pixels(), array)


def test_frames_of_single_bits_follow_each_other_without_gaps(
    tmp_path: Path, dicom: Make, rng: np.random.Generator
) -> None:
    bits = rng.integers(0, 2, (3, 5, 7)).astype(np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little")
    path = dicom(
        tmp_path / "a.dcm", np.zeros((5, 7), np.uint8), NumberOfFrames=3, BitsAllocated=1, BitsStored=1, HighBit=0,
        FrameTime="10", ImagePositionPatient=None, Modality="OT",
    )
    edited(path, PixelData=packed.tobytes() + b"\0" * (len(packed) % 2))
    assert np.array_equal(read_image(path).pixels(), bits)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_is_channels_first(planar: int, tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (3, 6, 8)).astype(np.uint8)
    stored = array if planar else np.moveaxis(array, 0, -1)
    path = dicom(
        tmp_path / "a.dcm", stored.reshape(3, 6, 8), SamplesPerPixel=3, PhotometricInterpretation="RGB",
        PlanarConfiguration=planar, Rows=6, Columns=8, Modality="US",
    )
    image = read_image(path)
    assert (image.axes, image.channels, image.unit) == ("cyx", ("red", "green", "blue"), "")
    assert np.array_equal(image.pixels(), array)


def luma(rgb: np.ndarray) -> np.ndarray:
    """Full-range Y, Cb, Cr of red, green, blue on the last axis (PS3.3, C.7.6.3.1.2)."""
    matrix = np.asarray([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return np.clip(np.round(rgb @ matrix.T + [0, 128, 128]), 0, 255).astype(np.uint8)


def test_luma_and_chroma_become_colours(tmp_path: Path, dicom: Make) -> None:
    rgb = np.asarray([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [90, 90, 90]]])
    path = dicom(
        tmp_path / "a.dcm", luma(rgb).reshape(3, 2, 2), SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL",
        PlanarConfiguration=0, Rows=2, Columns=2, Modality="US",
    )
    assert np.abs(read_image(path).pixels().astype(int) - np.moveaxis(rgb, -1, 0)).max() <= 2


def test_chroma_at_half_the_width_is_repeated(tmp_path: Path, dicom: Make) -> None:
    rgb = np.asarray([[[255, 0, 0]] * 2 + [[0, 0, 255]] * 2] * 3)
    ybr = luma(rgb)
    pairs = np.concatenate([ybr[:, ::2, :1], ybr[:, 1::2, :1], ybr[:, ::2, 1:]], -1)
    path = dicom(
        tmp_path / "a.dcm", pairs.reshape(1, 1, -1), SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL_422",
        PlanarConfiguration=0, Rows=3, Columns=4, Modality="US",
    )
    assert np.abs(read_image(path).pixels().astype(int) - np.moveaxis(rgb, -1, 0)).max() <= 2


def palette(path: Path, count: int, first: int, *, bits: int = 8, segmented: bool = False) -> Path:
    data = pydicom.dcmread(path)
    table = (np.arange(count) * 3 % 251).astype(np.uint16)
    for k, name in enumerate(("Red", "Green", "Blue")):
        data.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [count % 65536, first, bits])
        values = (table + 10 * k) << (8 if bits == 16 else 0)
        if not segmented:
            data.add_new(f"{name}PaletteColorLookupTableData", "OW", values.astype("<u2").tobytes())
    data.PhotometricInterpretation = "PALETTE COLOR"
    data.save_as(path)
    return path


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_gives_colours_and_indices_outside_are_held_in(bits: int, tmp_path: Path, dicom: Make) -> None:
    array = np.asarray([[0, 5, 6, 7, 200]], np.uint8)
    image = read_image(palette(dicom(tmp_path / "a.dcm", array, Modality="US"), 4, 5, bits=bits))
    assert (image.axes, image.dtype) == ("cyx", "uint8")
    assert image.pixels()[0, 0].tolist() == [0, 0, 3, 6, 9]
    assert image.pixels()[2, 0].tolist() == [20, 20, 23, 26, 29]


def test_a_palette_that_is_lacking_is_refused(tmp_path: Path, dicom: Make) -> None:
    path = palette(dicom(tmp_path / "a.dcm", np.zeros((2, 2), np.uint8)), 4, 0, segmented=True)
    with pytest.raises(UnreadableError, match=r"a\.dcm: a table of colours or values is lacking"):
        read_image(path).pixels()


def test_a_table_of_values_takes_the_place_of_slope_and_intercept(tmp_path: Path, dicom: Make) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4, 10, 16])
    item.add_new("LUTData", "OW", np.asarray([100, 300, 500, 60_000], "<u2").tobytes())
    item.ModalityLUTType = "US"
    array = np.asarray([[0, 10, 11, 13, 99]], np.uint16)
    path = dicom(tmp_path / "a.dcm", array, Modality="OT", RescaleSlope=None, RescaleIntercept=None)
    image = read_image(edited(path, ModalityLUTSequence=Sequence([item])))
    assert image.pixels().tolist() == [[100, 100, 300, 60_000, 60_000]]


def test_floating_point_pixels_are_read(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    array = rng.normal(size=(5, 7)).astype(np.float32)
    path = dicom(tmp_path / "a.dcm", np.zeros((5, 7), np.int16), Modality="OT", BitsAllocated=32, BitsStored=32)
    data = pydicom.dcmread(path)
    del data.PixelData, data.PixelRepresentation
    data.FloatPixelData = array.tobytes()
    data.save_as(path)
    image = read_image(path)
    assert image.dtype == "float32"
    assert np.array_equal(image.pixels(), array)


def test_a_deflated_file_is_read_and_a_deflated_bomb_is_not(
    tmp_path: Path, dicom: Make, rng: np.random.Generator, little_memory: Callable[[int], object]
) -> None:
    array = rng.integers(-900, 900, (40, 50)).astype(np.int16)
    path = dicom(tmp_path / "a.dcm", array)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    data.save_as(path)
    assert np.array_equal(read_image(path).pixels(), array)
    data.Rows = data.Columns = 8000
    data.PixelData = bytes(8000 * 8000 * 2)
    data.save_as(path)
    del data
    assert path.stat().st_size < 1 << 20
    with little_memory(64):  # type: ignore[attr-defined]
        image = read_image(path)
        with pytest.raises(ResourceError, match=r"a\.dcm"):
            image.pixels()


def test_a_deflated_file_that_is_cut_short_is_refused(tmp_path: Path, dicom: Make, rng: np.random.Generator) -> None:
    path = dicom(tmp_path / "a.dcm", rng.integers(-900, 900, (40, 50)).astype(np.int16))
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    data.save_as(path)
    whole = path.read_bytes()
    for share in (0.2, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(IsocenterError, match=r"a\.dcm"):
            read_image(path).pixels()


def test_a_series_takes_little_more_memory_than_its_volume(tmp_path: Path, volume: Make) -> None:
    array = np.zeros((20, 256, 256), np.int16)
    image = read_image(volume(tmp_path / "s", array, RescaleIntercept="-1024"))
    image.pixels()
    tracemalloc.start()
    found = image.pixels()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 1.2 * found.nbytes


def test_pixels_are_read_anew_each_time(tmp_path: Path, volume: Make) -> None:
    image = read_image(volume(tmp_path / "s", np.full((3, 5, 7), 7, np.int16)))
    first = image.pixels()
    first[...] = 0
    assert (image.pixels() == 7).all()


def test_a_file_that_shrinks_between_header_and_pixels_is_refused(tmp_path: Path, volume: Make) -> None:
    image = read_image(volume(tmp_path / "s", np.zeros((3, 50, 70), np.int16)))
    path = Path(image.source.files[1])
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UnreadableError, match=f"{path.name}: cut short"):
        image.pixels()
