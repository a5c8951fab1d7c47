"""Videos as films: what was written comes back, what is damaged is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import isocenter.io.video as video
from isocenter.data import Problem
from isocenter.data.film import frames_of
from isocenter.errors import (
    MissingExtraError,
    ResourceError,
    UnreadableError,
    UsageError,
)
from isocenter.io import limits, read_image, sniff
from isocenter.verbs.look import look

cv2 = pytest.importorskip("cv2", reason="the extra video is not installed")

SHAPE = (48, 64)


def squares(frames: int = 12) -> np.ndarray:
    """(t, y, x, 3) blue, green, red: a red square that moves 4 pixels a frame over grey."""
    film = np.full((frames, *SHAPE, 3), 60, np.uint8)
    for i, frame in enumerate(film):
        frame[16:32, 4 * i : 4 * i + 16] = (40, 40, 220)
    return film


def written(path: Path, code: str, film: np.ndarray | None = None, rate: float = 20.0) -> Path:
    film = squares() if film is None else film
    out = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), rate, film.shape[2:0:-1])
    if not out.isOpened():
        pytest.skip(f"this OpenCV cannot write {code}")
    for frame in film:
        out.write(frame)
    out.release()
    return path


@pytest.mark.parametrize(("name", "code"), [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.mov", "mp4v"), ("a.mkv", "mp4v")])
def test_frames_colours_and_times_come_back(name: str, code: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, code)
    assert sniff(path) == "video"
    image = read_image(path)
    assert (image.axes, image.shape, image.dtype) == ("tcyx", (12, 3, *SHAPE), "uint8")
    assert image.channels == ("red", "green", "blue") and image.geometry.spacing is None
    assert image.times is not None and np.allclose(image.times, np.arange(12) / 20, atol=2e-3)
    wanted = np.moveaxis(squares()[..., ::-1], -1, 1)
    # Lossy, and the chroma is coarser than the grey.
    assert np.abs(image.pixels().astype(int) - wanted).mean() < 6
    red = image.pixels()[:, 0].astype(int) - image.pixels()[:, 2]
    columns = [int(np.argmax(frame[20:28].mean(0) > 80)) for frame in red]
    assert np.allclose(columns, 4 * np.arange(12), atol=1)


def test_a_spacing_may_be_said_and_frames_are_cut(tmp_path: Path) -> None:
    from isocenter.data.cut import take

    image = read_image(written(tmp_path / "a.mp4", "mp4v"), spacing=(0.2, 0.3), axes="tcyx")
    assert image.geometry.spacing == (0.2, 0.3)
    frame = take(image, "t", 3)
    assert frame.axes == "cyx" and np.array_equal(frame.pixels(), image.pixels()[3])
    with pytest.raises(UsageError, match="axes"):
        read_image(tmp_path / "a.mp4", axes="tyx")


def test_look_says_that_it_is_a_film(tmp_path: Path) -> None:
    found = look(written(tmp_path / "a.mp4", "mp4v"))
    text = "\n".join(found.lines())
    assert "video" in text and "tcyx" in text


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_file_that_is_cut_short_is_refused_or_shorter(name: str, share: float, tmp_path: Path) -> None:
    path = written(tmp_path / name, "mp4v" if name == "a.mp4" else "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    # The index of this MP4 stands at its end; an AVI says nothing that could be held against its frames.
    if name == "a.mp4" or share < 0.1:
        with pytest.raises(UnreadableError, match=name):
            read_image(path).pixels()
        return
    try:
        image = read_image(path)
    except UnreadableError as error:
        assert name in str(error)
        return
    assert image.length("t") < 12 and image.pixels().shape == image.shape


def test_fewer_frames_than_the_container_declares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", "mp4v")
    real = video._looked(path)

    def cut(path: Path, frames: int) -> dict[str, object]:
        return real | {"declared": 100, "times": [40.0 * i for i in range(frames)]}

    monkeypatch.setattr(video, "_looked", lambda path: cut(path, 94))
    with pytest.raises(UnreadableError, match=r"cut short.*94 frames.*100 frames"):
        read_image(path)
    heard: list[Problem] = []
    monkeypatch.setattr(video, "_looked", lambda path: cut(path, 98))
    assert read_image(path, note=heard.append).length("t") == 98
    assert [p.code for p in heard] == ["frames"]
    # And a file that changed after it was looked at.
    with pytest.raises(UnreadableError, match="cannot be decoded"):
        read_image(path).pixels()


def test_what_is_no_video_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "a.mp4"
    for content in (b"x", rng.bytes(3000), b"%PDF-1.7", bytes(4) + b"ftypheic" + rng.bytes(100)):
        path.write_bytes(content)
        with pytest.raises(UnreadableError, match=r"a\.mp4"):
            read_image(path)
    for content in (bytes(4) + b"ftypisom" + rng.bytes(3000), b"\x00\x00\x01\xba" + rng.bytes(3000)):
        path.write_bytes(content)
        with pytest.raises(UnreadableError, match=r"a\.mp4.*decoded"):
            read_image(path)
    with pytest.raises(UnreadableError, match="suffix says PNG"):
        read_image(written(tmp_path / "b.mp4", "mp4v").rename(tmp_path / "b.png"))


def test_a_film_larger_than_memory_is_read_frame_by_frame_and_refused_as_a_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.mp4", "mp4v")
    monkeypatch.setattr(limits, "SMALL", 0)
    monkeypatch.setattr(limits, "available", lambda: 30_000)
    image = read_image(path)
    assert len(list(frames_of(image))) == 12
    with pytest.raises(ResourceError, match="memory does not suffice"):
        image.pixels()
    monkeypatch.setattr(limits, "available", lambda: 1000)
    with pytest.raises(ResourceError, match="memory does not suffice"):
        read_image(path)


def test_frames_come_one_after_the_other_or_alone(tmp_path: Path) -> None:
    image = read_image(written(tmp_path / "a.mp4", "mp4v"))
    whole = image.pixels()
    for t, frame in enumerate(frames_of(image)):
        assert frame.axes == "cyx" and np.array_equal(frame.pixels(), whole[t])
    for t in (0, 7, 11):
        assert np.array_equal(image.load.piece("t", t), whole[t])  # type: ignore[attr-defined]
    # Whoever stops early ends the child.
    some = image.load.each("t")  # type: ignore[attr-defined]
    assert np.array_equal(next(some), whole[0])
    some.close()
    assert image.load.each("c") is None and image.load.piece("c", 0) is None  # type: ignore[attr-defined]


def test_a_decoder_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", "mp4v")
    monkeypatch.setattr(video, "PATIENCE", 0.01)
    monkeypatch.setattr(video, "PACE", 1e12)
    with pytest.raises(UnreadableError, match="too slow"):
        read_image(path)


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", "mp4v")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"isocenter\[video\]"):
        read_image(path)


def test_times_that_do_not_increase_give_way_to_the_rate() -> None:
    assert video._times([40.0, 80.0, 120.0], 25.0) == (0.0, 0.04, 0.08)
    assert video._times([40.0, 80.0, -10400.0], 25.0) == (0.0, 0.04, 0.08)
    assert video._times([0.0, 0.0], 0.0) is None
    assert video._times([0.0, float("nan")], float("inf")) is None


def test_real_clips_are_read(real_data: Callable[[str], Path]) -> None:
    folder = real_data("lung-us-pocus") / "videos"
    # The container declares 260 frames by its length; 262 can be decoded.
    assert read_image(folder / "Reg_pat1Image_133138.mpeg").shape == (262, 3, 370, 370)
    assert read_image(folder / "Vir_whitelung_h1n1.mp4").length("t") == 123
