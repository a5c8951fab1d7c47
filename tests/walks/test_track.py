"""Films from a folder to tracks through the command line, and linking on real cells."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

import isocenter as iso
from isocenter import catalog, io, layouts
from isocenter.data import Case, Image, NotEvaluated, Tracks
from isocenter.errors import NotFoundError
from isocenter.io.trackmate_reading import read as read_trackmate
from isocenter.io.tracks import read_csv, read_folder, write_folder
from isocenter.io.tracks_geojson import read as read_geojson
from isocenter.metrics import records
from isocenter.simulate.film import Course, drawn, film
from isocenter.tasks.track.assignment import Assignment

Here = Callable[..., subprocess.CompletedProcess[str]]
DETECTOR = {"use": "instances/watershed_split", "diameter": 12, "rule": "otsu", "prominence": 0.1, "bright": True,
            "channel": "mean", "smallest": 0.2}
SHAPE, FRAMES = (96, 120), 6


def numbered(tracks: Tracks, t: int) -> np.ndarray:
    out = np.zeros(tracks.geometry.shape, np.uint8)
    for i in np.flatnonzero(tracks.frames == t):
        out[tracks.objects.where(int(i))][tracks.objects.masks[int(i)]] = tracks.numbers[i]
    return out


def simulated(seed: int) -> tuple[Image, Tracks]:
    rng = np.random.default_rng(seed)
    return drawn(film(SHAPE, rng, Course(9, FRAMES, 2.0, dividing=0.2)), rng)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects with a film each, a picture and a label map a frame."""
    folder = tmp_path_factory.mktemp("films") / "films"
    rows = ["image,mask,t,subject,split"]
    for k, split in enumerate(("train", "val", "test", "test")):
        image, truth = simulated(k)
        for t, pixels in enumerate(image.pixels()):
            io.write(Image.from_array(pixels), folder / f"images/{k}_{t}.png")
            io.write(Image.from_array(numbered(truth, t)), folder / f"labels/{k}_{t}.png")
            rows.append(f"images/{k}_{t}.png,labels/{k}_{t}.png,{t},Quastenberg{k},{split}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps({"format": 1, "frame": "t"}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bundle(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracker whose detector was told all that it could learn."""
    path = tmp_path_factory.mktemp("bundles") / "cells.bundle"
    iso.train("track", films, method="assignment", out=path, settings={"detector": DETECTOR}, threads=1)
    return path


def test_a_bundle_is_scored_on_films_of_test(here: Here, films: Path, bundle: Path) -> None:
    said = here("evaluate", bundle, films, "--split", "test", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["n_cases"] == found["n_subjects"] == 2
    assert set(found["metrics"]) >= set(catalog.task("track").metrics)
    assert found["metrics"]["f1_8px"]["object"]["value"] > 0.85
    assert found["metrics"]["idf1"]["object"]["value"] > 0.7
    assert all(m["object"]["n"] == 2 for m in found["metrics"].values() if "object" in m)


def test_given_tracks_and_a_bundle_stand_in_one_table(here: Here, films: Path, bundle: Path) -> None:
    said = here("evaluate", "track/given", films, "--split", "test", "--set", "column=mask", "--json")
    assert said.returncode == 0, said.stderr
    values = json.loads(said.stdout)["metrics"]
    assert {values[k]["object"]["value"] for k in catalog.task("track").metrics} == {1.0}
    linked = here("evaluate", "track/assignment", films, "--split", "test", "--set", "given=mask", "--json")
    assert linked.returncode == 0, linked.stderr
    assert json.loads(linked.stdout)["metrics"]["link_recall"]["object"]["value"] > 0.85


def test_a_film_in_one_file_becomes_a_table_of_tracks(here: Here, bundle: Path, tmp_path: Path) -> None:
    image, truth = simulated(7)
    tifffile.imwrite(tmp_path / "film.ome.tif", image.pixels(), metadata={"axes": "TYX"})
    said = here("predict", bundle, tmp_path / "film.ome.tif", "-o", tmp_path / "out")
    assert said.returncode == 0, said.stderr
    table = tmp_path / "out" / "film.ome.csv"
    found = read_csv(table, truth.geometry, frames=FRAMES)
    scores = records(catalog.task("track"), found, replace(truth, objects=None))
    assert scores["f1_8px"]["values"]["object"] > 0.85
    assert f"tracks {len(found.tracks)}" in said.stdout and "ms a frame" in said.stdout
    for end in ("_by_track.csv", "_msd.csv", "_tracks.gif", "_strip.png", "_motion.svg", "_lineage.svg"):
        assert len(list((tmp_path / "out").glob(f"film*{end}"))) == 1


def test_a_folder_of_frames_with_times_is_a_film_and_answers_go_to_other_programs(
    here: Here, bundle: Path, tmp_path: Path
) -> None:
    image, _ = simulated(9)
    for t, pixels in enumerate(image.pixels()):
        io.write(Image.from_array(pixels), tmp_path / "cells" / f"t{t}.png")
    (tmp_path / "cells" / "times.csv").write_text("".join(f"{0.5 * t}\n" for t in range(FRAMES)))
    said = here("predict", bundle, tmp_path / "cells", "-o", tmp_path / "out", "--as", "ctc,trackmate,geojson")
    assert said.returncode == 0, said.stderr
    out = tmp_path / "out"
    found = [read_folder(out / "cells_ctc"), read_trackmate(out / "cells_trackmate.xml"),
             read_geojson(out / "cells_tracks.geojson", image.geometry),
             read_csv(out / "cells.csv", image.geometry, frames=FRAMES)]
    assert len({len(f) for f in found}) == len({len(f.tracks) for f in found}) == 1 and len(found[0]) > FRAMES
    assert found[1].times == found[2].times == tuple(0.5 * t for t in range(FRAMES))
    assert "speed_px_per_s" in (out / "cells.csv").read_text()
    # What is there is not answered again; a single picture is no film.
    assert "answered before" in here("predict", bundle, tmp_path / "cells", "-o", out).stdout
    alone = here("predict", bundle, tmp_path / "cells" / "t0.png", "-o", tmp_path / "alone")
    assert alone.returncode != 0 and "film" in alone.stderr


def test_a_tracker_without_a_detector_says_what_to_do(here: Here, films: Path, tmp_path: Path) -> None:
    said = here("train", "track", films, "--method", "assignment", "-o", tmp_path / "a.bundle")
    assert said.returncode == 1 and "nothing finds the objects" in said.stderr and "detector=" in said.stderr
    assert not (tmp_path / "a.bundle").exists()


def test_python_reads_writes_and_follows(bundle: Path, tmp_path: Path) -> None:
    image, truth = simulated(8)
    found = iso.load(bundle).predict(Case.of(image))
    assert isinstance(found, Tracks)
    iso.write(found, tmp_path / "tracks.csv")
    iso.write(found, tmp_path / "01_RES")
    assert (tmp_path / "01_RES" / "res_track.txt").is_file()
    assert len(list((tmp_path / "01_RES").glob("mask*.tif"))) == FRAMES
    write_folder(truth, tmp_path / "01_GT", truth=True)


def test_methods_look_at_no_truth_and_change_no_pixel(films: Path, bundle: Path) -> None:
    case = layouts.read(films, task="track").split("test")[0]
    pixels = case.image().pixels()
    kept = pixels.copy()

    def forbidden() -> Tracks:
        raise AssertionError("a method looked at the truth of the case that it answers")

    held = replace(case, images={"image": case.image().replaced(lambda: pixels)}, load_truth=forbidden, notes={})
    method = iso.load(bundle)
    first, again = method.predict(held), method.predict(case)
    assert np.array_equal(pixels, kept)
    assert np.array_equal(first.numbers, again.numbers) and np.array_equal(first.positions, again.positions)
    with pytest.raises(NotFoundError):
        method.predict(Case("x", {}))


@pytest.mark.parametrize(
    "pixels", [np.full((3, 1, 1), 7.0), np.zeros((2, 32, 32), np.int16), np.full((2, 32, 32), np.nan)]
)
def test_tiny_empty_and_broken_films(bundle: Path, pixels: np.ndarray) -> None:
    found = iso.load(bundle).predict(Case.of(Image.from_array(pixels, axes="tyx")))
    assert isinstance(found, (Tracks, NotEvaluated))
    if isinstance(found, Tracks):
        assert found.length == len(pixels)
    else:
        assert found.reason


def thinned(truth: Tracks, every: int, dropped: float, seed: int) -> Tracks:
    """Every so many frames, and of their points so many less."""
    rng = np.random.default_rng(seed)
    kept = (truth.frames % every == 0) & (rng.random(len(truth)) >= dropped)
    part = truth.chosen(kept)
    return replace(part, frames=part.frames // every, length=-(-truth.length // every))


def test_right_links_of_real_cells_seldom_seen(real_data: Callable[[str], Path]) -> None:
    """Every fourth frame of train, and 15 % of what was found in it dropped."""
    case = layouts.read(real_data("cells-tracking-cellphe"), task="track").split("train")[0]
    truth = case.truth()
    shares = []
    for seed in range(3):
        part = thinned(truth, 4, 0.15, seed)
        short = Case.of(Image.from_array(np.zeros((part.length, *truth.geometry.shape), np.uint8), axes="tyx"))
        found = Assignment().linked(part, short)
        shares.append(records(catalog.task("track"), found, part)["link_recall"]["values"]["object"])
    assert np.mean(shares) >= 0.97
