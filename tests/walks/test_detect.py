"""Boxes from a folder to a report through the command line, by classical methods, and what can be wrong with boxes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter import io
from isocenter.data import Image
from isocenter.simulate import cohort

Here = Callable[..., subprocess.CompletedProcess[str]]
N, SIDE = 16, 48
METHODS = ("clusters", "region_growing", "template")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fields of small and large cells with a VOC file each; the sixth holds none."""
    folder = tmp_path_factory.mktemp("boxes") / "boxes"
    (folder / "images").mkdir(parents=True)
    rows = ["image,boxes,subject,stain,split"]
    for i, case in enumerate(cohort(N, seed=1, kind="cells", task="detect", shape=(SIDE, SIDE))):
        io.write(case.image(), folder / "images" / f"{i:02d}.png")
        io.write(case.truth(), folder / f"{i:02d}.xml", like=case.image())
        split = "train" if i < 6 else "val" if i < 9 else "test"
        rows.append(f"images/{i:02d}.png,{i:02d}.xml,Quastenberg{i:02d},{'AB'[i % 2]},{split}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps({"format": 1, "subject": "subject"}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bundle(field: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clusters whose fields and classes were learnt on train."""
    path = tmp_path_factory.mktemp("bundles") / "cells.bundle"
    iso.train("detect", field, method="clusters", out=path, threads=1)
    return path


def test_a_check_counts_the_boxes_and_names_the_next_command(here: Here, field: Path) -> None:
    said = here("check", field)
    assert said.returncode == 0, said.stderr
    assert "objects (" in said.stdout and "small" in said.stdout and "yolo (estimate" in said.stdout
    assert f"isocenter train detect {field} -o BUNDLE" in said.stdout.splitlines()[-1]


def test_an_evaluation_by_stain_with_its_report(here: Here, field: Path, bundle: Path, tmp_path: Path) -> None:
    said = here("evaluate", bundle, field, "--by", "stain", "-o", tmp_path / "report", "--threads", "1", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert set(found["by"]) == {"stain A", "stain B"} and found["n_cases"] == 7
    assert {"small", "large", "all", "object"} <= set(found["metrics"]["ap50"])
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    for words in ("obj truth found", "Precision over recall", "Free-response", "By class", "By size"):
        assert words in page, words
    assert "Quastenberg" not in page


def test_classical_methods_stand_in_one_table(here: Here, field: Path, tmp_path: Path) -> None:
    said = here(
        "compare", "detect", field, "--methods", ",".join(METHODS), "-o", tmp_path / "report", "--threads", "1",
        "--json",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert set(found["methods"]) == set(METHODS) and found["best"] in METHODS
    assert {t["metric"] for t in found["tests"]} == {"ap50"}
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in METHODS) and "obj answer" in page and "Quastenberg" not in page


def test_a_prediction_counts_each_class(here: Here, field: Path, bundle: Path, tmp_path: Path) -> None:
    said = here("predict", bundle, field / "images" / "00.png", "-o", tmp_path / "out", "--as", "voc", "--threads", "1")
    assert said.returncode == 0, said.stderr
    assert "00.png: boxes " in said.stdout and "small " in said.stdout and "large " in said.stdout
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"00.csv", "00.json", "00.xml", "00_overlay.png"}
    listed = here("methods", "detect")
    assert all(name in listed.stdout for name in (*METHODS, "yolo", "given"))


def annotated(folder: Path, *boxes: tuple[str, int, int, int, int], about: dict[str, object] | None = None) -> Path:
    """Two images: a bright square with these boxes in a VOC file, and an empty one of another size in colour."""
    folder.mkdir()
    image = np.full((40, 48), 20, np.uint8)
    image[10:20, 10:20] = 200
    io.write(Image.from_array(image), folder / "a.png")
    io.write(Image.from_array(np.full((3, 32, 24), 20, np.uint8), axes="cyx"), folder / "b.png")
    items = "".join(
        f"<object><name>{n}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for n, a, b, c, d in boxes
    )
    for name, inside in (("a", items), ("b", "")):
        (folder / f"{name}.xml").write_text(f"<annotation>{inside}</annotation>", encoding="utf-8")
    (folder / "manifest.csv").write_text(
        "image,boxes,subject,split\na.png,a.xml,p,test\nb.png,b.xml,q,test\n", encoding="utf-8"
    )
    if about is not None:
        truth = {"detect": {"column": "boxes", **about}}
        (folder / "cases.json").write_text(json.dumps({"format": 1, "truth": truth}), encoding="utf-8")
    return folder


GOOD = ("cell", 11, 11, 20, 20)
OUTSIDE, FLAT, CUT = ("cell", 100, 100, 120, 120), ("cell", 5, 5, 5, 9), ("cell", 40, 30, 60, 38)


def test_useless_boxes_are_named_and_left_out(here: Here, tmp_path: Path) -> None:
    folder = annotated(tmp_path / "bad", GOOD, OUTSIDE, FLAT)
    said = here("check", folder)
    assert said.returncode == 0 and "was left out" in said.stdout
    assert "without area" in said.stdout and "outside" in said.stdout
    scored = here("evaluate", "detect/clusters", folder, "--threads", "1", "--json")
    assert scored.returncode == 0, scored.stderr
    found = json.loads(scored.stdout)
    # The image without boxes is one of the two; of the first the one good box is found.
    assert found["n_cases"] == 2 and found["metrics"]["recall_50"]["cell"]["value"] == 1.0


def test_or_they_refuse_the_set_when_that_is_asked_for(here: Here, tmp_path: Path) -> None:
    folder = annotated(tmp_path / "strict", GOOD, FLAT, about={"invalid": "refuse"})
    said = here("evaluate", "detect/clusters", folder, "--threads", "1")
    assert said.returncode == 1 and "without area" in said.stderr and len(said.stderr.strip().splitlines()) == 1
    assert "without area" in here("check", folder).stdout


def test_a_box_that_leaves_the_image_is_cut_and_told(here: Here, tmp_path: Path) -> None:
    said = here("check", annotated(tmp_path / "cut", GOOD, CUT))
    assert said.returncode == 0 and "was cut at its border" in said.stdout


def test_a_class_beyond_the_declared_ones_is_refused_by_name(here: Here, tmp_path: Path) -> None:
    folder = annotated(tmp_path / "beyond", GOOD, ("bubble", 30, 5, 35, 9), about={"labels": {"cell": "cell"}})
    said = here("evaluate", "detect/clusters", folder, "--threads", "1")
    assert said.returncode != 0 and "bubble" in said.stderr + said.stdout and "Traceback" not in said.stderr
