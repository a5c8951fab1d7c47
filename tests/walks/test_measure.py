"""Read-outs through the command line: tissue, organs, a beating heart, and everything that may be wrong with labels."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import openpyxl
import pytest
from PIL import Image

import isocenter as iso
from isocenter.data import Geometry, Instances

Here = Callable[..., subprocess.CompletedProcess[str]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def png(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path)
    return path


def nifti(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(array.transpose(), affine), path)
    return path


def two_squares() -> np.ndarray:
    numbers = np.zeros((40, 60), np.uint8)
    numbers[5:15, 5:25], numbers[25:35, 40:50] = 1, 2
    return numbers


def test_nuclei_of_a_stained_section(here: Here, tmp_path: Path) -> None:
    from skimage import data, filters, measure, morphology

    from isocenter.ops.stain import separate

    picture = data.immunohistochemistry()[:256, :256]
    blue = separate(np.moveaxis(picture, -1, 0), ("hematoxylin", "dab")).sum(0)
    nuclei = measure.label(morphology.opening(blue > filters.threshold_otsu(blue), morphology.disk(3)))
    labels = png(tmp_path / "nuclei.png", nuclei.astype(np.uint8))
    out = tmp_path / "nuclei.xlsx"
    done = here("measure", labels, png(tmp_path / "ihc.png", picture), "--stain", "hdab", "-o", out)
    assert done.returncode == 0, done.stderr
    assert "h_score" in done.stdout and "0.2, 0.4, 0.6" in done.stdout and "in px" in done.stdout
    book = openpyxl.load_workbook(out)
    header, *found = [[c.value for c in line] for line in book["objects"].iter_rows()]
    grade, density = header.index("dab_grade"), header.index("dab_od")
    assert len(found) == nuclei.max() and len(found) > 5
    assert all(line[grade] == np.digitize(line[density], (0.2, 0.4, 0.6)) for line in found)
    head, line = [[c.value for c in line] for line in book["summary"].iter_rows()]
    summary = dict(zip(head, line, strict=True))
    assert summary["h_score"] == pytest.approx(100 * np.mean([f[grade] for f in found]))
    assert summary["positive_share"] == pytest.approx(np.mean([f[grade] > 0 for f in found]))


def test_a_tumour_in_its_organ_on_an_oblique_scan(here: Here, tmp_path: Path) -> None:
    z, y, x = np.mgrid[:20, :40, :40]
    radius = np.sqrt((3 * (z - 10)) ** 2 + (y - 20) ** 2 + (x - 20) ** 2)
    labels = np.where(np.sqrt((3 * (z - 10)) ** 2 + (y - 20) ** 2 + (x - 26) ** 2) < 6, 2, (radius < 16).astype(int))
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.0, -1.0, 3.0])
    organs = nifti(tmp_path / "organs.nii.gz", labels.astype(np.uint8), affine)
    scan = nifti(tmp_path / "ct.nii.gz", (labels * 40).astype(np.int16), affine)
    out = tmp_path / "out"
    done = here("measure", organs, scan, "--names", "1=liver,2=tumour", "--relations", "-o", out)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in out.iterdir()} == {"objects.csv", "summary.csv", "relations.csv", "relations.json"}
    liver, tumour = rows(out / "objects.csv")
    assert float(tumour["volume_ml"]) == pytest.approx(4 / 3 * np.pi * 6**3 / 1000, rel=0.05)
    # A scan of nobody knows what: grey values without a unit.
    assert (liver["class"], liver["mean_au"], tumour["mean_au"]) == ("liver", "40.0", "80.0")
    (pair,) = rows(out / "relations.csv")
    assert float(pair["share_of_b_in_a"]) == 1.0 and float(pair["share_of_a_in_b"]) == 0.0
    # The axis x of the array runs to the patient's left, turned by 25 degrees.
    to = np.array([float(pair[f"to_{a}_mm"]) for a in "LPS"])
    assert to / np.linalg.norm(to) == pytest.approx([np.cos(angle), np.sin(angle), 0], abs=0.02)
    (graph,) = json.loads((out / "relations.json").read_text(encoding="utf-8"))["graphs"]
    assert [n["class"] for n in graph["nodes"]] == ["liver", "tumour"] and graph["unit"] == "mm"
    assert (graph["edges"][0]["a"], graph["edges"][0]["b"]) == (1, 2)


def test_a_heart_slice_by_slice(here: Here, tmp_path: Path) -> None:
    lines = ["image,mask,subject,slice,phase"]
    areas = {("1", "0"): 20, ("1", "5"): 10, ("2", "0"): 16, ("2", "5"): 8}
    for (piece, phase), side in areas.items():
        mask = np.zeros((32, 32), np.uint8)
        mask[4 : 4 + side, 4:14] = 255
        name = f"s{piece}p{phase}"
        png(tmp_path / f"{name}_mask.png", mask)
        png(tmp_path / f"{name}.png", mask // 2)
        lines.append(f"{name}.png,{name}_mask.png,heart,{piece},{phase}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = here("measure", tmp_path, "--frame", "phase", "--slice", "slice", "-o", tmp_path / "out" / "ef.csv")
    assert done.returncode == 0, done.stderr
    assert "volume (sum of slices)" in done.stdout and "slices of one distance" in done.stdout
    found = rows(tmp_path / "out" / "ef_ejection.csv")
    assert [(r["basis"], r["slice"], float(r["ejection_fraction_percent"])) for r in found] == [
        ("area", "1", 50), ("area", "2", 50), ("volume (sum of slices)", "all", 50),
    ]  # fmt: skip
    assert (found[-1]["ed_frame"], found[-1]["es_frame"], found[-1]["slices"]) == ("0", "5", "2")
    assert len(rows(tmp_path / "out" / "ef_over_time.csv")) == 6
    assert here("measure", tmp_path, "--frame", "phase").returncode == 1


def test_a_film_of_cells_in_one_file(here: Here, tmp_path: Path) -> None:
    import tifffile

    film = np.stack([two_squares() * (two_squares() <= n) for n in (2, 1, 0)])
    tifffile.imwrite(tmp_path / "tracks.tif", film, photometric="minisblack")
    tifffile.imwrite(tmp_path / "cells.tif", film * 50, photometric="minisblack")
    words = ("measure", tmp_path / "tracks.tif", tmp_path / "cells.tif")
    assert here(*words).returncode == 1
    done = here(*words, "--axes", "tyx", "--spacing", "0.5,0.5", "-o", tmp_path / "t.xlsx")
    assert done.returncode == 0, done.stderr
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["objects", "summary", "over_time", "ejection"]
    head, *lines = [[c.value for c in line] for line in book["objects"].iter_rows()]
    got = [dict(zip(head, line, strict=True)) for line in lines]
    assert [(r["frame"], r["id"], r["mean_au"]) for r in got] == [("0", 1, 50), ("0", 2, 100), ("1", 1, 50)]
    curve = [line[-1].value for line in book["over_time"].iter_rows()]
    assert curve == ["area_mm2", 75, 50, 0]


def test_labels_without_spacing_are_measured_in_pixels_and_say_so(here: Here, tmp_path: Path) -> None:
    labels = png(tmp_path / "labels.png", two_squares())
    done = here("measure", labels, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0 and any("spacing is unknown" in n for n in document["notes"])
    assert [r["area_px"] for r in document["objects"]] == [200, 100] and "area_mm2" not in document["objects"][0]
    told = json.loads(here("measure", labels, "--spacing", "2,0.5", "--json").stdout)
    assert [r["area_mm2"] for r in told["objects"]] == [200, 100] and told["notes"] == []


def test_labels_on_another_grid_are_refused(here: Here, tmp_path: Path) -> None:
    labels = png(tmp_path / "labels.png", two_squares())
    done = here("measure", labels, png(tmp_path / "image.png", np.zeros((60, 40), np.uint8)), "-o", tmp_path / "t.csv")
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
    assert "another grid" in done.stderr and "axes look exchanged" in done.stderr and not (tmp_path / "t.csv").exists()
    one = nifti(tmp_path / "a.nii.gz", np.ones((4, 5, 6), np.uint8), np.diag([1.0, 1, 2, 1]))
    moved = np.diag([1.0, 1, 2, 1])
    moved[0, 3] = 40
    other = nifti(tmp_path / "b.nii.gz", np.ones((4, 5, 6), np.int16), moved)
    done = here("measure", one, other)
    assert done.returncode == 1 and "lies elsewhere" in done.stderr and "40 mm" in done.stderr


def test_empty_labels_are_an_answer(here: Here, tmp_path: Path) -> None:
    labels = png(tmp_path / "none.png", np.zeros((8, 8), np.uint8))
    done = here("measure", labels, labels, "--relations", "-o", tmp_path / "out")
    assert done.returncode == 0 and "no object" in done.stdout
    assert rows(tmp_path / "out" / "objects.csv") == [] and rows(tmp_path / "out" / "relations.csv") == []
    (line,) = rows(tmp_path / "out" / "summary.csv")
    assert line["objects"] == "0" and line["total_area_px"] == "0" and line["median_area_px"] == ""
    head = (tmp_path / "out" / "objects.csv").read_text(encoding="utf-8-sig")
    assert "area_px" in head and "mean_au" in head


def test_objects_that_overlap_keep_all_of_their_pixels(here: Here, tmp_path: Path) -> None:
    masks = (np.ones((10, 10), bool), np.ones((10, 10), bool))
    found = Instances(np.array([[5, 5], [10, 5]]), masks, np.zeros(2, np.int64), ("cell",), Geometry((40, 40)))
    path = iso.write(found, tmp_path / "picture.json")
    picture = png(tmp_path / "picture.png", np.full((40, 40), 9, np.uint8))
    done = here("measure", path, picture, "--relations", "--json")
    document = json.loads(done.stdout)
    assert [r["area_px"] for r in document["objects"]] == [100, 100]
    assert (document["summary"][0]["total_area_px"], document["summary"][0]["overlap_px"]) == (150, 50)
    (pair,) = document["relations"]
    assert pair["overlap_px"] == 50 and pair["contact_length_px"] is None and pair["share_of_a_in_b"] == 0.5


@pytest.mark.parametrize(
    ("kind", "text"),
    [("absent", "absent.png"), ("soft", "not whole numbers"), ("colours", "different channels"), ("text", "no image"),
     ("boxes", "manifest")],
)
def test_what_is_no_label_map_is_one_line(here: Here, tmp_path: Path, kind: str, text: str) -> None:
    path = tmp_path / "absent.png"
    if kind == "soft":
        path = nifti(tmp_path / "soft.nii.gz", np.full((3, 4, 5), 0.3, np.float32), np.eye(4))
    elif kind == "colours":
        path = png(tmp_path / "colours.png", np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8))
    elif kind == "text":
        path = tmp_path / "notes.dat"
        path.write_text("hello", encoding="utf-8")
    elif kind == "boxes":
        path = tmp_path / "boxes.xml"
        path.write_text("<annotation><size><width>9</width><height>9</height></size></annotation>", encoding="utf-8")
        done = here("measure", path, "--frame", "phase")
        assert done.returncode == 2 and text in done.stderr
        return
    done = here("measure", path)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr
    if kind != "text":
        assert text in done.stderr


def test_what_lies_there_stays_and_many_pairs_need_a_reach(here: Here, tmp_path: Path) -> None:
    labels = png(tmp_path / "labels.png", two_squares())
    out = tmp_path / "t.csv"
    out.write_text("mine", encoding="utf-8")
    done = here("measure", labels, "-o", out)
    assert done.returncode == 1 and "--overwrite" in done.stderr and out.read_text(encoding="utf-8") == "mine"
    assert here("measure", labels, "-o", out, "--overwrite").returncode == 0 and len(rows(out)) == 2
    many = np.kron(np.arange(100, dtype=np.uint8).reshape(10, 10), np.pad(np.ones((2, 2), np.uint8), (0, 2)))
    path = png(tmp_path / "many.png", many)
    done = here("measure", path, "--relations")
    assert done.returncode == 1 and "--reach" in done.stderr
    near = json.loads(here("measure", path, "--reach", "2", "--json").stdout)
    assert len(near["relations"]) == 2 * 9 * 10 - 2
