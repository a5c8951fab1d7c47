"""Boxes and instances through evaluate, compare and the report, with methods handed over as objects."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Boxes, Case, Cases, Entry, Geometry, Image, Instances, NotEvaluated
from isocenter.errors import GeometryError, LabelError
from isocenter.report import recompute

CLASSES = ("large", "small")
N = 24


def squares(i: int) -> tuple[np.ndarray, list[int]]:
    """A label map of some squares, and the class of each; every sixth image has none."""
    rng = np.random.default_rng(i)
    numbers = np.zeros((48, 64), np.int32)
    kinds: list[int] = []
    for place in rng.permutation(12)[: 0 if i % 6 == 5 else int(rng.integers(1, 6))]:
        y, x = 16 * (int(place) // 4) + 2, 16 * (int(place) % 4) + 2
        side = int(rng.choice([5, 11]))
        numbers[y : y + side, x : x + side] = len(kinds) + 1
        kinds.append(int(side == 5))
    return numbers, kinds


def opened(i: int, task: str) -> Case:
    numbers, kinds = squares(i)
    pixels = np.random.default_rng(100 + i).normal(60, 6, numbers.shape) + 120 * (numbers > 0)
    image = Image.from_array(np.clip(pixels, 0, 255).astype(np.uint8))
    truth = Instances.from_label_map(numbers, image.geometry, classes=CLASSES, labels=kinds)
    finding: Any = truth.boxes() if task == "detect" else truth
    split = "val" if i < 8 else "test"
    return Case(f"case{i:02d}", {"image": image}, subject=f"p{i}", split=split, load_truth=lambda: finding)


def cases_of(task: str) -> Cases:
    def entry(i: int) -> Entry:
        case = opened(i, task)
        return Entry(case.id, lambda: opened(i, task), case.subject, case.subject, case.split)

    return Cases(tuple(entry(i) for i in range(N)), "squares", task, CLASSES, tasks=(task,))


@dataclass(frozen=True)
class Bright:
    """Bright connected parts, large or small by their side; without classes all are objects."""

    task: str
    named: bool = True
    lost: int = 0

    @property
    def name(self) -> str:
        return "named" if self.named else "nameless"

    def predict(self, case: Case) -> Boxes | Instances | NotEvaluated:
        from scipy import ndimage

        image = case.image()
        numbers, n = ndimage.label(image.pixels() > 120)
        if self.lost and int(case.id[-2:]) % self.lost == 0:
            return NotEvaluated("too shy")
        classes = CLASSES if self.named else ("object",)
        found = Instances.from_label_map(numbers, image.geometry, classes=classes, scores=np.linspace(0.9, 0.5, n))
        kinds = np.asarray(found.areas < 60, np.int64) if self.named else found.labels
        found = Instances(found.starts, found.masks, kinds, classes, image.geometry, found.scores)
        return found.boxes() if self.task == "detect" else found


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_one_method_with_its_report(task: str, tmp_path: Path) -> None:
    made = iso.evaluate(Bright(task), cases_of(task), out=tmp_path / "report", threads=1)
    assert len(made.cases) == 16 and not made.problems
    for key, targets in made.metrics.items():
        # Recall also has thirds of the objects' sizes, of which two stand for two sizes.
        sizes = {t for t in targets if t.endswith("third")}
        assert len(sizes) == (2 if key == "recall_50" else 0)
        assert {t for t in targets if t not in sizes} == {"large", "small", "object", "all"}, key
        assert all(s.value == 1.0 for s in targets.values()), key
        # Without a fault there is still a limit to what so few images show.
        assert all(s.low < 0.95 and s.high == 1.0 for s in targets.values())
    assert json.loads(json.dumps(made.as_json(), allow_nan=False))["task"] == task
    assert any(line.split()[:2] == ["ap50", "small"] for line in made.lines())
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "AP at IoU 0.5" in page and "object" in page
    assert 'class="obj answer hit"' in page and 'class="obj truth missed"' not in page
    assert "Objects found and missed" in page and ("Precision over recall" in page) == (task == "detect")


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_every_number_follows_from_the_cases_alone(task: str, tmp_path: Path) -> None:
    made = iso.evaluate(Bright(task, lost=3), cases_of(task), out=tmp_path / "report", threads=1, abstain="report")
    assert made.metrics["coverage"]["all"].value == pytest.approx(11 / 16)
    assert made.metrics["ap50"]["all"].value < made.metrics["ap50_answered"]["all"].value == 1.0
    again = recompute(tmp_path / "report" / "cases.csv", resamples=2000)[0][1]
    for key, targets in made.metrics.items():
        for target, score in targets.items():
            other = again.metrics[key][target]
            assert (other.value, other.low, other.high, other.n) == (score.value, score.low, score.high, score.n)
    with (tmp_path / "report" / "cases.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {r["metric"] for r in csv.DictReader(file)} == set(made.cases[0].records)


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_a_nameless_method_beside_a_named_one(task: str, tmp_path: Path) -> None:
    methods = {"named": Bright(task, lost=2), "nameless": Bright(task, named=False)}
    made = iso.compare(task, cases_of(task), methods=list(methods.values()), out=tmp_path / "both", threads=1)
    assert {t.target for t in made.tests} == {"object"} and made.best == "nameless"
    assert made.methods["nameless"].metrics["ap50"].keys() == {"object"}
    assert made.methods["named"].metrics["ap50"].keys() == {"large", "small", "object", "all"}
    first = next(t for t in made.tests if t.test == "paired bootstrap")
    assert first.metric == "ap50" and first.difference is not None and abs(first.difference) > 0.3
    assert any("ap50 object" in line for line in made.lines())
    assert (tmp_path / "both" / "report.html").is_file()


@dataclass(frozen=True)
class Changed(Bright):
    """The same answers, with some fields exchanged."""

    change: Callable[[Any], Any] = lambda finding: finding

    def predict(self, case: Case) -> Any:
        return self.change(super().predict(case))


@pytest.mark.parametrize("task", ["detect", "instances"])
def test_answers_that_do_not_fit_are_refused(task: str) -> None:
    other = opened(0, {"detect": "instances", "instances": "detect"}[task]).truth()
    changes: list[tuple[type[Exception], str, Callable[[Any], Any]]] = [
        (LabelError, "one kind", lambda _: other),
        (LabelError, "no class in common", lambda f: replace(f, classes=("round", "square"))),
        (GeometryError, "another grid", lambda f: replace(f, geometry=Geometry((100, 100)))),
    ]
    for error, words, change in changes:
        with pytest.raises(error, match=words):
            iso.evaluate(Changed(task, change=change), cases_of(task), threads=1)
