from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.errors import IsocenterError, UnreadableError
from isocenter.io import jpeg, problems, read_image, read_labels


@pytest.fixture
def smooth() -> np.ndarray:
    """A picture that JPEG keeps nearly."""
    y, x = np.mgrid[:40, :60]
    return (2 * y + 2 * x).astype(np.uint8)


def saved(path: Path, array: np.ndarray, **how: object) -> Path:
    PIL.Image.fromarray(array).save(path, quality=95, **how)
    return path


def test_grey_is_read_nearly_as_it_was(tmp_path: Path, smooth: np.ndarray) -> None:
    image = read_image(saved(tmp_path / "a.jpg", smooth))
    assert (image.axes, image.shape, image.dtype, image.geometry.spacing) == ("yx", (40, 60), "uint8", None)
    assert np.abs(image.pixels().astype(int) - smooth).max() <= 4


def test_colour_is_three_channels(tmp_path: Path, smooth: np.ndarray) -> None:
    colour = np.stack([smooth, smooth // 2, 255 - smooth], -1)
    image = read_image(saved(tmp_path / "a.jpeg", colour, subsampling=0))
    assert image.channels == ("red", "green", "blue")
    assert np.abs(image.pixels().astype(int) - np.moveaxis(colour, -1, 0)).mean() < 3


def test_four_inks_become_three_colours_and_it_is_said(tmp_path: Path, smooth: np.ndarray) -> None:
    PIL.Image.fromarray(np.stack([smooth] * 4, -1), "CMYK").save(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg").shape == (3, 40, 60)
    assert [p.code for p in problems(tmp_path / "a.jpg")] == ["inks"]


def test_a_turn_asked_for_by_exif_is_told_and_not_done(tmp_path: Path, smooth: np.ndarray) -> None:
    exif = PIL.Image.Exif()
    exif[jpeg.ORIENTATION] = 6
    path = saved(tmp_path / "a.jpg", smooth, exif=exif)
    assert read_image(path).shape == (40, 60)
    (problem,) = problems(path)
    assert (problem.code, problem.severity) == ("exif-orientation", "warning")
    assert "orientation 6" in problem.line()


def test_a_progressive_picture_of_very_many_scans_is_refused(tmp_path: Path, smooth: np.ndarray) -> None:
    path = saved(tmp_path / "a.jpg", smooth, progressive=True)
    data = path.read_bytes()
    at = data.index(b"\xff\xda")
    scan = data[at : data.index(b"\xff", at + 20)]
    path.write_bytes(data[:-2] + scan * 80_000 + data[-2:])
    image = read_image(path)
    start = time.perf_counter()
    with pytest.raises(UnreadableError, match=r"a\.jpg: too many scans"):
        image.pixels()
    assert time.perf_counter() - start < 1


def test_an_ordinary_progressive_picture_is_read(tmp_path: Path, smooth: np.ndarray) -> None:
    image = read_image(saved(tmp_path / "a.jpg", smooth, progressive=True))
    assert np.abs(image.pixels().astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("share", [0.005, 0.05, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_file_that_is_cut_short_is_refused(share: float, tmp_path: Path, rng: np.random.Generator) -> None:
    path = saved(tmp_path / "a.jpg", rng.integers(0, 255, (60, 60)).astype(np.uint8))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=r"a\.jpg"):
        read_image(path).pixels()


def test_labels_from_a_jpeg_are_its_numbers(tmp_path: Path) -> None:
    labels, geometry = read_labels(saved(tmp_path / "a.jpg", np.full((16, 16), 200, np.uint8)))
    assert np.unique(labels).tolist() == [200]
    assert geometry.shape == (16, 16)


def test_a_load_can_be_sent_to_another_process(tmp_path: Path, smooth: np.ndarray) -> None:
    import pickle

    image = read_image(saved(tmp_path / "a.jpg", smooth))
    assert np.array_equal(pickle.loads(pickle.dumps(image)).pixels(), image.pixels())


def test_1486_headers_take_less_than_a_second_and_a_half(real_data: Callable[[str], Path]) -> None:
    paths = sorted(real_data("chest-xray-pneumonia").rglob("*.jpeg"))
    assert len(paths) == 1486
    read_image(paths[0])
    start = time.process_time()
    images = [read_image(p) for p in paths]
    assert time.process_time() - start < 1.5
    assert {i.axes for i in images} <= {"yx", "cyx"}
