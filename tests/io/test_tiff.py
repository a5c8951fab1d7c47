from __future__ import annotations

import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from isocenter.data import Boxes, Case, Image, Tracks
from isocenter.data.film import frames_of, intensities
from isocenter.errors import AmbiguousError, IsocenterError, NotFoundError, ResourceError, UnreadableError
from isocenter.io import problems, read_image, read_labels, write
from isocenter.tasks.track.assignment import Assignment

SHAPES = {
    "yx": (5, 7), "zyx": (3, 5, 7), "tyx": (4, 5, 7), "cyx": (2, 5, 7), "czyx": (2, 3, 5, 7), "tzyx": (4, 3, 5, 7),
    "tcyx": (4, 2, 5, 7), "tczyx": (4, 2, 3, 5, 7),
}


def image(axes: str, dtype: str, rng: np.random.Generator) -> Image:
    """Random pixels with spacing, and times every half second."""
    array = rng.integers(0, 200, SHAPES[axes]).astype(dtype)
    made = Image.from_array(array, axes=axes, spacing=(2.5, 1.25, 0.7)[-sum(a in "zyx" for a in axes) :])
    return made.replaced(made.load, times=(0.0, 0.5, 1.0, 1.5)) if "t" in axes else made


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("axes", list(SHAPES))
def test_images_come_back_with_axes_spacing_and_times(
    axes: str, dtype: str, name: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    made = image(axes, dtype, rng)
    path = write(made, tmp_path / name)
    back = read_image(path)
    assert (back.axes, back.shape, back.dtype) == (axes, made.shape, dtype)
    assert np.array_equal(back.pixels(), made.pixels())
    assert back.geometry.spacing == pytest.approx(made.geometry.spacing, rel=1e-6)
    assert back.times == pytest.approx(made.times) if made.times else back.times is None
    with tifffile.TiffFile(path) as tif:
        # ImageJ knows three types of number only.
        assert tif.is_ome == (name == "a.ome.tif" or dtype in ("int16", "float64"))


def test_uneven_times_are_kept_by_ome(tmp_path: Path, rng: np.random.Generator) -> None:
    made = image("tczyx", "uint16", rng)
    made = made.replaced(made.load, times=(0.0, 1.0, 5.0, 5.5))
    back = read_image(write(made, tmp_path / "a.tif"))
    assert back.times == (0.0, 1.0, 5.0, 5.5)
    assert np.array_equal(back.pixels(), made.pixels())


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_channel_names_come_back(name: str, tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    made = Image.from_array(array, axes="cyx", spacing=(0.001, 0.001), channels=("DAPI", "GFP"))
    assert read_image(write(made, tmp_path / name)).channels == ("DAPI", "GFP")


def test_an_unknown_spacing_stays_unknown(tmp_path: Path) -> None:
    for name in ("a.tif", "a.ome.tif"):
        assert read_image(write(Image.from_array(np.zeros((5, 6), np.uint8)), tmp_path / name)).geometry.spacing is None


def test_pages_that_nobody_named_are_asked_for(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (6, 5, 7)).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in array:
            writer.write(page, metadata=None, contiguous=False)
    with pytest.raises(AmbiguousError, match=r"a\.tif: .*axes='zyx' or axes='tyx' or axes='cyx'"):
        read_image(tmp_path / "a.tif")
    for axes in ("zyx", "tyx", "cyx"):
        found = read_image(tmp_path / "a.tif", axes=axes)
        assert found.axes == axes
        assert np.array_equal(found.pixels(), array)


def test_an_imagej_stack_that_says_only_how_many_is_asked_for(tmp_path: Path) -> None:
    text = "ImageJ=1.53\nimages=3\n"
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(3):
            writer.write(np.zeros((5, 6), np.uint8), description=text, metadata=None)
    with pytest.raises(AmbiguousError, match=r"a\.tif"):
        read_image(tmp_path / "a.tif")


def test_a_single_page_is_a_picture_and_samples_are_colours(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (5, 7, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", metadata=None)
    found = read_image(tmp_path / "a.tif")
    assert (found.axes, found.channels) == ("cyx", ("red", "green", "blue"))
    assert np.array_equal(found.pixels(), np.moveaxis(array, -1, 0))


def test_several_images_in_one_file_need_a_number(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((5, 6), np.uint8), metadata=None)
        writer.write(np.full((8, 9), 3, np.uint16), metadata=None)
    with pytest.raises(AmbiguousError, match=r"several images in one file: got 0: .*\(5, 6\); 1: .*\(8, 9\)"):
        read_image(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", series=1).pixels()[0, 0] == 3
    with pytest.raises(NotFoundError, match="no image 7"):
        read_image(tmp_path / "a.tif", series=7)


def test_a_resolution_in_centimetres_is_a_size_and_dots_per_inch_are_not(tmp_path: Path) -> None:
    array = np.zeros((5, 6), np.uint8)
    size = {"resolution": (20_000, 10_000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "cm.tif", array, metadata=None, **size)
    assert read_image(tmp_path / "cm.tif").geometry.spacing == pytest.approx((1e-3, 5e-4))
    tifffile.imwrite(tmp_path / "dpi.tif", array, resolution=(300, 300), resolutionunit="INCH", metadata=None)
    assert read_image(tmp_path / "dpi.tif").geometry.spacing is None
    assert [p.code for p in problems(tmp_path / "dpi.tif")] == ["print-resolution"]


@pytest.mark.parametrize(("unit", "mm"), [("micron", 1e-3), ("µm", 1e-3), ("\\u00B5m", 1e-3), ("mm", 1), ("nm", 1e-6)])
def test_units_of_imagej_become_millimetres(unit: str, mm: float, tmp_path: Path) -> None:
    text = f"ImageJ=1.53\nunit={unit}\n".encode()
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6), np.uint8), resolution=(4, 2), description=text, metadata=None)
    assert read_image(tmp_path / "a.tif").geometry.spacing == pytest.approx((mm / 2, mm / 4))


def test_a_size_known_along_some_axes_only_is_told(tmp_path: Path) -> None:
    array = np.zeros((3, 5, 6), np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", array, metadata={"axes": "ZYX", "PhysicalSizeX": 1, "PhysicalSizeY": 1})
    assert read_image(tmp_path / "a.ome.tif").geometry.spacing is None
    (problem,) = problems(tmp_path / "a.ome.tif")
    assert problem.code == "spacing-unknown"
    assert read_image(tmp_path / "a.ome.tif", spacing=(2.0, 1.0, 1.0)).geometry.spacing == (2.0, 1.0, 1.0)


@pytest.mark.parametrize("compression", ["tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma"])
def test_compressions_that_tifffile_knows(compression: str, tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 9, (50, 60)).astype(np.uint8)
    if compression == "lzma":
        tifffile.imwrite(tmp_path / "a.tif", array, compression="lzma", metadata=None)
    else:
        PIL.Image.fromarray(array).save(tmp_path / "a.tif", compression=compression)
    assert np.array_equal(read_image(tmp_path / "a.tif").pixels(), array)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_lzw_is_read_by_the_other_library(mode: str, tmp_path: Path, rng: np.random.Generator) -> None:
    shape, dtype = ((50, 60, 3), "uint8") if mode == "RGB" else ((50, 60), "uint16" if mode == "I;16" else "uint8")
    array = rng.integers(0, 255, shape).astype(dtype)
    PIL.Image.fromarray(array).save(tmp_path / "a.tif", compression="tiff_lzw")
    found = read_image(tmp_path / "a.tif").pixels()
    assert np.array_equal(found, np.moveaxis(array, -1, 0) if array.ndim == 3 else array)


def test_pages_in_lzw_are_read_in_their_order(tmp_path: Path) -> None:
    pages = [PIL.Image.fromarray(np.full((20, 30), v, np.uint8)) for v in (3, 1, 2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    assert read_image(tmp_path / "a.tif", axes="zyx").pixels()[:, 0, 0].tolist() == [3, 1, 2]


def test_one_bit_is_zero_and_one(tmp_path: Path) -> None:
    mask = np.eye(16, dtype=bool)
    tifffile.imwrite(tmp_path / "a.tif", mask, metadata=None)
    assert read_image(tmp_path / "a.tif").dtype == "uint8"
    assert np.array_equal(read_labels(tmp_path / "a.tif")[0], mask)


def test_white_as_zero_and_palettes_are_told(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6), np.uint8), photometric="miniswhite", metadata=None)
    assert [p.code for p in problems(tmp_path / "a.tif")] == ["white-is-zero"]
    colours = np.zeros((3, 256), np.uint16)
    indices = np.full((5, 6), 2, np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", indices, photometric="palette", colormap=colours, metadata=None)
    assert "palette" in [p.code for p in problems(tmp_path / "b.tif")]
    assert read_labels(tmp_path / "b.tif")[0].max() == 2


def test_complex_numbers_are_no_image(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6), np.complex64), metadata=None)
    with pytest.raises(UnreadableError, match=r"a\.tif: values that are no image"):
        read_image(tmp_path / "a.tif")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, little_memory: Callable[[int], object]) -> None:
    path = tmp_path / "a.tif"
    strip = zlib.compress(bytes(600 * 30_000), 9)
    tifffile.imwrite(
        path, iter([strip] * 50), shape=(30_000, 30_000), dtype=np.uint8, compression="zlib", rowsperstrip=600,
        metadata=None,
    )
    assert path.stat().st_size < 1 << 20
    words = r"a\.tif: refused as a decompression bomb"
    with little_memory(128), pytest.raises(ResourceError, match=words):  # type: ignore[attr-defined]
        read_image(path)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_short_is_refused(share: float, tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rng.integers(0, 999, (60, 60)).astype(np.uint16), compression="zlib")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=r"a\.tif"):
        read_image(path).pixels()


def test_a_chain_of_pages_that_bites_its_tail_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), metadata=None)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        first = tif.pages.first.offset
        count = len(tif.pages.first.tags)
    data[first + 2 + 12 * count : first + 6 + 12 * count] = first.to_bytes(4, "little")
    path.write_bytes(bytes(data))
    try:
        assert read_image(path).pixels().shape == (8, 8)
    except IsocenterError as error:
        assert "a.tif" in str(error)


