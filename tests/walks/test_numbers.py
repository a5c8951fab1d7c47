"""A number from a column of a table: learnt, answered with its interval, scored by site, compared with a reader."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs whose radius is five times the age; one row without an age."""
    folder, rng = tmp_path_factory.mktemp("aged"), np.random.default_rng(0)
    rows = [["image", "subject", "split", "age", "site", "reader"]]
    y, x = np.mgrid[:40, :40]
    for i in range(60):
        radius, centre = rng.uniform(3, 13), rng.uniform(16, 24, 2)
        image = rng.normal(60, 6, (40, 40)) + 70 * ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2)
        PIL.Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")
        split = "train" if i < 30 else "val" if i < 40 else "test"
        age = "" if i == 5 else f"{5 * radius:.1f}"
        rows.append([f"{i}.png", f"p{i}", split, age, "AB"[i % 2], f"{5 * radius + rng.normal(0, 4):.1f}"])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "cases.json").write_text(json.dumps(
        {"format": 1, "truth": {"regress": {"column": "age", "unit": "years"}}}))
    return folder


def document(text: str) -> dict[str, Any]:
    return json.loads(text)


def test_from_a_column_to_an_answer(here: Callable[..., Any], aged: Path, tmp_path: Path) -> None:
    checked = here("check", aged)
    assert checked.returncode == 0 and "train 30" not in checked.stdout
    assert "age 29" in checked.stdout and "1 row: no truth in column 'age'" in checked.stdout
    bundle = tmp_path / "age.bundle"
    done = here("train", "regress", aged, "--method", "linear", "-o", bundle, "--threads", 1)
    assert done.returncode == 0 and "90% of 10 cases of val are nearer" in done.stdout, done.stderr
    out = tmp_path / "out"
    assert here("predict", bundle, aged / "50.png", "-o", out).returncode == 0
    [item] = document((out / "predictions.json").read_text())["items"]
    answer = item["answer"]
    assert list(answer) == ["age years", "age low", "age high"]
    assert answer["age low"] < answer["age years"] < answer["age high"]


def test_scored_by_site_and_beside_a_reader(here: Callable[..., Any], aged: Path, tmp_path: Path) -> None:
    report = tmp_path / "compared"
    done = here("compare", "regress", aged, "--methods", "linear,mean,given", "--set", "given.column=reader", "-o",
                report, "--threads", 1, "--json")
    assert done.returncode == 0, done.stderr
    found = document(done.stdout)
    values = {m: s["metrics"]["mae"]["age"] for m, s in found["methods"].items()}
    assert values["linear"]["value"] < values["given"]["value"] < values["mean"]["value"]
    assert values["linear"]["unit"] == "years" and values["linear"]["n"] == 20
    assert {t["test"] for t in found["tests"]} == {"paired bootstrap", "wilcoxon"}
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "Answers and truths" in page and "Answer over truth" in page
    done = here("evaluate", "regress/given", aged, "--by", "site", "--set", "column=reader", "--json")
    assert done.returncode == 0, done.stderr
    by = document(done.stdout)["by"]
    assert {name.split()[-1] for name in by} == {"A", "B"} and all(s["mae"]["age"]["n"] == 10 for s in by.values())


def test_text_where_a_number_belongs(here: Callable[..., Any], aged: Path, tmp_path: Path) -> None:
    rows = (aged / "manifest.csv").read_text().splitlines()
    rows[3] = rows[3].replace("train,", "train,old", 1)
    (tmp_path / "odd.csv").write_text("\n".join(rows[:1] + [f"{aged}/{r}" for r in rows[1:]]))
    done = here("evaluate", "regress/given", tmp_path / "odd.csv", "--target", "age", "--set", "column=reader")
    assert done.returncode != 0 and "row 4 holds no number in column 'age'" in done.stderr and "'old" in done.stderr
