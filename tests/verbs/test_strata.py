"""Strata as tables for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

import isocenter as iso
from isocenter.data import Boxes, Case, Cases, Geometry, Segmentation
from isocenter.verbs._strata import strata_json, strata_lines


class Bright:
    def predict(self, case: Case) -> Segmentation:
        image = case.image()
        return Segmentation((image.pixels() > 110).astype(np.uint8), ("background", "square"), image.geometry)


class Whole:
    """Answers the true boxes of one class alone."""

    def predict(self, case: Case) -> Boxes:
        truth = case.truth()
        assert isinstance(truth, Boxes)
        kept = truth.labels == 0
        return Boxes(truth.edges[kept], truth.labels[kept], truth.classes, truth.geometry, np.ones(kept.sum()))


def test_regions_by_size(squares: Cases) -> None:
    scores = iso.evaluate(Bright(), squares, threads=1)
    lines = strata_lines(scores)
    assert any(line.startswith("size of the region") for line in lines)
    assert any("size up to 36 px" in line for line in lines)
    # One class has no frequency worth a table.
    assert not any(line.startswith("classes") for line in lines)
    said = strata_json({"all": scores})["all"]
    assert said["n_cases"] == 8 and said["n_subjects"] == 4 and said["classes"][0]["cases"] == 8
    assert {t: s["n"] for t, s in said["sizes"].items()} == {"smallest third": 4, "middle third": 4}
    assert json.dumps(said, allow_nan=False)


def boxed() -> Cases:
    grid = Geometry((40, 40))
    edges = np.array([[[0, 0], [8, 8]], [[10, 10], [18, 18]], [[20, 20], [30, 30]]]) - 0.5
    truth = Boxes(edges, np.array([0, 0, 1]), ("red", "white"), grid)
    made = Cases.from_arrays(np.zeros((4, 40, 40)), splits=["test"] * 4)
    opened = {e.id: e.open for e in made.entries}
    entries = tuple(
        replace(e, open=lambda i=e.id: replace(opened[i](), load_truth=lambda: truth), notes={"stain": "AB"[k % 2]})
        for k, e in enumerate(made.entries)
    )
    return replace(made, entries=entries, task="detect", classes=("red", "white"), tasks=("detect",))


def test_objects_by_class_within_each_group() -> None:
    made = iso.evaluate(Whole(), boxed(), by="stain", threads=1)
    text = made.lines()
    assert text.count("classes, the rarest first") == 3
    row = next(line.split() for line in text if line.startswith("white") and len(line.split()) >= 8)
    assert row[:6] == ["white", "4", "4", "0", "0", "0.000"]
    said = made.as_json()["strata"]
    assert set(said) == {"all", "stain A", "stain B"}
    assert [c["true"] for c in said["stain A"]["classes"]] == [2, 4]
    assert said["stain A"]["n_cases"] == 2 and said["all"]["sizes"]["largest third"]["value"] == 0.0
