"""The truth of track in tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import catalog, io, layouts
from isocenter.data import NotEvaluated, Tracks
from isocenter.data.film import clock
from isocenter.errors import GeometryError, LabelError, TableError
from isocenter.io.tracks import write_folder
from isocenter.io.tracks_table import as_csv
from isocenter.metrics import records
from isocenter.simulate.film import Course, drawn, film
from isocenter.tasks.track.given import Given

DECLARED = {"format": 1, "frame": "t"}


def tracks(seed: int = 0) -> tuple[np.ndarray, Tracks]:
    rng = np.random.default_rng(seed)
    image, truth = drawn(film((48, 56), rng, Course(4, 6, 1.5, dividing=0.5)), rng)
    return image.pixels(), truth


def maps(truth: Tracks) -> np.ndarray:
    out = np.zeros((truth.length, *truth.geometry.shape), np.uint16)
    for i in range(len(truth)):
        out[truth.frames[i]][truth.objects.where(i)][truth.objects.masks[i]] = truth.numbers[i]
    return out


def table(
    folder: Any, truth: Any, pixels: np.ndarray, *, column: str, declared: Any = DECLARED, first: int = 0
) -> Path:
    rows = [["image", "t", "subject", "split", column]]
    for t, frame in enumerate(pixels):
        name = folder.png(f"images/{t:02d}.png", frame)
        cell = truth if isinstance(truth, str) else truth(t)
        rows.append([name, str(t + first), "s", "train" if t < 4 else "test", cell])
    folder.csv(rows)
    folder.json(declared)
    return Path(folder.path)


def test_a_label_map_a_frame_with_one_number_a_track(folder: Any) -> None:
    pixels, truth = tracks()
    drawn_maps = maps(truth)
    path = table(folder, lambda t: folder.png(f"labels/{t}.png", drawn_maps[t]), pixels, column="mask")
    cases = layouts.read(path, task="track")
    train, test = cases.split("train")[0], cases.split("test")[0]
    assert cases.classes == ("object",) and train.image().axes == "tyx"
    found = train.truth()
    assert isinstance(found, Tracks) and found.length == 4 and test.truth().length == 2
    early = truth.chosen(truth.frames < 4)
    assert np.array_equal(found.numbers, early.numbers) and np.array_equal(found.frames, early.frames)
    assert np.array_equal(test.truth().frames, truth.chosen(truth.frames >= 4).frames - 4)
    assert not cases.problems or all(p.code != "truth-unread" for p in cases.problems)


@pytest.mark.parametrize("first", [0, 25])
def test_a_table_of_tracks_speaks_of_the_frames_by_their_names(folder: Any, first: int) -> None:
    pixels, truth = tracks()
    lines = as_csv(truth).splitlines()
    named = [lines[0], *(",".join([n, str(int(t) + first), *rest])
                         for n, t, *rest in (line.split(",") for line in lines[1:]))]
    folder.text("tracks.csv", "\n".join(named) + "\n")
    path = table(folder, "tracks.csv", pixels, column="tracks", first=first)
    cases = layouts.read(path, task="track")
    found = [cases.split(s)[0].truth() for s in ("train", "test")]
    assert [f.length for f in found] == [4, 2] and sum(map(len, found)) == len(truth)
    assert np.array_equal(found[1].frames, truth.chosen(truth.frames >= 4).frames - 4)
    assert found[0].boxes() is not None


def test_a_folder_of_the_challenge_is_the_truth_of_all_rows(folder: Any) -> None:
    pixels, truth = tracks()
    write_folder(truth, folder.path / "01_GT", truth=True)
    path = table(folder, "01_GT", pixels, column="tracks", declared={**DECLARED, "split": "subject"})
    [case] = layouts.read(path, task="track")
    assert case.truth().parents == truth.parents and case.truth().length == 6
    assert np.array_equal(case.truth().numbers, truth.numbers)


def test_another_reader_stands_in_the_same_table(folder: Any) -> None:
    pixels, truth = tracks()
    drawn_maps = maps(truth)
    path = table(folder, lambda t: folder.png(f"labels/{t}.png", drawn_maps[t]), pixels, column="mask")
    rows = (path / "manifest.csv").read_text().splitlines()
    (path / "manifest.csv").write_text("\n".join(
        [rows[0] + ",second", *(r + "," + (r.split(",")[-1] if "train" in r else "") for r in rows[1:])]))
    cases = layouts.read(path, task="track")
    task, method = catalog.task("track"), Given(column="second")
    train, test = cases.split("train")[0], cases.split("test")[0]
    found = records(task, method.predict(train), train.truth())
    assert {r["values"]["object"] for r in found.values()} == {1.0}
    assert isinstance(method.predict(test), NotEvaluated)


def test_a_frame_without_a_map_is_refused(folder: Any) -> None:
    pixels, truth = tracks()
    drawn_maps = maps(truth)
    path = table(
        folder, lambda t: "" if t == 2 else folder.png(f"labels/{t}.png", drawn_maps[t]), pixels, column="mask")
    cases = layouts.read(path, task="track")
    with pytest.raises(LabelError, match="a frame has no label map"):
        cases.split("train")[0].truth()


def test_a_map_of_another_size_is_refused(folder: Any) -> None:
    pixels, truth = tracks()
    small = maps(truth)[:, :20]
    path = table(folder, lambda t: folder.png(f"labels/{t}.png", small[t]), pixels, column="mask")
    with pytest.raises(GeometryError, match="another grid"):
        layouts.read(path, task="track").split("train")[0].truth()


def test_masks_are_no_tracks_where_rows_are_no_frames(folder: Any) -> None:
    pixels, truth = tracks()
    label = maps(truth)
    path = table(folder, lambda t: folder.png(f"l/{t}.png", label[t]), pixels, column="mask", declared={"format": 1})
    with pytest.raises(TableError, match="no truth for track"):
        layouts.read(path, task="track")


@pytest.mark.parametrize("end", [".xml", ".geojson"])
@pytest.mark.parametrize("first", [0, 25])
def test_documents_of_other_programs_speak_of_the_frames_too(end: str, first: int, folder: Any) -> None:
    pixels, truth = tracks()
    late = Tracks.of(truth.frames + first, truth.numbers, truth.positions, truth.geometry, length=first + 6)
    path = table(folder, f"tracks{end}", pixels, column="tracks", first=first)
    io.write(replace(late, parents=truth.parents), path / f"tracks{end}")
    cases = layouts.read(path, task="track")
    for name, low, high in (("train", 0, 4), ("test", 4, 6)):
        found = cases.split(name)[0].truth()
        wanted = truth.chosen((truth.frames >= low) & (truth.frames < high))
        assert isinstance(found, Tracks) and found.length == high - low and len(found) == len(wanted)
        place = np.lexsort(found.positions.T), np.lexsort(wanted.positions.T)
        assert np.allclose(found.positions[place[0]], wanted.positions[place[1]])
        assert np.array_equal(found.frames[place[0]], wanted.frames[place[1]] - low)


def timed(folder: Any, seconds: list[str]) -> Any:
    pixels, _ = tracks()
    rows = [["image", "t", "s", "subject"]]
    rows += [[folder.png(f"images/{t}.png", frame), str(t), s, "one"]
             for t, (frame, s) in enumerate(zip(pixels, seconds, strict=True))]
    folder.csv(rows)
    folder.json({"format": 1, "frame": "t", "time": "s"})
    return layouts.read(Path(folder.path))[0]


def test_a_column_says_when_each_frame_was_taken(folder: Any) -> None:
    """The frame between 1 and 2 s is missing: nothing else is known of it."""
    case = timed(folder, ["0", "0.5", "1", "2", "2.5", "3"])
    assert case.image().times == (0.0, 0.5, 1.0, 2.0, 2.5, 3.0)
    assert clock(case.image()).tolist() == [0, 1, 2, 4, 5, 6]


@pytest.mark.parametrize("seconds", [["0", "1", "1", "2", "3", "4"], ["0", "1", "", "3", "4", "5"]])
def test_times_that_do_not_rise_or_lack_are_refused(seconds: list[str], folder: Any) -> None:
    with pytest.raises(TableError, match="times of a film's frames do not rise"):
        timed(folder, seconds)
