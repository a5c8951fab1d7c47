from __future__ import annotations

import json
from pathlib import Path

import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import InputError, OutputError, UsageError
from isocenter.verbs.split import split


def test_groups_stay_whole_and_classes_are_shared_out(sizes: Cases) -> None:
    made = split(sizes, test=0.25, val=0.25, seed=1)
    assert sum(made.cases.splits.values()) == 24 and made.table is None
    sides: dict[str, set[str]] = {}
    for entry in made.cases.entries:
        sides.setdefault(entry.subject, set()).add(entry.split)
    assert all(len(s) == 1 for s in sides.values())
    classes = json.loads(json.dumps(made.as_json()))["classes"]
    assert all(set(classes[name]) == {"large", "small"} for name in ("train", "val", "test"))


def test_the_same_seed_deals_the_same(sizes: Cases) -> None:
    one, two, other = (split(sizes, seed=s).cases.entries for s in (4, 4, 5))
    assert [e.split for e in one] == [e.split for e in two] != [e.split for e in other]


def test_a_written_table_is_read_with_its_classes(discs_folder: Path, tmp_path: Path) -> None:
    made = split(discs_folder, out=tmp_path / "s.csv", seed=3)
    assert made.table == tmp_path / "s.csv" and made.lines()[-1] == f"next: isocenter check {made.table}"
    scores = iso.evaluate("segment/histogram", tmp_path / "s.csv", threads=1)
    assert len(scores.cases) == made.cases.splits["test"] and "disc" in scores.metrics["dice"]
    with pytest.raises(OutputError, match="--overwrite"):
        split(discs_folder, out=tmp_path / "s.csv")
    split(discs_folder, out=tmp_path / "s.csv", seed=4, overwrite=True)


def test_what_cannot_be(sizes: Cases, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too few folds"):
        split(sizes, folds=1)
    with pytest.raises(UsageError, match="nothing for train"):
        split(sizes, test=0.6, val=0.5)
    with pytest.raises(InputError, match="too few groups"):
        split(sizes, folds=13)
    with pytest.raises(OutputError):
        split(sizes, out=tmp_path / "s.csv")
    assert list(tmp_path.iterdir()) == []


def test_unknown_patients_are_said(discs_folder: Path) -> None:
    made = split(discs_folder / "images")
    assert any("patients unknown" in line for line in made.lines())


def test_a_table_beside_others_must_be_named_from_then_on(sizes: Cases, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    rows = ["image,label"]
    for i, (case, entry) in enumerate(zip(sizes, sizes.entries, strict=True)):
        iso.write(case.image(), tmp_path / "images" / f"{i}.png")
        rows.append(f"images/{i}.png,{entry.labels[0]}")
    (tmp_path / "own.csv").write_text("\n".join(rows), encoding="utf-8")
    beside, apart = split(tmp_path, out=tmp_path / "s.csv"), tmp_path / "apart" / "s.csv"
    assert any(f"from now on name {beside.table}" in line for line in beside.lines())
    apart.parent.mkdir()
    assert not any("from now on" in line for line in split(tmp_path / "own.csv", out=apart).lines())
