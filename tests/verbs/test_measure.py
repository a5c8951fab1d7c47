"""Everything that can be handed to `measure`, and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import isocenter as iso
from isocenter.data import Boxes, Cases, Geometry, Image, Instances, Segmentation
from isocenter.errors import GeometryError, InputError, NotFoundError, UsageError
from isocenter.verbs.measure import Measured, measure

GRID = Geometry.from_spacing((24, 32), (0.5, 0.5))


def numbers() -> np.ndarray:
    """3: 6 x 8 pixels; 8: 4 x 4; they touch."""
    made = np.zeros((24, 32), np.uint8)
    made[4:10, 4:12], made[4:8, 12:16] = 3, 8
    return made


def test_whatever_holds_labels_gives_the_same_rows() -> None:
    labels = np.where(numbers() == 3, 1, np.where(numbers() == 8, 2, 0)).astype(np.uint8)
    region = Segmentation(labels, ("background", "a", "b"), GRID)
    found = Instances.from_label_map(numbers(), GRID, classes=("a", "b"), labels=[0, 1])
    for one in (region, found):
        rows = measure(one).tables["objects"].rows
        assert [(r["class"], r["area_px"], r["area_mm2"]) for r in rows] == [("a", 48, 12), ("b", 16, 4)]
    plain = iso.measure(numbers(), names={3: "a", 8: "b"}, spacing=(0.5, 0.5)).tables["objects"].rows
    assert [(r["id"], r["class"], r["area_mm2"]) for r in plain] == [(3, "a", 12), (8, "b", 4)]
    nibabel = pytest.importorskip("nibabel")
    volume = nibabel.Nifti1Image(numbers().T[..., None], np.diag([-0.5, -0.5, 2, 1]))
    assert [r["volume_mm3"] for r in measure(volume).tables["objects"].rows] == [24, 8]


def test_the_image_gives_grey_values_and_the_spacing_that_labels_lack() -> None:
    image = Image.from_array(np.full((24, 32), 7, np.int16), spacing=(2.0, 1.0), unit="HU")
    made = measure(numbers(), image)
    assert made.tables["objects"].rows[0]["mean_HU"] == 7 and made.tables["objects"].rows[0]["area_mm2"] == 96
    assert made.notes == () and measure(numbers()).notes[0].startswith("the spacing is unknown")
    with pytest.raises(GeometryError, match="another grid"):
        measure(numbers(), np.zeros((32, 24)))
    moved = Geometry.from_spacing((24, 32), (0.5, 0.5), origin=(5, 0))
    with pytest.raises(GeometryError, match="lies elsewhere"):
        measure(Segmentation(numbers() // 8, ("background", "b"), GRID), Image.from_array(numbers(), geometry=moved))


def test_frames_are_films_or_lists_or_folders(tmp_path: Path) -> None:
    film = np.stack([numbers() * (numbers() == 3), numbers(), np.zeros_like(numbers())])
    image = Image.from_array(np.stack([numbers() + i for i in range(3)]), axes="tyx", geometry=GRID)
    made = measure(Image.from_array(film, axes="tyx", geometry=GRID), image)
    objects = made.tables["objects"]
    assert [(r["frame"], r["id"]) for r in objects.rows] == [("0", 3), ("1", 3), ("1", 8)]
    assert [r["mean_au"] for r in objects.rows] == [3, 4, 9]
    assert [r["area_mm2"] for r in made.tables["over_time"].rows] == [12, 16, 0]
    (row,) = made.tables["ejection"].rows
    assert row["ejection_fraction_percent"] == 100 and row["basis"] == "area" and row["ed_frame"] == "1"
    listed = measure(list(film), [np.zeros((24, 32))] * 3)
    assert [r["area_px"] for r in listed.tables["over_time"].rows] == [48, 64, 0]
    for i, frame in enumerate(film):
        Pillow.fromarray(frame).save(tmp_path / f"f{i}.png")
    held = measure(tmp_path, frames=True)
    assert [r["area_px"] for r in held.tables["over_time"].rows] == [48, 64, 0] and "label f2.png" not in held.notes
    for wrong in (([film[0]], [1, 2]), (list(film), film[0])):
        with pytest.raises(UsageError, match="frames"):
            measure(*wrong)
    with pytest.raises(UsageError, match="3 and 2"):
        measure(Image.from_array(film, axes="tyx"), Image.from_array(film[:2], axes="tyx"))
    with pytest.raises(InputError, match="film"):
        measure(film[0], Image.from_array(film, axes="tyx"))


def test_annotation_files_bring_classes_and_overlaps(tmp_path: Path) -> None:
    masks = (np.ones((6, 6), bool), np.ones((6, 6), bool))
    found = Instances(np.array([[2, 2], [5, 2]]), masks, np.array([0, 1]), ("a", "b"), Geometry((24, 32)))
    for name in ("objects.json", "objects.geojson", "objects.zip", "objects.seg.nrrd"):
        path = iso.write(found, tmp_path / name)
        made = measure(path, np.zeros((24, 32)))
        assert [r["area_px"] for r in made.tables["objects"].rows] == [36, 36], name
        assert made.tables["summary"].rows[0]["overlap_px"] == 18
        assert made.tables["summary"].rows[0]["total_area_px"] == 54
    assert [r["class"] for r in measure(tmp_path / "objects.json").tables["objects"].rows] == ["a", "b"]
    with pytest.raises(UsageError, match="Name the image"):
        measure(tmp_path / "objects.geojson")
    folder = tmp_path / "masks"
    folder.mkdir()
    for i, mask in enumerate((numbers() == 3, numbers() == 8)):
        Pillow.fromarray((mask * 255).astype(np.uint8)).save(folder / f"{i}.png")
    assert [r["area_px"] for r in measure(folder, np.zeros((24, 32))).tables["objects"].rows] == [48, 16]


def test_a_data_set_is_measured_case_by_case(squares: Cases) -> None:
    made = measure(squares)
    objects, summary = made.tables["objects"], made.tables["summary"]
    assert len(objects.rows) == len(summary.rows) == len(squares) and {r["class"] for r in objects.rows} == {"square"}
    assert {r["area_px"] for r in objects.rows} == {36, 100} and {r["subject"] for r in objects.rows} >= {"p0", "p11"}
    assert "frame" not in objects.header and "over_time" not in made.tables
    with pytest.raises(UsageError, match="brings its own images"):
        measure(squares, np.zeros((4, 4)))
    with pytest.raises(NotFoundError, match="phase"):
        measure(squares, frame="phase")
    with pytest.raises(UsageError, match="data sets"):
        measure(numbers(), frame="phase")


def test_what_cannot_be_measured_is_counted_and_the_rest_goes_on(discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs", subjects=6)
    Pillow.fromarray(np.zeros((10, 10), np.uint8)).save(folder / "masks" / "case03.png")
    made = measure(folder)
    assert made.exit_code == 3 and len(made.problems) == 1 and len(made.tables["summary"].rows) == 11
    assert "case03" in made.problems[0].where and any("1 case not measured" in line for line in made.lines())


def test_a_case_that_fails_while_it_is_measured_is_counted_and_all_of_them_are_refused(squares: Cases) -> None:
    picture = Image.from_array(np.zeros((3, 24, 24), np.uint8), axes="cyx", channels=("red", "green", "blue"))
    entries = (replace(squares.entries[0], open=lambda: replace(squares[0], images={"image": picture})),)
    mixed = replace(squares, entries=(*entries, *squares.entries[1:3]))
    made = measure(mixed, stain="hdab")
    assert len(made.problems) == 2 and len(made.tables["objects"].rows) == 1 and made.exit_code == 3
    with pytest.raises(InputError, match="three colours"):
        measure(squares, stain="hdab")
    without = replace(squares, entries=tuple(
        replace(e, open=lambda e=e: replace(e.open(), load_truth=None)) for e in squares.entries[:2]
    ))  # fmt: skip
    with pytest.raises(InputError, match="nothing has labels"):
        measure(without)


def test_answers_in_a_folder_are_measured_instead_of_the_truth(discs_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    for path in (discs_folder / "images").glob("*.png"):
        found = iso.predict("segment/histogram", path).labels > 0
        Pillow.fromarray((found * 255).astype(np.uint8)).save(tmp_path / "answers" / path.name)
    truth, given = measure(discs_folder), measure(discs_folder, given=str(tmp_path / "answers"))
    sizes = [[r["total_area_px"] for r in m.tables["summary"].rows if r["class"] == "all"] for m in (truth, given)]
    assert len(sizes[0]) == len(sizes[1]) == 24 and sizes[0] != sizes[1]
    assert np.median(np.abs(np.subtract(*sizes)) / sizes[0]) < 0.2
    assert measure(discs_folder, given=str(tmp_path / "answers"), out=tmp_path / "t.xlsx").exit_code == 0


def test_relations_are_a_table_and_a_graph() -> None:
    made = measure(numbers(), names={3: "a", 8: "b"}, spacing=(0.5, 0.5), relations=True)
    (row,) = made.tables["relations"].rows
    assert (row["class_a"], row["class_b"]) == ("a", "b") and row["contact_length_mm"] == pytest.approx(2, abs=0.6)
    assert row["to_x_mm"] == 3.0 and row["surface_distance_mm"] == 0
    assert [n["id"] for n in made.graphs[0]["nodes"]] == [3, 8] and len(made.graphs[0]["edges"]) == 1
    assert measure(numbers(), relations=True, reach=0.0).tables["relations"].rows


def test_stains_are_graded_with_thresholds_of_ones_own() -> None:
    from skimage import data

    picture = np.moveaxis(data.immunohistochemistry()[:64, :64], -1, 0)
    labels = np.kron(np.arange(1, 17, dtype=np.uint8).reshape(4, 4), np.ones((16, 16), np.uint8))
    image = Image.from_array(picture, axes="cyx", channels=("red", "green", "blue"))
    usual, low = (measure(labels, image, stain="hdab", **more) for more in ({}, {"thresholds": (0.01, 0.02, 0.03)}))
    one, other = (m.tables["summary"].rows[0] for m in (usual, low))
    assert 0 <= one["h_score"] <= other["h_score"] <= 300 and other["positive_share"] >= one["positive_share"]
    assert any("0.2, 0.4, 0.6" in note for note in usual.notes)
    with pytest.raises(UsageError, match="hdab"):
        measure(labels, image, stain="hdap")
    with pytest.raises(InputError, match="3 rising"):
        measure(labels, image, stain="hdab", thresholds=(0.5, 0.2, 0.1))


def test_parts_and_the_word_about_them() -> None:
    labels = numbers()
    labels[20:22, 20:22] = 3
    assert any("--parts" in note for note in measure(labels).notes)
    made = measure(labels, parts=True)
    assert [r["id"] for r in made.tables["objects"].rows] == [1, 2, 3] and not any("--parts" in n for n in made.notes)


def test_nothing_there_is_an_answer() -> None:
    assert "3 images hold no object" in measure([np.zeros((8, 8), np.uint8)] * 3).notes
    made = measure(np.zeros((8, 8), np.uint8), relations=True)
    assert made.exit_code == 0 and made.tables["objects"].rows == () and made.tables["summary"].rows[0]["objects"] == 0
    assert any("no object" in n for n in made.notes) and made.tables["relations"].rows == ()


def test_a_result_says_itself_as_json_and_lines(tmp_path: Path) -> None:
    made = measure(Segmentation((numbers() > 0).astype(np.uint8), ("background", "cell"), GRID))
    document = json.loads(json.dumps(made.as_json(), allow_nan=False))
    assert document["objects"][0]["area_mm2"] == 16 and document["format"] == 1 and document["problems"] == []
    assert "total_area_mm2" in made.lines()[0] and made.next == ""
    path = tmp_path / "labels.png"
    Pillow.fromarray(numbers()).save(path)
    assert measure(path).lines()[-1].startswith("next: isocenter measure ")
    written = measure(path, out=tmp_path / "t.csv")
    assert written.files[0].is_file() and written.lines()[-1].startswith("written: ")
    assert isinstance(written, Measured)


@pytest.mark.parametrize("labels", [np.full((4, 4), 0.5), -np.ones((4, 4), int), Boxes.none(("a",), Geometry((4, 4)))])
def test_what_is_no_label_is_refused(labels: Any) -> None:
    with pytest.raises(InputError):
        measure(labels)


def test_volumes_of_real_hearts_by_their_slices(real_data: Callable[[str], Path]) -> None:
    made = measure(real_data("cardiac-mr-sunnybrook"), frame="phase", slice="slice")
    whole = [r for r in made.tables["ejection"].rows if r["basis"] == "volume (sum of slices)"]
    assert len(whole) == 16 and sum(r["slices"] for r in whole) == 129
    assert all(0 < r["ejection_fraction_percent"] < 90 for r in whole)
    assert sum(r["slices_left_out"] for r in whole) == 271 - 2 * 129
    assert [sum(text in n for n in made.notes) for text in ("one distance", "left_out", "unknown")] == [1, 1, 1]
    alone = [r for r in made.tables["ejection"].rows if r["basis"] == "area"]
    assert len(alone) == 129
    for r in whole:
        # One pair of frames for all slices: never more than the slices give, each with its own largest and smallest.
        own = [s for s in alone if s["subject"] == r["subject"]]
        high, low = (sum(s[f"{end}_area_px"] for s in own) for end in ("ed", "es"))
        assert r["ejection_fraction_percent"] <= 100 * (1 - low / high) + 1e-6


def test_what_sums_do_not_say_is_noted() -> None:
    both = Instances(
        np.array([[2, 2], [4, 4]]), (np.ones((4, 4), bool), np.ones((4, 4), bool)), np.array([0, 0]), ("cell",), GRID
    )
    made = measure(both)
    assert made.tables["summary"].rows[0]["overlap_px"] == 4
    assert any(note.startswith("objects overlap") for note in made.notes)
    slices = np.zeros((2, 6, 6), np.uint8)
    slices[0, :3, :3], slices[1, :3, :3] = 1, 2
    flat = measure(Instances.from_label_map(slices, Geometry(slices.shape)))
    assert any("counted in each" in note for note in flat.notes) and not any("overlap" in note for note in flat.notes)


def test_a_folder_of_coco_tells_of_what_was_left_out(tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((10, 20), np.uint8)).save(tmp_path / "a.png")
    items = [{"id": i, "image_id": 1, "category_id": 1, "bbox": [x, 2, 4, 4],
              "segmentation": [[x, 2, x + 4, 2, x + 4, 6, x, 6]]} for i, x in enumerate((3, 40))]
    document = {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cell"}]}
    (tmp_path / "all.json").write_text(json.dumps({**document, "annotations": items}))
    made = measure(tmp_path)
    assert [row["area_px"] for row in made.tables["objects"].rows] == [16]
    assert any("outside the image was left out: got object 2 (cell, x 40 to 44" in note for note in made.notes)
    for item in items:
        del item["segmentation"]
    (tmp_path / "all.json").write_text(json.dumps({**document, "annotations": items}))
    with pytest.raises(InputError, match="boxes alone say nothing"):
        measure(tmp_path)
