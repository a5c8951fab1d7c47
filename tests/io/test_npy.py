from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import AmbiguousError, IsocenterError, UnreadableError, UsageError
from isocenter.io import array_at, npy, read_image, read_labels


def saved(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "int16", ">i2", "uint16", "int32", "float32", ">f8", "float16"])
def test_every_type_and_byte_order_is_read(dtype: str, tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (6, 7)).astype(dtype)
    image = read_image(saved(tmp_path / "a.npy", array))
    found = image.pixels()
    assert found.dtype.isnative and found.flags.writeable
    assert image.dtype == found.dtype.name
    assert np.array_equal(found, array)


def test_fortran_order_is_read(tmp_path: Path, rng: np.random.Generator) -> None:
    array = np.asfortranarray(rng.integers(0, 99, (6, 7, 8)))
    path = saved(tmp_path / "a.npy", array)
    assert np.array_equal(read_image(path).pixels(), array)
    assert np.array_equal(array_at(f"{path}#[3]"), array[3])


def test_true_and_false_become_numbers(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", np.eye(3, dtype=bool))
    assert read_image(path).dtype == "uint8"
    assert read_labels(path)[0].tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((5, 6), "yx"), ((20, 30, 40), "zyx"), ((3, 30, 40), ""), ((30, 40, 3), ""), ((5,), ""), ((2, 3, 4, 5), "")],
)
def test_what_may_be_concluded_from_a_shape(shape: tuple[int, ...], axes: str) -> None:
    assert npy.guessable(shape) == axes


def test_axes_that_could_be_channels_are_asked_for_and_then_obeyed(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (6, 7, 3)).astype("uint8")
    path = saved(tmp_path / "a.npy", array)
    with pytest.raises(AmbiguousError, match=r"a\.npy: .*axes='zyx' or axes='cyx' or axes='yxc'"):
        read_image(path)
    image = read_image(path, axes="yxc", spacing=(0.5, 0.25))
    assert (image.axes, image.shape, image.geometry.spacing) == ("cyx", (3, 6, 7), (0.5, 0.25))
    assert np.array_equal(image.pixels(), np.moveaxis(array, -1, 0))


def test_one_item_is_read_without_the_others(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (10, 6, 7))
    path = saved(tmp_path / "a.npy", array)
    for i in (0, 3, 9, -1):
        assert np.array_equal(array_at(f"{path}#[{i}]"), array[i])
    image = read_image(f"{path}#[4]")
    assert np.array_equal(image.pixels(), array[4])
    for i in (10, -11):
        with pytest.raises(UsageError, match="no such item"):
            array_at(f"{path}#[{i}]")


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asarray([{"a": 1}, None], object), allow_pickle=True)
    for read in (read_image, array_at):
        with pytest.raises(UnreadableError, match=r"a\.npy: holds Python objects, which are never loaded"):
            read(tmp_path / "a.npy")


@pytest.mark.parametrize("array", [np.zeros((3, 3), complex), np.asarray([["a", "b"]]), np.zeros((2, 2), "M8[s]")])
def test_values_that_are_no_numbers_are_no_image(array: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"a\.npy: values that are no image"):
        read_image(saved(tmp_path / "a.npy", array))


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_short_is_refused(share: float, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", np.zeros((40, 40)))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=r"a\.npy"):
        read_image(path)


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 4), }", "{'descr': '<f8', 'shape': (3, 4), }",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (3, 4), }", "__import__('os').getcwd()", "", "(" * 900,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3.5, 4), }",
    ],
)
def test_headers_that_lie_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy.MAGIC + b"\1\0" + len(text).to_bytes(2, "little") + text.encode() + bytes(96))
    with pytest.raises(UnreadableError, match=r"a\.npy"):
        read_image(path)


def test_a_header_longer_than_numpys_own_limit_is_refused() -> None:
    file = io.BytesIO(npy.MAGIC + b"\2\0" + (2**31).to_bytes(4, "little") + b"{" * 100)
    with pytest.raises(UnreadableError, match=r"no \.npy header"):
        npy.header(file, "a.npy")
