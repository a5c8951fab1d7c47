"""Planted leaks: every kind is found, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Cases
from isocenter.inspect import examine, leakage, twins
from isocenter.inspect.leaking import shared_groups


@pytest.fixture
def clean(table: Any, picture: Callable[..., np.ndarray]) -> Any:
    """Twelve pictures of twelve patients on two sides."""
    for i in range(12):
        table.add(f"i{i}.png", picture(i, shared=0.5), subject=f"SURNAME{i}", split="train" if i < 8 else "test",
                  label="ab"[i % 2])
    return table


def test_nothing_leaks_where_nothing_does(clean: Any) -> None:
    assert leakage(layouts.read(clean.done(), task="classify")) == ()


def test_one_patient_on_two_sides(clean: Any) -> None:
    clean.rows[8]["subject"] = clean.rows[0]["subject"]
    (problem,) = leakage(layouts.read(clean.done()))
    assert (problem.code, problem.severity) == ("leakage", "error")
    assert problem.got == "train: i0; test: i8" and "SURNAME" not in problem.line()


def test_a_group_wins_over_the_subject(clean: Any) -> None:
    for i, row in enumerate(clean.rows):
        row["site"] = "north" if i in (3, 9) else f"s{i}"
    path = clean.done()
    assert leakage(layouts.read(path)) == ()
    assert len(leakage(layouts.read(path, group="site"))) == 1


@pytest.mark.parametrize("name", ["copy.png", "copy.tif"])
def test_identical_pixels_under_another_name_and_patient(
    clean: Any, picture: Callable[..., np.ndarray], name: str
) -> None:
    clean.add(name, picture(3, shared=0.5), subject="other", split="test")
    (problem,) = leakage(layouts.read(clean.done()))
    assert problem.severity == "error" and "identical pixels" in problem.what and "train: i3; test: copy" in problem.got


def test_the_same_pixels_as_jpeg_are_near_copies(clean: Any, picture: Callable[..., np.ndarray]) -> None:
    clean.add("copy.jpg", picture(3, shared=0.5), how={"quality": 85}, subject="other", split="test")
    cases = layouts.read(clean.done())
    (problem,) = leakage(cases)
    assert (problem.code, problem.severity) == ("near-copy", "warning") and problem.where.endswith("i3.png")
    assert leakage(cases, near=False) == ()


def test_near_copies_in_numbers(table: Any, picture: Callable[..., np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    for i in range(200):
        table.add(f"i{i}.png", picture(i, (64, 80), shared=0.6), subject=f"p{i}", split="train")
    for i in range(40):
        changed = picture(i, (64, 80), shared=0.6).astype(float) * rng.uniform(0.8, 1.1) + rng.uniform(-10, 10)
        noisy = np.clip(changed + rng.normal(0, 2, changed.shape), 0, 255).astype(np.uint8)
        table.add(f"c{i}.jpg", noisy, how={"quality": 80}, subject=f"q{i}", split="test")
    found = twins(examine(layouts.read(table.done())))
    right = [t for t in found if t.a[1:] == t.b[1:]]
    assert len(right) >= 38, "at least 95 % of the near copies"
    assert len(found) - len(right) <= 0.001 * 200 * 40, "at most 0.1 % false alarms"


def test_slices_of_one_volume_on_two_sides() -> None:
    rng = np.random.default_rng(0)
    volumes = [rng.random((6, 16, 16)) for _ in range(3)]
    whole = Cases.from_arrays(volumes, ["a", "b", "a"], subjects=["1", "2", "3"])
    slices = whole.cut("slice")
    mixed = slices.with_splits(["train" if i % 3 else "test" for i in range(len(slices))])
    assert len(shared_groups(mixed)) == 3
    apart = slices.with_splits(["train" if e.subject != "2" else "test" for e in slices.entries])
    assert leakage(apart) == ()
    unnamed = Cases.from_arrays(volumes).cut("slice")
    assert len(shared_groups(unnamed.with_splits(["train" if i % 3 else "test" for i in range(len(unnamed))]))) == 3


def test_without_a_split_there_is_no_leak(clean: Any) -> None:
    for row in clean.rows:
        row["split"] = ""
    clean.rows[8]["subject"] = clean.rows[0]["subject"]
    assert leakage(layouts.read(clean.done())) == ()


def test_unknown_patients_are_no_group(clean: Any) -> None:
    for row in clean.rows:
        row["subject"] = ""
    assert leakage(layouts.read(clean.done())) == ()


def test_empty_pictures_are_no_copies(clean: Any) -> None:
    for i, split in enumerate(("train", "test")):
        clean.add(f"black{i}.png", np.zeros((9, 9), np.uint8), subject=f"b{i}", split=split)
    assert leakage(layouts.read(clean.done())) == ()


def test_twins_tell_sides_labels_and_paths(clean: Any, picture: Callable[..., np.ndarray]) -> None:
    clean.add("copy.png", picture(0, shared=0.5), subject="x", split="train", label="b")
    (twin,) = twins(examine(layouts.read(clean.done(), task="classify")))
    assert (twin.exact, twin.crosses, twin.disagree, twin.labels) == (True, False, True, (("a",), ("b",)))
    assert [Path(p).name for p in twin.paths] == ["i0.png", "copy.png"] and twin.as_json()["correlation"] == 1.0


def test_ultrasound_groups_hold(real_data: Callable[[str], Path]) -> None:
    assert leakage(layouts.read(real_data("breast-us-busi"), task="classify")) == ()


def test_two_films_of_one_subject_are_told(real_data: Callable[[str], Path]) -> None:
    assert [p.severity for p in shared_groups(layouts.read(real_data("cells-tracking-cellphe")))] == ["error"]
