from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Image, Segmentation
from isocenter.errors import (
    AmbiguousError,
    IsocenterError,
    MissingFileError,
    NotFoundError,
    UnreadableError,
    UsageError,
)
from isocenter.io import array_at, npz, read_image, read_labels, sniff, write

Archive = tuple[Path, dict[str, np.ndarray]]


@pytest.fixture(params=["stored", "deflated"])
def archive(request: pytest.FixtureRequest, tmp_path: Path, rng: np.random.Generator) -> Archive:
    """A .npz of each kind, and what is in it."""
    images = rng.integers(0, 99, (9, 20, 21, 22)).astype("int16")
    arrays = {"images": images, "labels": np.arange(9), "names": np.asarray(["a", "b"])}
    (np.savez if request.param == "stored" else np.savez_compressed)(tmp_path / "a.npz", **arrays)
    return tmp_path / "a.npz", arrays


@pytest.mark.parametrize(
    ("text", "name", "index"),
    [("a.npz#x", "x", None), ("a.npz#x[3]", "x", 3), ("/d/a.NPZ#x_y[-1]", "x_y", -1), ("a.npy#[2]", "", 2),
     ("a#b.npz#x", "x", None)],
)
def test_places_are_understood(text: str, name: str, index: int | None) -> None:
    place = npz.place(text)
    assert place is not None
    assert (place.name, place.index) == (name, index)
    assert str(place) == text


@pytest.mark.parametrize("text", ["a.npz", "a.png#x", "a.npz#x[3", "a.npz#x[b]", "a.nii.gz"])
def test_other_texts_are_no_places(text: str) -> None:
    assert npz.place(text) is None


def test_arrays_and_items_are_read(archive: Archive) -> None:
    path, arrays = archive
    for name, array in arrays.items():
        assert np.array_equal(array_at(f"{path}#{name}"), array)
        for i in (0, len(array) - 1, -1, 1):
            assert np.array_equal(array_at(f"{path}#{name}[{i}]"), array[i])


def test_an_item_is_an_image(archive: Archive) -> None:
    path, arrays = archive
    image = read_image(f"{path}#images[4]", spacing=(2.0, 1.0, 1.0))
    assert (image.axes, image.shape, image.geometry.spacing) == ("zyx", (20, 21, 22), (2.0, 1.0, 1.0))
    assert image.name == f"{path}#images[4]"
    assert np.array_equal(image.pixels(), arrays["images"][4])
    labels, geometry = read_labels(f"{path}#images[4]")
    assert np.array_equal(labels, arrays["images"][4])
    assert geometry.shape == (20, 21, 22)


def test_a_file_of_several_arrays_needs_a_name(archive: Archive) -> None:
    path, _ = archive
    with pytest.raises(AmbiguousError, match=r"images, labels, names.*a\.npz#images"):
        read_image(path)
    with pytest.raises(NotFoundError, match=r"no array 'image'.*Did you mean images"):
        array_at(f"{path}#image")
    with pytest.raises(UsageError, match=r"\[99\]"):
        array_at(f"{path}#images[99]")


def test_a_file_of_one_array_needs_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.eye(5))
    assert sniff(tmp_path / "a.npz") == "npz"
    assert np.array_equal(read_image(tmp_path / "a.npz").pixels(), np.eye(5))


def test_missing_files_and_other_files(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"b\.npz"):
        read_image(f"{tmp_path}/b.npz#x")
    (tmp_path / "a.png").touch()
    with pytest.raises(UsageError, match=r"a\.png: not an array file"):
        array_at(tmp_path / "a.png")


def test_an_item_in_fortran_order_is_read(tmp_path: Path, rng: np.random.Generator) -> None:
    array = np.asfortranarray(rng.integers(0, 9, (4, 5, 6)))
    np.savez_compressed(tmp_path / "a.npz", x=array)
    assert np.array_equal(array_at(f"{tmp_path}/a.npz#x[2]"), array[2])


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.asarray([{}, 1], object))
    with pytest.raises(UnreadableError, match="never loaded"):
        array_at(f"{tmp_path}/a.npz#x")


def test_a_member_that_declares_more_than_it_can_hold_is_refused(
    tmp_path: Path, little_memory: Callable[[int], object]
) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000), }"
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"a{kind}.npz"
        with zipfile.ZipFile(path, "w", kind) as made:
            made.writestr("x.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(1000))
        with little_memory(64):  # type: ignore[attr-defined]
            for read in (lambda p: read_image(p), lambda p: array_at(f"{p}#x"), lambda p: array_at(f"{p}#x[5]")):
                with pytest.raises(IsocenterError, match=path.name):
                    read(path)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_short_is_refused(share: float, archive: Archive) -> None:
    path, _ = archive
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=r"a\.npz"):
        array_at(f"{path}#images[8]")


def test_a_flipped_byte_is_noticed_where_the_whole_array_is_read(archive: Archive) -> None:
    path, _ = archive
    data = bytearray(path.read_bytes())
    data[5000] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableError, match=r"a\.npz"):
        array_at(f"{path}#images")


def test_what_is_written_says_its_axes_names_and_grid(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((3, 4, 5), np.uint8), spacing=(3.0, 2.0, 1.0))
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 2, 3] = 1
    found = Segmentation(labels, ("background", "vessel"), image.geometry)
    path = write(found, tmp_path / "a.npz", codes={"background": 0, "vessel": 7})
    assert npz.names(path) == ("labels", "axes", "names", "affine")
    assert array_at(f"{path}#labels")[1, 2, 3] == 7
    assert array_at(f"{path}#names").tolist() == ["background", "vessel"]
    np.testing.assert_array_equal(array_at(f"{path}#affine"), image.geometry.matrix)
    back, geometry = read_labels(path)
    assert back[1, 2, 3] == 7
    assert geometry == image.geometry


def test_a_film_with_channels_comes_back_whole(tmp_path: Path, rng: np.random.Generator) -> None:
    film = Image.from_array(rng.normal(size=(4, 2, 5, 6)), axes="tcyx", spacing=(0.5, 0.25), channels=("a", "b"))
    film = film.replaced(film.load, times=(0.0, 1.0, 3.0, 3.5))
    back = read_image(write(film, tmp_path / "a.npz"))
    assert (back.axes, back.times, back.channels) == (film.axes, film.times, film.channels)
    assert back.geometry == film.geometry
    assert np.array_equal(back.pixels(), film.pixels())
