from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Cases
from isocenter.inspect import Check, check


def checked(path: Path, task: str = "classify", method: str = "cnn") -> Check:
    found = check(layouts.survey(path, task=task), task=task, method=method)
    json.dumps(found.as_json(), allow_nan=False)
    assert all("\n" not in line for line in found.lines())
    return found


def codes(found: Check) -> set[str]:
    return {p.code for p in found.problems}


@pytest.fixture
def whole(table: Any, picture: Callable[..., np.ndarray]) -> Any:
    for i in range(40):
        table.add(f"i{i}.png", picture(i), label=["well", "ill"][i % 2], subject=f"SURNAME{i}",
                  split=["train", "train", "val", "test"][i // 10])
    return table


def test_a_sound_set(whole: Any) -> None:
    found = checked(whole.done())
    assert found.ok and not found.problems and found.n_cases == found.n_subjects == 40
    assert found.counts["train"] == {"ill": 10, "well": 10} and found.proofs[0].n == 10
    assert found.cost is not None and len(found.cost.halving) == 3
    assert any("no problem found" in line for line in found.lines())


def test_no_patient_is_named(whole: Any) -> None:
    whole.rows[30]["subject"] = "SURNAME0"
    found = checked(whole.done())
    assert not found.ok and "SURNAME" not in json.dumps(found.as_json()) + "".join(found.lines())


def test_faults_of_pictures(whole: Any, picture: Callable[..., np.ndarray]) -> None:
    np.save(whole.path / "nan.npy", np.where(picture(50) > 200, np.nan, picture(50)))
    whole.rows.append({"image": "nan.npy", "label": "ill", "subject": "x", "split": "train"})
    whole.add("black.png", np.zeros((9, 9), np.uint8), label="ill", subject="y", split="train")
    whole.add("broken.png", picture(51), label="ill", subject="z", split="train")
    path = whole.done()
    (path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = checked(path)
    assert {"not-finite", "constant", "unreadable"} <= codes(found) and not found.ok


def test_missing_rows_are_listed_and_the_rest_is_checked(whole: Any) -> None:
    path = whole.done()
    (path / "i3.png").unlink()
    found = checked(path)
    assert not found.ok and found.n_cases == 39 and any("row 5" in p.what for p in found.problems)


def test_leaks_copies_and_contradictions(whole: Any, picture: Callable[..., np.ndarray]) -> None:
    whole.add("leak.png", picture(0), label="well", subject="a", split="test")
    whole.add("near.jpg", picture(1), how={"quality": 90}, label="ill", subject="b", split="test")
    whole.add("twin.png", picture(2), label="well", subject="c", split="train")
    whole.add("other.png", picture(3), label="well", subject="d", split="train")
    found = checked(whole.done())
    assert {"leakage", "near-copy", "copies", "copies-disagree"} <= codes(found) and not found.ok
    assert {(t.a, t.b) for t in found.twins} == {("i0", "leak"), ("i1", "near"), ("i2", "twin"), ("i3", "other")}
    assert all(Path(p).is_file() for t in found.twins for p in t.paths)
    assert found.problems[0].severity == "error", "errors come first"


def test_an_allowed_leak_is_a_warning_with_its_reason(whole: Any) -> None:
    whole.rows[30]["subject"] = whole.rows[0]["subject"]
    found = checked(whole.done({"allow": {"leakage": "twins, on purpose"}}))
    assert found.ok and any("twins, on purpose" in p.what for p in found.problems)
    assert any(line.startswith("allowed: leakage") for line in found.lines())


def test_splits_and_subjects(whole: Any) -> None:
    for row in whole.rows:
        row["split"] = ""
    assert "unsplit" in codes(checked(whole.done()))
    for i, row in enumerate(whole.rows):
        row["split"] = "train" if i < 36 else "test"
    assert "few-subjects" in codes(checked(whole.done()))
    for row in whole.rows:
        row["split"] = "train"
    assert "no-test" in codes(checked(whole.done()))


def test_folds_are_a_remedy_only_where_they_can_be_made(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(6):
        table.add(f"i{i}.png", picture(i), label=["well", "ill"][i % 2], subject="one", split="test")
    found = checked(table.done())
    few = next(p for p in found.problems if p.code == "few-subjects")
    assert "folds" not in few.remedy and found.lines()[0].startswith(f"{found.name}: 6 cases, 1 subject, ")
    assert found.lines()[1].startswith("  test: 6 cases (")


def test_many_classes_are_listed_in_short(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(30):
        table.add(f"i{i}.png", picture(i), label=f"kind{i // 2:02d}", subject=f"s{i}")
    found = checked(table.done())
    assert "kind11 2, 3 more)" in found.lines()[1] and len(found.counts[""]) == 15


def test_masks_and_mixtures(table: Any, picture: Callable[..., np.ndarray]) -> None:
    for i in range(3):
        mask = table.save(f"m{i}.png", (picture(i) > 150).astype(np.uint8) * 255)
        table.add(f"i{i}.png", picture(i), mask=mask)
    np.save(table.path / "v.npy", np.random.default_rng(0).random((6, 7, 8)))
    np.save(table.path / "vm.npy", np.full((6, 7, 8), 255, np.uint8))
    table.rows.append({"image": "v.npy", "mask": "vm.npy"})
    found = checked(table.done(), "segment", "unet")
    assert "mixed-rank" in codes(found) and 0.2 < found.shares["foreground"] < 0.8 and found.splits == {"": 4}


@pytest.mark.parametrize(("channels", "severity", "word"), [(3, "note", "equal colours"), (4, "warning", "refuse")])
def test_numbers_of_channels_that_differ_are_told(
    table: Any, picture: Callable[..., np.ndarray], channels: int, severity: str, word: str
) -> None:
    for i in range(3):
        pixels = np.stack([picture(i)] * channels, -1) if i == 1 else picture(i)
        table.add(f"i{i}.png", pixels, label="ab"[i % 2])
    (said,) = (p for p in checked(table.done()).problems if p.code == "mixed-channels")
    assert said.severity == severity and said.got == f"2 with 1, 1 with {channels}" and word in said.remedy


def test_arrays_can_be_checked() -> None:
    x = np.random.default_rng(0).random((30, 16, 16))
    cases = Cases.from_arrays(x, ["a", "b"] * 15, splits=["train"] * 20 + ["test"] * 10)
    assert check(cases, task="classify", method="linear").ok


@pytest.mark.parametrize(
    ("name", "task", "expected"),
    [
        ("breast-us-busi", "segment", set()),
        ("breast-us-busi", "classify", set()),
        ("retina-chase-db1", "segment", {"few-subjects"}),
        ("sts-pet-ct-mr", "segment", {"few-subjects"}),
    ],
)
def test_real_sets(real_data: Callable[[str], Path], name: str, task: str, expected: set[str]) -> None:
    found = checked(real_data(name), task, "unet" if task == "segment" else "cnn")
    assert found.ok and codes(found) == expected


def test_pneumonia_holds_copies_within_its_sides_and_none_across(real_data: Callable[[str], Path]) -> None:
    found = checked(real_data("chest-xray-pneumonia"))
    assert found.ok and codes(found) == {"copies"} and sum(t.exact for t in found.twins) == 15
    assert not any(t.crosses for t in found.twins)
    (auc, _) = found.proofs
    assert auc.target == "pneumonia" and auc.low is not None and 0.8 < auc.low < 0.9
