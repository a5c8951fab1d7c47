"""The table of cases as a whole: DESIGN section 2, and every set that declares itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Cases, Instances, Probabilities, Segmentation, Tracks
from isocenter.errors import AmbiguousError, GeometryError, InputError, LabelError, MissingFileError, TableError
from isocenter.layouts import table

HALF = np.tile(np.array([0, 0, 0, 255, 255], np.uint8), (4, 1))


def test_a_table_may_be_named_or_found(segmented: Callable[..., Path], folder: Any) -> None:
    path = segmented(HALF)
    for data in (path, path / "manifest.csv", str(path)):
        cases = layouts.read(data, task="segment")
        assert (len(cases), cases.layout, cases.table) == (1, "table", str(path / "manifest.csv"))
    folder.csv([["image"], ["images/0.png"]], "second.csv")
    assert layouts.read(path).table.endswith("manifest.csv")
    (path / "manifest.csv").rename(path / "first.csv")
    with pytest.raises(AmbiguousError, match=r"first.csv and second.csv"):
        layouts.read(path)
    folder.json({"format": 1, "table": "second.csv"})
    assert layouts.read(path).table.endswith("second.csv")
    assert layouts.read(path / "cases.json").table.endswith("second.csv")


def test_rows_of_train_without_a_mask_are_cases_where_asked(segmented: Callable[..., Path], folder: Any) -> None:
    path = segmented(HALF, HALF, HALF, HALF)
    rows = [line.split(",") for line in (path / "manifest.csv").read_text(encoding="utf-8").split()]
    for i, split in ((5, "train"), (6, "val"), (7, "")):
        rows.append([folder.png(f"images/{i}.png", np.full((4, 5), i, np.uint8)), "", f"p{i}", split])
    folder.csv(rows)
    plain = layouts.read(path, task="segment")
    assert (len(plain), plain.unused) == (4, {"no truth in column 'mask'": 3})
    found = layouts.with_unlabelled(path, task="segment")
    assert (len(found), found.unused) == (5, {"no truth in column 'mask'": 2})
    last = found.entries[-1]
    assert last.unlabelled and last.split == "train" and "truth" not in last.files
    assert found[4].truth() is None and int(found[4].image().pixels()[0, 0]) == 5
    assert len(found.labelled) == 4 and found.classes == plain.classes
    assert not any(e.unlabelled for e in layouts.with_unlabelled(path).entries)


def test_a_table_without_images_is_not_a_manifest(folder: Any) -> None:
    folder.csv([["patient", "age"], ["1", "2"]], "clinic.csv")
    folder.png("a.png")
    assert layouts.read(folder.path).layout == "image_folder"


def test_declared_table_that_is_gone(folder: Any) -> None:
    folder.json({"format": 1, "table": "gone.csv"})
    with pytest.raises(MissingFileError, match=r"gone.csv"):
        layouts.read(folder.path)
    (folder.path / "cases.json").write_text('{"format": 1}')
    with pytest.raises(MissingFileError, match="no table of cases"):
        layouts.read(folder.path)


def test_a_missing_file_names_the_row(segmented: Callable[..., Path]) -> None:
    path = segmented(HALF, HALF, HALF)
    (path / "masks/1.png").unlink()
    with pytest.raises(TableError, match=r"row 3 names a file that is not there.*mask masks/1.png"):
        layouts.read(path, task="segment")
    # Another question does not need the masks.
    assert len(layouts.read(path)) == 3
    cases = layouts.survey(path, task="segment")
    assert len(cases) == 2 and cases.unused == {"a file is not there": 1}
    assert [(p.code, p.severity) for p in cases.problems] == [("table", "error")]


def test_an_empty_truth_leaves_the_row_out_and_counts_it(folder: Any) -> None:
    rows = [["image", "label"], *([folder.png(f"{i}.png"), label] for i, label in enumerate(("a", "", "b")))]
    folder.csv(rows)
    cases = layouts.read(folder.path, task="classify")
    assert len(cases) == 2 and cases.unused == {"no truth in column 'label'": 1}
    assert [e.labels for e in cases.entries] == [("a",), ("b",)]
    folder.csv([["image", "label"], ["0.png", ""]])
    with pytest.raises(TableError, match="no truth for classify"):
        layouts.read(folder.path, task="classify")
    with pytest.raises(TableError, match="no row can be used"):
        layouts.read(folder.path, task="classify", target="label")


def test_unknown_patients_are_told(folder: Any) -> None:
    folder.csv([["image", "subject"], [folder.png("a.png"), ""], [folder.png("b.png"), "p"]])
    cases = layouts.read(folder.path)
    assert "patients unknown: 1 of 2" in cases.problems[0].what and not cases.subjects_known
    assert cases.n_subjects == 2


@pytest.mark.parametrize("name", ["patient_id", "PatientID", "患者编号", "MRN"])
def test_a_column_that_seems_to_name_the_patients_is_told_of_and_not_taken(folder: Any, name: str) -> None:
    folder.csv([["image", name], [folder.png("a.png"), "p"], [folder.png("b.png"), "p"]])
    cases = layouts.read(folder.path)
    problem = next(p for p in cases.problems if p.code == "patients-unknown")
    assert problem.severity == "warning" and f"pass --group {name}" in problem.remedy and cases.n_subjects == 2
    assert not any(p.code == "patients-unknown" for p in layouts.read(folder.path, group=name).problems)


def test_other_values_of_split_are_listed(folder: Any) -> None:
    folder.csv([["image", "split"], [folder.png("a.png"), "demo"], [folder.png("b.png"), "train"]])
    cases = layouts.read(folder.path)
    assert cases.splits == {"demo": 1, "train": 1} and any(p.code == "split-other" for p in cases.problems)


def test_labels_outside_the_set_are_refused_when_the_truth_is_read(segmented: Callable[..., Path]) -> None:
    declared = {"format": 1, "truth": {"segment": {"column": "mask", "labels": {"background": 0, "lung": 255}}}}
    odd = HALF.copy()
    odd[0, 0] = 7
    cases = layouts.read(segmented(HALF, odd, declared=declared), task="segment")
    assert cases.classes == ("lung",) and cases.codes == {"background": 0, "lung": 255}
    assert isinstance(cases[0].truth(), Segmentation)
    with pytest.raises(LabelError, match=r"7 \(1 pixel\)"):
        cases[1].truth()


def test_undeclared_labels_are_learnt_from_all_files(segmented: Callable[..., Path]) -> None:
    assert layouts.read(segmented(HALF), task="segment").codes == {"background": 0, "foreground": 255}
    assert layouts.read(segmented(HALF, HALF // 255 * 3), task="segment").classes == ("3", "255")


def test_a_label_of_another_shape_is_refused(segmented: Callable[..., Path]) -> None:
    cases = layouts.read(segmented(HALF[:3]), task="segment")
    with pytest.raises(GeometryError, match="another grid"):
        cases[0].truth()


def test_allowed_geometry_is_repaired(folder: Any) -> None:
    mask = np.ones((2, 3, 4), np.uint8)
    moved = np.diag([1.0, 1.0, 1.0, 1.0])
    moved[0, 3] = 3.0
    folder.csv([["image", "mask"], [folder.nifti("i.nii.gz"), folder.nifti("m.nii.gz", mask, affine=moved)]])
    with pytest.raises(GeometryError, match="3 mm"):
        layouts.read(folder.path, task="segment")[0].truth()
    folder.json({"format": 1, "allow": {"geometry": "the header was lost on export"}})
    cases = layouts.read(folder.path, task="segment")
    assert isinstance(cases[0].truth(), Segmentation) and "geometry" in cases.allow


def test_joined_tables_bring_truth_and_facts(folder: Any) -> None:
    folder.csv([["image", "split"], [folder.png("a.png"), "train"], [folder.png("b.png"), "test"]])
    folder.csv([["image", "split", "icu", "age"], ["b.png", "test", "Y", "50"], ["a.png", "train", "N", "40"]], "c.csv")
    folder.json({
        "format": 1, "table": "manifest.csv", "tables": [{"file": "c.csv", "on": "image"}], "facts": ["age"],
        "truth": {"classify": {"column": "icu", "positive": "Y"}},
    })
    cases = layouts.read(folder.path, task="classify")
    assert cases.classes == ("N", "Y") and cases.positive == "Y" and [c.facts["age"] for c in cases] == [40.0, 50.0]
    truth = cases[1].truth()
    assert isinstance(truth, Probabilities) and truth.label == "Y"


def test_words_of_the_caller_win(folder: Any) -> None:
    rows = [[folder.png("a.png"), "a", "x", "s"], [folder.png("b.png"), "b", "y", "s"]]
    folder.csv([["image", "label", "other", "site"], *rows])
    folder.json({"format": 1, "truth": {"classify": {"column": "label", "positive": "a"}}, "facts": ["label"]})
    cases = layouts.read(folder.path, task="classify", target="other", positive="x", group="site", facts=("site",))
    assert (cases.classes, cases.positive, cases.n_subjects) == (("x", "y"), "x", 1)
    assert cases[0].facts == {"site": "s"}
    assert layouts.read(folder.path, task="classify").positive == "a"


def test_cases_json_holds_for_another_table_of_the_same_columns(segmented: Callable[..., Path], folder: Any) -> None:
    declared = {"format": 1, "table": "manifest.csv", "truth": {"segment": {"column": "mask", "labels": {"lung": 255}}}}
    path = segmented(HALF, declared=declared)
    folder.text("split.csv", (path / "manifest.csv").read_text())
    assert layouts.read(path / "split.csv", task="segment").classes == ("lung",)
    folder.csv([["image", "label"], ["images/0.png", "1"]], "other.csv")
    cases = layouts.read(path / "other.csv", task="classify")
    assert cases.classes == ("1",) and any(p.code == "cases-json" for p in cases.problems)


def test_candidates_prefer_a_manifest(segmented: Callable[..., Path], folder: Any) -> None:
    path = segmented(HALF)
    folder.csv([["image"], ["a.png"]], "~lock.csv")
    folder.csv([["image"], ["a.png"]], "MANIFEST.tsv", "\t")
    assert [p.name for p in table.candidates(path)] == ["MANIFEST.tsv", "manifest.csv"]
    with pytest.raises(AmbiguousError):
        layouts.read(path)


# Per set and task: cases by split, classes, the positive class, rows left out.
SETS: dict[tuple[str, str], tuple[dict[str, int], tuple[str, ...], str | None, int]] = {
    ("adrenal-shape-3d", "classify"): ({"train": 1188, "val": 98}, ("0", "1"), "1", 0),
    ("breast-us-busi", "segment"): ({"train": 74, "val": 17, "test": 31}, ("lesion",), None, 0),
    ("breast-us-busi", "classify"): (
        {"train": 74, "val": 17, "test": 31}, ("benign", "malignant", "normal"), "malignant", 0
    ),
    ("cardiac-mr-sunnybrook", "segment"): ({"train": 165, "val": 31, "test": 75}, ("left_ventricle",), None, 0),
    ("cells-tracking-cellphe", "track"): ({"train": 1, "test": 1}, ("object",), None, 0),
    ("cells-tracking-cellphe", "instances"): ({"train": 24, "test": 24}, ("object",), None, 0),
    ("chest-xray-lungs", "segment"): ({"train": 43, "val": 7, "test": 16}, ("lung",), None, 0),
    ("chest-xray-lungs", "classify"): ({"train": 41, "val": 7, "test": 16}, ("N", "Y"), "Y", 2),
    ("chest-xray-pneumonia", "classify"): (
        {"train": 1000, "val": 200, "test": 286}, ("normal", "pneumonia"), "pneumonia", 0
    ),
    ("msd-hippocampus", "segment"): ({"train": 160, "val": 20, "test": 20}, ("anterior", "posterior"), None, 0),
    ("retina-chase-db1", "segment"): ({"train": 14, "val": 2, "test": 4}, ("vessel",), None, 0),
    ("sts-pet-ct-mr", "segment"): ({"train": 22, "val": 5, "test": 7}, ("tumour",), None, 0),
    ("sts-pet-ct-mr", "classify"): ({"train": 22, "val": 5, "test": 7}, ("0", "1"), "1", 0),
}
SUBJECTS = {"cardiac-mr-sunnybrook": 16, "chest-xray-lungs": 34, "retina-chase-db1": 10, "sts-pet-ct-mr": 34,
            "cells-tracking-cellphe": 1, "chest-xray-pneumonia": 956}


@pytest.mark.parametrize(("name", "task"), list(SETS))
def test_every_declared_set(real_data: Callable[[str], Path], name: str, task: str) -> None:
    splits, classes, positive, left_out = SETS[name, task]
    cases = layouts.read(real_data(name), task=task)
    declared = json.loads((real_data(name) / "cases.json").read_text(encoding="utf-8"))["truth"]
    assert task in cases.tasks and set(declared) <= set(cases.tasks)
    assert dict(sorted(cases.splits.items())) == dict(sorted(splits.items()))
    assert (cases.classes, cases.positive, sum(cases.unused.values())) == (classes, positive, left_out)
    if task == "segment" or name not in SUBJECTS:
        assert cases.n_subjects == SUBJECTS.get(name, len(cases))
    assert len({e.id for e in cases.entries}) == len(cases)
    case = cases[len(cases) // 2]
    assert case.image().pixels().shape == case.image().shape
    truth = case.truth()
    if task == "segment":
        assert isinstance(truth, Segmentation) and truth.geometry == case.image().geometry
        assert truth.regions == classes
    elif task == "classify":
        assert isinstance(truth, Probabilities) and (truth.label,) == cases.entries[len(cases) // 2].labels
    elif task == "instances":
        assert isinstance(truth, Instances) and truth.classes == classes and len(truth) > 10
    elif task == "track":
        assert isinstance(truth, Tracks) and truth.length == case.image().length("t") and len(truth.tracks) > 50
    else:
        assert truth is None


def test_roles_of_one_exam(real_data: Callable[[str], Path]) -> None:
    cases = layouts.read(real_data("sts-pet-ct-mr"), task="segment")
    first = cases[0]
    assert set(first.images) == {"PET", "CT", "MR_T1"} and first.lead == "PET"
    ct = layouts.read(real_data("sts-pet-ct-mr"), task="segment", role="CT")
    assert len(ct) == 10 and ct.unused == {"no image 'CT'": 24} and ct[0].lead == "CT"
    truth = ct[0].truth()
    assert isinstance(truth, Segmentation) and truth.labels.shape == ct[0].image("CT").shape


def test_the_second_observer_is_given(real_data: Callable[[str], Path]) -> None:
    cases = layouts.read(real_data("retina-chase-db1"), task="segment")
    first, second = cases[0].truth(), cases[0].given("mask_second_observer")
    assert isinstance(first, Segmentation) and isinstance(second, Segmentation)
    both = int((first.mask("vessel") & second.mask("vessel")).sum())
    assert 2 * both / int(first.mask("vessel").sum() + second.mask("vessel").sum()) > 0.7


def test_lungs_bring_ignored_pixels_and_facts(real_data: Callable[[str], Path]) -> None:
    cases = layouts.read(real_data("chest-xray-lungs"), task="segment")
    held = [t for c in cases if isinstance(t := c.truth(), Segmentation) and (t.labels == 255).any()]
    facts = {"sex", "po2_saturation", "neutrophil_count", "lymphocyte_count_on_admission"}
    assert held and set(cases[0].facts) == facts


def test_one_film_split_by_time_is_allowed_with_its_reason(real_data: Callable[[str], Path]) -> None:
    cases: Cases = layouts.read(real_data("cells-tracking-cellphe"))
    assert cases.allow == {"leakage": "one film, split by time"}
    assert cases[1].image().shape == (24, 615, 615)


@pytest.mark.parametrize("text", ['{"format": 2}', "{", '{"format": 1, "splt": "x"}'])
def test_a_broken_declaration_is_one_refusal(segmented: Callable[..., Path], text: str) -> None:
    path = segmented(HALF)
    (path / "cases.json").write_text(text)
    with pytest.raises(InputError) as error:
        layouts.read(path, task="segment")
    assert "\n" not in error.value.line()


def test_a_cases_json_without_a_table_speaks_of_annotations_beside_it(folder: Any) -> None:
    folder.png("JPEGImages/a.png", np.zeros((10, 20), np.uint8))
    box = "<bndbox><xmin>4</xmin><ymin>4</ymin><xmax>4</xmax><ymax>9</ymax></bndbox>"
    folder.text("Annotations/a.xml", f"<annotation><object><name>wbc</name>{box}</object></annotation>")
    folder.json({"format": 1, "truth": {"detect": {"invalid": "drop", "labels": {"cell": ["wbc", "rbc"]}}}})
    found = layouts.read(folder.path, task="detect")
    assert found.layout == "voc" and found.classes == ("cell",)
    folder.json({"format": 1, "truth": {"detect": {"invalid": "refuse"}}})
    with pytest.raises(LabelError, match="without area"):
        layouts.read(folder.path, task="detect")
    folder.json({"format": 1, "table": "gone.csv"})
    assert table.claims(folder.path)
