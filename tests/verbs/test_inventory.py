from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import UnreadableError
from isocenter.verbs._inventory import changed, checksums, counted_splits, described, files_of, sourced, summarised


def pictured(folder: Path, facts: bool = True) -> Cases:
    """Six pictures of three subjects as files with a table."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = ["image,subject,split,label,age,sex"]
    for i in range(6):
        image = iso.Image.from_array(rng.integers(0, 255, (8, 8 + 2 * (i == 5))).astype(np.uint8))
        iso.write(image, folder / f"images/{i}.png")
        age = "" if i == 1 else str(40 + i)
        rows.append(f"images/{i}.png,p{i // 2},{'train' if i < 4 else 'test'},{'ab'[i % 2]},{age},{'mf'[i % 2]}")
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    from isocenter.layouts import read

    return read(folder, task="classify", facts=["age", "sex"] if facts else [])


def test_cases_subjects_and_classes_by_split(sizes: Cases) -> None:
    found = counted_splits(sizes)
    counts = {s: (r["cases"], r["subjects"]) for s, r in found.items()}
    assert counts == {"train": (12, 6), "val": (4, 2), "test": (8, 4)}
    assert found["train"]["classes"] == {"small": 6, "large": 6} and found["test"]["unlabelled"] == 0


def test_facts_and_images_by_split(tmp_path: Path) -> None:
    found = described(pictured(tmp_path))
    age = found["facts"]["age"]["train"]
    assert age["n"] == 3 and age["missing"] == 1 and age["mean"] == pytest.approx((40 + 42 + 43) / 3)
    assert age["sd"] == pytest.approx(np.std([40, 42, 43], ddof=1)) and age["median"] == 42
    assert (age["q1"], age["q3"]) == tuple(np.quantile([40, 42, 43], (0.25, 0.75)))
    assert found["facts"]["sex"]["train"] == {"kind": "kind", "n": 4, "missing": 0, "counts": {"m": 2, "f": 2}}
    assert found["images"]["test"]["size"] == {"8 x 8": 1, "8 x 10": 1} and found["unread"] == 0
    assert found["images"]["train"]["spacing"] == {"unknown": 4}


def test_a_case_that_cannot_be_read_is_counted(sizes: Cases) -> None:
    def broken() -> None:
        raise UnreadableError("cut short")

    first, *rest = sizes.entries
    found = described(replace(sizes, entries=(replace(first, open=broken), *rest)))  # type: ignore[arg-type]
    assert found["unread"] == 1 and sum(found["images"]["train"]["axes"].values()) == 11


def test_kinds_and_numbers_that_say_little() -> None:
    assert summarised([None, None], kind="number") == {"kind": "number", "n": 0, "missing": 2}
    one = summarised([5.0], kind="number")
    assert one["sd"] is None and one["q1"] is None and one["median"] == 5.0
    assert summarised([1.0, 0.0, 1.0], kind="kind")["counts"] == {"1": 2, "0": 1}


def test_files_and_what_has_changed_in_them(tmp_path: Path) -> None:
    cases = pictured(tmp_path / "set")
    paths = files_of(cases)
    assert len(paths) == 7 and tmp_path / "set" / "manifest.csv" in paths
    was = checksums(paths)
    assert changed(was) == {}
    (tmp_path / "set/images/3.png").unlink()
    (tmp_path / "set/images/4.png").write_bytes(b"x")
    assert {Path(p).name: why for p, why in changed(was).items()} == {"3.png": "is gone", "4.png": "holds other bytes"}


def test_folders_are_taken_whole_and_arrays_bring_no_files(sizes: Cases, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.json").write_text("{}")
    assert files_of(sizes) == [] and [p.name for p in files_of(sizes, more=[tmp_path / "b"])] == ["x.json"]


def test_where_the_data_come_from(tmp_path: Path) -> None:
    assert sourced(None) == {} and sourced(tmp_path) == {}
    readme = tmp_path / "README.md"
    readme.write_text("# Set\n- **Origin:** a hospital, doi:10.1/x\n- **Licence:** CC BY 4.0\nsmall", encoding="utf-8")
    found = sourced(tmp_path / "manifest.csv")
    assert found["origin"] == ["Origin: a hospital, doi:10.1/x"] and found["licence"] == ["Licence: CC BY 4.0"]
    (tmp_path / "dataset_description.json").write_text(json.dumps({"DatasetDOI": "10.2/y", "License": "CC0"}))
    assert sourced(tmp_path)["origin"] == ["10.2/y"] and sourced(tmp_path)["licence"] == ["CC0"]
    (tmp_path / "dataset_description.json").write_text("[")
    assert sourced(tmp_path)["file"] == str(readme.resolve())
