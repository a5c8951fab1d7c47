"""Objects from a folder to a report through the command line, and what can be wrong with their truth."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter import io
from isocenter.data import Geometry, Image, Instances
from isocenter.simulate import cohort

Here = Callable[..., subprocess.CompletedProcess[str]]
N, SIDE = 16, 48
STAINS = ("HE", "DAPI")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fields of cells with one number a cell; a second reader merged all of them; the sixth holds none."""
    folder = tmp_path_factory.mktemp("cells") / "cells"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    rows = ["image,instances,second,subject,stain,split"]
    for i, case in enumerate(cohort(N, seed=0, kind="cells", task="instances", shape=(SIDE, SIDE))):
        numbers = case.truth().label_map()
        for name, labels in (("a", numbers), ("b", (numbers > 0).astype(np.int32))):
            objects = Instances.from_label_map(labels, Geometry(numbers.shape))
            io.write(objects, folder / "labels" / f"{name}{i:02d}.tif")
        io.write(case.image(), folder / "images" / f"{i:02d}.png")
        split = "train" if i < 6 else "val" if i < 9 else "test"
        rows.append(
            f"images/{i:02d}.png,labels/a{i:02d}.tif,labels/b{i:02d}.tif,Quastenberg{i:02d},{STAINS[i % 2]},{split}"
        )
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps({"format": 1, "subject": "subject"}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bundle(field: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Watershed whose fields were chosen on train."""
    path = tmp_path_factory.mktemp("bundles") / "cells.bundle"
    iso.train("instances", field, method="watershed_split", out=path, threads=1)
    return path


def test_a_check_counts_the_objects_and_names_the_next_command(here: Here, field: Path) -> None:
    said = here("check", field)
    assert said.returncode == 0, said.stderr
    assert "instances" in said.stdout and "objects (object" in said.stdout and "hold no object" in said.stdout
    assert "contours (estimate" in said.stdout and "detect" in said.stdout
    assert f"isocenter train instances {field} -o BUNDLE" in said.stdout.splitlines()[-1]


def test_a_split_keeps_the_truth(here: Here, field: Path, tmp_path: Path) -> None:
    said = here("split", field, "--test", "0.25", "--val", "0.2", "-o", tmp_path / "s.csv")
    assert said.returncode == 0, said.stderr
    scored = here("evaluate", "instances/watershed_split", tmp_path / "s.csv", "--threads", "1", "--json")
    assert json.loads(scored.stdout)["n_cases"] == 4


def test_an_evaluation_by_stain_with_its_report(here: Here, field: Path, bundle: Path, tmp_path: Path) -> None:
    said = here("evaluate", bundle, field, "--by", "stain", "-o", tmp_path / "report", "--threads", "1", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert set(found["metrics"]) == {"ap50", "ap", "pq", "f1_50", "aji", "recall_50"}
    assert found["metrics"]["ap50"]["object"]["value"] > 0.5 and found["n_cases"] == 7
    assert set(found["by"]) == {"stain HE", "stain DAPI"}
    thirds = [t for t in found["metrics"]["recall_50"] if t.endswith("third")]
    assert len(thirds) == 3 and all("area" in found["metrics"]["recall_50"][t]["flags"][0] for t in thirds)
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "obj truth found" in page and "obj answer hit" in page and "By size" in page
    assert "Quastenberg" not in page
    assert any((tmp_path / "report" / "figures").glob("case-*.svg"))


def test_a_comparison_shows_what_a_second_reader_merged(here: Here, field: Path, tmp_path: Path) -> None:
    said = here(
        "compare", "instances", field, "--methods", "watershed_split,given", "--set", "given.column=second",
        "-o", tmp_path / "report", "--threads", "1", "--json",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    split, given = (found["methods"][m]["metrics"]["ap50"]["object"]["value"] for m in ("watershed_split", "given"))
    assert split > given and found["tests"][0]["metric"] == "ap50"
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "obj answer merge" in page and "several true ones answered as one" in page
    assert "Quastenberg" not in page


def test_a_prediction_counts_and_its_second_run_does_nothing(
    here: Here, field: Path, bundle: Path, tmp_path: Path
) -> None:
    words = ("predict", bundle, field / "images" / "00.png", field / "images" / "05.png", "-o", tmp_path / "out")
    said = here(*words, "--threads", "1")
    assert said.returncode == 0, said.stderr
    assert "00.png: objects " in said.stdout and "mean area px" in said.stdout and said.stdout.count("next: ") == 1
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"00.tif", "00.csv", "00_overlay.png", "predictions.csv"}
    rows = (tmp_path / "out" / "00.csv").read_text(encoding="utf-8").strip().splitlines()
    labels, _ = io.read_labels(str(tmp_path / "out" / "00.tif"))
    assert len(rows) - 1 == labels.max() and f"objects {labels.max()}," in said.stdout
    assert said.stdout.splitlines()[-1].startswith(f"next: isocenter measure {tmp_path / 'out' / '00.tif'} ")
    assert "2 inputs had been answered before" in here(*words, "--threads", "1").stdout


def test_an_edited_answer_comes_back_and_is_scored_as_truth(
    here: Here, field: Path, bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert here("predict", bundle, field / "images" / "00.png", "-o", out, "--threads", "1").returncode == 0
    labels = io.read_labels(out / "00.tif")[0].astype(np.uint16)
    labels[labels == 1] = 0
    io.write(Image.from_array(labels), tmp_path / "edited.tif")
    said = here("correct", out, "00", tmp_path / "edited.tif", "--by", "A. Reader")
    assert said.returncode == 0 and "version 1 by A. Reader" in said.stdout, said.stderr
    scored = here("evaluate", bundle, out / "corrected.csv", "--split", "all", "--threads", "1", "--json")
    # The bundle has studied this very picture, whoever corrects it.
    assert scored.returncode == 1 and "studied" in scored.stderr
    scored = here("evaluate", "instances/watershed_split", out / "corrected.csv", "--split", "all", "--json")
    assert json.loads(scored.stdout)["n_cases"] == 1
    assert here("correct", out, "00", tmp_path / "edited.tif", "--by", "B").returncode == 2


def test_a_method_of_the_task_answers_without_a_bundle(here: Here, field: Path, tmp_path: Path) -> None:
    said = here("predict", "instances/watershed_split", field / "images" / "01.png", "-o", tmp_path / "one.tif")
    assert said.returncode == 0 and (tmp_path / "one.tif").is_file()
    assert "isocenter evaluate instances/watershed_split DATA" in said.stdout
    listed = here("methods", "instances")
    assert all(name in listed.stdout for name in ("watershed_split", "contours", "given"))


def two(folder: Path, first: Image, second: Image, labels: list[np.ndarray], about: dict[str, object]) -> Path:
    """Two images with label maps and what cases.json says."""
    folder.mkdir()
    rows = ["image,instances,subject,split"]
    for i, (image, numbers) in enumerate(zip((first, second), labels, strict=True)):
        io.write(image, folder / f"i{i}.tif")
        io.write(Image.from_array(numbers.astype(np.uint16)), folder / f"l{i}.tif")
        rows.append(f"i{i}.tif,l{i}.tif,p{i},test")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps({"format": 1, "subject": "subject", **about}), encoding="utf-8")
    return folder


def bright(numbers: np.ndarray, channels: int = 1) -> Image:
    pixels = np.where(numbers > 0, 200, 20).astype(np.uint8)
    return Image.from_array(pixels) if channels == 1 else Image.from_array(np.stack([pixels] * channels), axes="cyx")


def squares(shape: tuple[int, int], n: int) -> np.ndarray:
    numbers = np.zeros(shape, np.uint16)
    for i in range(n):
        numbers[4 + 16 * (i // 2) : 14 + 16 * (i // 2), 4 + 16 * (i % 2) : 14 + 16 * (i % 2)] = i + 1
    return numbers


def test_images_of_other_sizes_channels_and_without_objects_are_scored(here: Here, tmp_path: Path) -> None:
    labels = [squares((40, 40), 4), np.zeros((56, 32), np.uint16)]
    folder = two(tmp_path / "mixed", bright(labels[0], 3), bright(labels[1]), labels, {})
    said = here("evaluate", "instances/watershed_split", folder, "--threads", "1", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    # Four of four found in the one, nothing in the other: both count, and both are right.
    score = found["metrics"]["ap50"]["object"]
    assert (found["n_cases"], score["value"], score["n"]) == (2, 1.0, 2)


def test_numbers_beyond_the_declared_ones_are_refused_by_name(here: Here, tmp_path: Path) -> None:
    labels = [squares((40, 40), 4), squares((40, 40), 2)]
    about = {"truth": {"instances": {"column": "instances", "labels": {"background": 0, "cell": 1, "bubble": 2}}}}
    folder = two(tmp_path / "beyond", bright(labels[0]), bright(labels[1]), labels, about)
    checked = here("check", folder, "--task", "instances")
    assert "values outside the declared set" in checked.stdout and "3, 4" in checked.stdout
    said = here("evaluate", "instances/watershed_split", folder, "--threads", "1")
    assert said.returncode != 0 and "3, 4" in said.stderr + said.stdout and "Traceback" not in said.stderr


def test_masks_that_overlap_stay_whole(here: Here, tmp_path: Path) -> None:
    folder = tmp_path / "overlap"
    (folder / "masks").mkdir(parents=True)
    image = np.full((40, 40), 20, np.uint8)
    image[5:25, 5:35] = 200
    io.write(Image.from_array(image), folder / "a.png")
    for name, columns in (("0", slice(5, 22)), ("1", slice(18, 35))):
        mask = np.zeros((40, 40), np.uint8)
        mask[5:25, columns] = 255
        io.write(Image.from_array(mask), folder / "masks" / f"{name}.png")
    (folder / "manifest.csv").write_text("image,instances,subject,split\na.png,masks,p,test\n", encoding="utf-8")
    said = here(
        "evaluate", "instances/watershed_split", folder, "-o", tmp_path / "report", "--threads", "1", "--json"
    )
    assert said.returncode == 0, said.stderr
    # One bright block is answered as one object; each true one, with what it shares, is 17 of its 30 columns.
    found = json.loads(said.stdout)["metrics"]
    assert found["recall_50"]["object"]["value"] == 0.5
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "obj truth missed" in page and "obj answer hit" in page
