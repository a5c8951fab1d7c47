"""Classification with more than two classes, and with several labels at once, from data to report."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases

Run = Callable[..., CompletedProcess[str]]
NAMES = ("top", "middle", "bottom")
TINY = {
    "network": "small",
    "width": 4,
    "study.epochs": 1,
    "study.steps": 2,
    "study.batch_size": 2,
    "study.patch": [32, 32],
}
SPLITS = ["train"] * 14 + ["val"] * 8 + ["test"] * 8
SUBJECTS = [f"p{i // 2}" for i in range(30)]
METHODS = [("linear", {}), ("cnn", TINY)]
each_method = pytest.mark.parametrize(("method", "settings"), METHODS, ids=[m for m, _ in METHODS])


def picture(rng: np.random.Generator, present: tuple[str, ...]) -> np.ndarray:
    """A picture with a bright bar for each name."""
    out = rng.normal(60, 8, (32, 32))
    for k, name in enumerate(NAMES):
        if name in present:
            out[2 + 10 * k : 10 + 10 * k, 4:28] += 80
    return np.clip(out, 0, 255).astype(np.uint8)


def sets_of_names() -> list[tuple[str, ...]]:
    """30 sets of names, in every split each name with and without, and some empty ones."""
    every = [tuple(n for k, n in enumerate(NAMES) if i >> k & 1) for i in range(8)]
    return [every[(3 * i + i // 8) % 8] for i in range(30)]


@pytest.fixture(scope="module")
def several() -> Cases:
    """Any number of three labels at once."""
    rng = np.random.default_rng(0)
    marks = sets_of_names()
    x = np.stack([picture(rng, m) for m in marks])
    y = np.array([[name in m for name in NAMES] for m in marks], int)
    return Cases.from_arrays(x, y, splits=SPLITS, subjects=SUBJECTS, classes=NAMES)


@pytest.fixture(scope="module")
def three() -> Cases:
    """One of three classes."""
    rng = np.random.default_rng(0)
    y = [NAMES[i % 3] for i in range(30)]
    x = np.stack([picture(rng, (name,)) for name in y])
    return Cases.from_arrays(x, y, splits=SPLITS, subjects=SUBJECTS)


def table_of(folder: Path, *, empty: str = ";") -> Path:
    """The cases with several labels as files and a table; `empty` is the cell of a case without any."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    rows = ["image,label,subject,split"]
    for i, marks in enumerate(sets_of_names()):
        iso.write(picture(rng, marks), folder / f"{i}.png")
        rows.append(f"{i}.png,{';'.join(marks) or empty},{SUBJECTS[i]},{SPLITS[i]}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def no_nan(document: dict[str, Any]) -> str:
    return json.dumps(document, allow_nan=False)


@each_method
def test_several_labels_from_training_to_report(
    several: Cases, method: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    if method == "cnn":
        pytest.importorskip("torch")
    bundle = tmp_path / "several.bundle"
    made = iso.train("classify", several, method=method, out=bundle, settings=settings, threads=1)
    assert made.scores is not None and not [p for p in made.problems if p.severity == "error"]
    plan = json.loads((bundle / "plan.json").read_text(encoding="utf-8"))
    assert (plan["plan"] if method == "cnn" else plan)["multilabel"] is True
    scores = iso.evaluate(bundle, several, out=tmp_path / "report", threads=1)
    document = scores.as_json()
    no_nan(document)
    for key in ("auc", "accuracy", "sensitivity", "specificity", "f1", "average_precision", "brier", "log_loss"):
        assert set(document["metrics"][key]) == {*NAMES, "all"}, key
    each = [document["metrics"]["auc"][name]["value"] for name in NAMES]
    assert document["metrics"]["auc"]["all"]["value"] == pytest.approx(np.mean(each))
    if method == "linear":
        assert min(each) == 1.0 and document["metrics"]["accuracy"]["all"]["value"] == 1.0
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in NAMES)
    rows = rows_of(tmp_path / "report" / "cases.csv")
    assert {r["target"] for r in rows} >= set(NAMES)


def test_probabilities_of_several_labels_need_not_sum_to_one(several: Cases) -> None:
    made = iso.train("classify", several, method="linear", threads=1)
    for case, marks in list(zip(several, sets_of_names(), strict=True))[-8:]:
        found = made.predict(case)
        assert found.multilabel and found.decision == marks
        assert sum(found.values) == pytest.approx(len(marks), abs=0.5)


@each_method
def test_one_of_three_classes_from_training_to_report(
    three: Cases, method: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    if method == "cnn":
        pytest.importorskip("torch")
    bundle = tmp_path / "three.bundle"
    iso.train("classify", three, method=method, out=bundle, settings=settings, threads=1)
    scores = iso.evaluate(bundle, three, out=tmp_path / "report", threads=1)
    document = scores.as_json()
    no_nan(document)
    assert set(document["metrics"]["auc"]) == {*NAMES, "all"} and set(document["metrics"]["accuracy"]) == {"all"}
    found = iso.load(bundle).predict(three[25])
    assert not found.multilabel and sum(found.values) == pytest.approx(1) and len(found.decision) == 1
    if method == "linear":
        assert document["metrics"]["accuracy"]["all"]["value"] == 1.0 and found.label == NAMES[25 % 3]


@pytest.mark.parametrize("kind", ["several", "three"])
def test_methods_of_more_than_two_classes_are_compared(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    cases: Cases = request.getfixturevalue(kind)

    class Shy:
        """Answers the same for every case."""

        task, name = "classify", "shy"

        def predict(self, case: Any) -> Any:
            from isocenter.data import Probabilities

            share = 0.5 if kind == "several" else 1 / 3
            return Probabilities(cases.classes, (share,) * 3, kind == "several")

    made = iso.compare("classify", cases, methods=["linear", Shy()], out=tmp_path / "out", threads=1)
    document = made.as_json()
    no_nan(document)
    assert made.best == "linear" and document["methods"]["shy"]["metrics"]["auc"]["all"]["value"] == 0.5
    [difference] = [t for t in document["tests"] if t["metric"] == "auc" and t["target"] == "all"]
    assert difference["difference"] == pytest.approx(0.5) and difference["low"] <= 0.5 <= difference["high"]
    assert (tmp_path / "out" / "report.html").is_file()


def test_folds_of_several_labels(several: Cases) -> None:
    made = iso.compare("classify", several, methods=["linear"], folds=3, threads=1)
    assert len(made.methods["linear"].cases) == 30
    assert made.methods["linear"].metrics["auc"]["all"].value > 0.95


def test_a_table_names_several_labels_in_one_cell(here: Run, tmp_path: Path) -> None:
    folder = table_of(tmp_path / "table")
    looked = here("check", folder, "--task", "classify", "--json")
    assert looked.returncode == 0, looked.stderr
    [said] = [p for p in json.loads(looked.stdout)["problems"] if p["code"] == "several-labels"]
    assert said["severity"] == "note" and "semicolon" in said["what"]
    bundle = tmp_path / "bars.bundle"
    done = here("train", "classify", folder, "--method", "linear", "-o", bundle, "--threads", 1)
    assert done.returncode == 0, done.stderr
    scored = json.loads(here("evaluate", bundle, folder, "--json", "--threads", 1).stdout)
    assert scored["n_cases"] == 8 and set(scored["metrics"]["auc"]) == {*NAMES, "all"}
    assert scored["metrics"]["auc"]["all"]["value"] == 1.0
    done = here("predict", bundle, folder / "29.png", "-o", tmp_path / "answers", "--threads", 1)
    assert done.returncode == 0, done.stderr
    [row] = rows_of(tmp_path / "answers" / "predictions.csv")
    assert row["decision"] == " + ".join(sets_of_names()[29])


def test_an_empty_cell_leaves_the_row_out_and_a_semicolon_says_none(tmp_path: Path) -> None:
    from isocenter import layouts

    whole = layouts.read(table_of(tmp_path / "whole"), task="classify")
    none = sum(not m for m in sets_of_names())
    assert len(whole) == 30 and sum(not e.labels for e in whole.entries) == none > 0
    short = layouts.read(table_of(tmp_path / "short", empty=""), task="classify")
    assert len(short) == 30 - none and list(short.unused.values()) == [none]


def test_a_split_of_several_labels_reads_back_as_it_was(here: Run, tmp_path: Path, several: Cases) -> None:
    from isocenter import layouts

    file = tmp_path / "bars.npz"
    pixels = np.stack([c.image().pixels() for c in several])
    marks = np.array([[n in e.labels for n in NAMES] for e in several.entries], np.uint8)
    np.savez(file, images=pixels, labels=marks)
    line = ("split", file, "--task", "classify", "--test", "0.3", "--val", "0.2")
    done = here(*line, "-o", tmp_path / "t" / "split.csv")
    assert done.returncode == 0, done.stderr
    before, after = (layouts.read(p, task="classify") for p in (file, tmp_path / "t" / "split.csv"))
    assert after.multilabel and after.classes == before.classes and len(after) == 30
    assert [e.labels for e in after.entries] == [e.labels for e in before.entries]
    assert set(after.splits) == {"train", "val", "test"}