def test_entities_in_ome_xml_do_not_swell(tmp_path: Path, little_memory: Callable[[int], object]) -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY l0 "lol">{lol}]><OME xmlns="x"><Image>&l9;</Image></OME>'
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), description=text, metadata=None)
    with little_memory(256):  # type: ignore[attr-defined]
        try:
            read_image(path)
        except IsocenterError as error:
            assert "a.tif" in str(error)


@pytest.mark.parametrize(
    ("axes", "shape", "options"),
    [
        ("TYX", (5, 6, 7), {"imagej": True}), ("TZCYX", (4, 3, 2, 6, 7), {"imagej": True}),
        ("ZTYX", (3, 4, 6, 7), {"ome": True}), ("TCYX", (4, 2, 6, 7), {"ome": True, "compression": "zlib"}),
        ("TYX", (5, 6, 7), {"ome": True, "byteorder": ">"}),
        ("TYX", (5, 6, 7), {"ome": True, "compression": "packbits"}),
        ("TYXS", (4, 6, 7, 3), {"imagej": True, "photometric": "rgb"}),
    ],
)
def test_frames_one_by_one_are_those_of_the_whole(
    axes: str, shape: tuple[int, ...], options: dict[str, object], tmp_path: Path
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8 if "S" in axes else np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, metadata={"axes": axes}, **({"photometric": "minisblack"} | options))
    image = read_image(tmp_path / "a.tif")
    whole = image.pixels()
    assert image.axes[0] == "t" and whole.shape == image.shape
    assert np.array_equal(np.stack(list(image.load.each("t"))), whole)  # type: ignore[attr-defined]
    assert np.array_equal(image.load.piece("t", 2), whole[2])  # type: ignore[attr-defined]
    assert image.load.piece("z", 0) is None and image.load.each("y") is None  # type: ignore[attr-defined]


