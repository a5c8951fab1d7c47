"""One patient's images, and every bundle that there is."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data as pictures

from isocenter.bundle import shipped

Run = Callable[..., CompletedProcess[str]]


def test_a_smear_is_answered_by_what_was_made_for_it(
    command: Run, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    image = sorted((real_data("blood-cells-bccd") / "images").iterdir())[0]
    done = command("predict", "--all", image, "-o", tmp_path / "page")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("blood-cells: ") and "ap50 0.893 (0.825 to 0.945)" in lines[0]
    assert sum(": refused: " in line for line in lines) == len(shipped()) - 1
    assert lines[-1].startswith("next: isocenter predict blood-")
    assert (tmp_path / "page" / "answers" / "blood-cells").is_dir()


def test_shipped_bundles_refuse_what_they_were_not_made_for(here: Run, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("chelsea", "coffee", "rocket"):
        Pillow.fromarray(getattr(pictures, name)()).save(folder / f"{name}.png")
    done = here("predict", "--all", folder, "-o", tmp_path / "page", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["n_answered"] == 0 and len(told["asked"]) == 3 * len(shipped())
    assert {a["status"] for a in told["asked"]} == {"refused"}
    assert (tmp_path / "page" / "report.html").is_file()


def test_a_childs_chest_film_is_asked_for_pneumonia(
    here: Run, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Two films of the set's test folder: a probability each, and how often such answers were right on val."""
    folder = real_data("chest-xray-pneumonia")
    rows = list(csv.DictReader((folder / "manifest.csv").read_text(encoding="utf-8").splitlines()))
    test = [r for r in rows if r["split"] == "test"]
    films = [next(r["image"] for r in test if r["subtype"] == kind) for kind in ("bacteria", "normal")]
    done = here("predict", "--all", *(folder / film for film in films), "-o", tmp_path / "page", "--json")
    told = [a for a in json.loads(done.stdout)["asked"] if a["bundle"] == "chest-pneumonia"]
    assert [a["status"] for a in told] == ["answered", "answered"]
    assert told[0]["answer"] == "pneumonia" and all(0.5 <= a["probability"] <= 1 for a in told)
    assert all("right decisions on val" in a["interval"]["text"] for a in told)


def test_chest_films_are_no_nuclei(here: Run, real_data: Callable[[str], Path], tmp_path: Path) -> None:
    films = sorted((real_data("chest-xray-pneumonia") / "images").rglob("*.*"))[::40][:12]
    done = here("predict", "nuclei", *films, "-o", tmp_path / "out", "--json")
    told = [item["status"] for item in json.loads(done.stdout)["items"]]
    assert told.count("not evaluated") >= 11


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("letter.txt", b"Dear colleague", "unknown kind of file"), ("gone.png", None, "no such file")],
)
def test_what_is_no_image(here: Run, tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = here("predict", "--all", tmp_path / name, "-o", tmp_path / "page")
    assert done.returncode == 1 and said in done.stderr and "Name an image" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "page").exists()


def test_words_that_do_not_fit(here: Run, tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    assert here("predict", "nuclei", "-o", tmp_path / "out").returncode == 2
    done = here("predict", "nuclei", tmp_path / "a.png", "-o", tmp_path / "out", "--bundles", tmp_path)
    assert done.returncode == 2 and "--all" in done.stderr
    done = here("predict", "--all", tmp_path / "a.png", "-o", tmp_path / "out", "--bundles", tmp_path)
    assert done.returncode == 1 and "isocenter train" in done.stderr
