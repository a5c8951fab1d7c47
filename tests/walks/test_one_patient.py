"""One patient's images, and every bundle that there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data as pictures

Run = Callable[..., CompletedProcess[str]]


def test_a_smear_is_answered_by_what_was_made_for_it(
    command: Run, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    image = sorted((real_data("blood-cells-bccd") / "images").iterdir())[0]
    done = command("predict", "--all", image, "-o", tmp_path / "page")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("blood-cells: ") and "ap50 0.893 (0.825 to 0.945)" in lines[0]
    assert sum(": refused: " in line for line in lines) == 3 and lines[-1].startswith("next: isocenter predict blood-")
    assert (tmp_path / "page" / "answers" / "blood-cells").is_dir()


def test_shipped_bundles_refuse_what_they_were_not_made_for(here: Run, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("chelsea", "coffee", "rocket"):
        Pillow.fromarray(getattr(pictures, name)()).save(folder / f"{name}.png")
    done = here("predict", "--all", folder, "-o", tmp_path / "page", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["n_answered"] == 0 and {a["status"] for a in told["asked"]} == {"refused"} and len(told["asked"]) == 12
    assert (tmp_path / "page" / "report.html").is_file()


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