def test_frames_of_pages_that_only_pillow_opens(tmp_path: Path) -> None:
    import PIL.Image

    array = np.arange(5 * 20 * 30).reshape(5, 20, 30).astype(np.uint8)
    pages = [PIL.Image.fromarray(frame) for frame in array]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    image = read_image(tmp_path / "a.tif", axes="tyx")
    assert np.array_equal(np.stack(list(image.load.each("t"))), array)  # type: ignore[attr-defined]
    assert np.array_equal(image.load.piece("t", 3), array[3])  # type: ignore[attr-defined]


def test_a_film_that_was_cut_short_ends_where_it_is_cut(tmp_path: Path) -> None:
    array = np.arange(5 * 60 * 70).reshape(5, 60, 70).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "TYX"})
    image = read_image(tmp_path / "a.tif")
    os.truncate(tmp_path / "a.tif", 3 * 60 * 70 * 2)
    frames = image.load.each("t")  # type: ignore[attr-defined]
    assert np.array_equal(next(frames), array[0])
    with pytest.raises(UnreadableError, match=r"a\.tif"):
        list(frames)


FRAMES, SIDE = 200, 1024


def stack(folder: Path) -> Path:
    """A TIFF of 200 MB: a square of 8 bright pixels a side that moves by 2 a frame over black."""
    path = folder / "long.tif"
    pixels = tifffile.memmap(path, shape=(FRAMES, SIDE, SIDE), dtype="uint8", imagej=True,
                             metadata={"axes": "TYX"})
    for t in range(FRAMES):
        pixels[t, 300:308, 100 + 2 * t : 108 + 2 * t] = 200
    pixels.flush()
    del pixels
    return path


def test_a_film_larger_than_memory_is_followed(tmp_path: Path, little_memory: Callable[[int], object]) -> None:
    class Bright:
        def predict(self, case: Case) -> Boxes:
            image = case.image()
            bright = image.pixels() > 100
            ends = [np.flatnonzero(bright.any(axis))[[0, -1]] + (-0.5, 0.5) for axis in (1, 0)]
            return Boxes(np.stack(ends, 1)[None], np.zeros(1, np.int64), ("object",), image.geometry)

    Assignment(detector=Bright()).predict(Case.of(Image.from_array(np.full((2, 64, 64), 200, np.uint8), axes="tyx")))
    image = read_image(stack(tmp_path))
    assert image.shape == (FRAMES, SIDE, SIDE)
    with little_memory(100):  # type: ignore[attr-defined]
        with pytest.raises((ResourceError, MemoryError)):
            image.pixels()
        tracks = Assignment(detector=Bright()).predict(Case.of(image))
        values = intensities(tracks, image)
    assert isinstance(tracks, Tracks) and tracks.spans() == {1: (0, FRAMES - 1)}
    assert np.allclose(tracks.positions[:, 1], 103.5 + 2 * np.arange(FRAMES)) and (values == 200).all()


def test_what_reads_frames_can_be_sent_to_another_process(tmp_path: Path) -> None:
    film = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    path = write(Image.from_array(film, axes="tyx"), tmp_path / "a.tif")
    again = pickle.loads(pickle.dumps(read_image(path)))
    assert np.array_equal(next(frames_of(again)).pixels(), film[0])


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True, "compression": "zlib"}])
def test_frames_of_a_film_with_a_flipped_byte_are_read_or_refused(
    options: dict[str, object], tmp_path: Path, little_memory: Callable[[int], object]
) -> None:
    array = np.arange(4 * 24 * 20).reshape(4, 24, 20).astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, metadata={"axes": "TYX"}, **options)
    data = path.read_bytes()
    with little_memory(512):  # type: ignore[attr-defined]
        for at in range(0, min(len(data), 600), 3):
            changed = bytearray(data)
            changed[at] ^= 0xFF
            path.write_bytes(bytes(changed))
            try:
                image = read_image(path)
                if "t" in image.axes:
                    frames = list(frames_of(image))
                    assert all(frame.pixels().shape == image.shape[1:] for frame in frames)
            except IsocenterError as error:
                assert error.what
