from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import LeakageError, UsageError
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._sides import apart
from isocenter.verbs.evaluate import evaluate


class Fixed:
    """Answers and has learnt nothing."""

    task = "classify"

    def predict(self, case: Any) -> None:
        return None


def leaky(cases: Cases) -> Cases:
    """The first patient of test stands in train too."""
    entries = list(cases.entries)
    test = next(i for i, e in enumerate(entries) if e.split == "test")
    entries[test] = replace(entries[test], split="train")
    return replace(cases, entries=tuple(entries))


def copied(cases: Cases) -> Cases:
    """A case of train, under another name and patient, in test."""
    first = next(e for e in cases.entries if e.split == "train")
    again = replace(first, id="again", subject="new", group="new", split="test")
    return replace(cases, entries=(*cases.entries, again))


@pytest.fixture
def linear() -> Method:
    return resolve("linear", task="classify")


def test_a_patient_on_both_sides_is_refused_for_what_learns(sizes: Cases, linear: Method) -> None:
    with pytest.raises(LeakageError, match="one group stands on 2 sides"):
        apart(linear, leaky(sizes), split="test", options={})
    apart(linear, sizes, split="test", options={})


def test_identical_pictures_are_refused_where_the_method_learns_from_them(sizes: Cases, linear: Method) -> None:
    with pytest.raises(LeakageError, match="identical pixels on two sides"):
        apart(linear, copied(sizes), split="test", options={})


def test_what_has_learnt_nothing_may_be_scored_on_any_split(sizes: Cases) -> None:
    apart(resolve(Fixed(), task="classify"), leaky(copied(sizes)), split="test", options={})


def test_what_learnt_here_before_is_held_to_its_patients(sizes: Cases) -> None:
    made = iso.train("classify", sizes, method="linear", threads=1)
    with pytest.raises(LeakageError, match="one group stands on 2 sides"):
        evaluate(made, leaky(sizes))


def test_splits_that_take_no_part_do_not_matter(sizes: Cases, linear: Method) -> None:
    entries = tuple(replace(e, split="holdout") if i == 0 else e for i, e in enumerate(sizes.entries))
    apart(linear, replace(sizes, entries=entries), split="test", options={})
    with pytest.raises(LeakageError, match="2 sides"):
        apart(linear, replace(sizes, entries=entries), split="holdout", options={})


def test_it_is_allowed_with_a_reason_that_every_table_prints(sizes: Cases, linear: Method) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        apart(linear, leaky(sizes), split="test", options={"allow": "leakage"})
    scores = evaluate("classify/linear", leaky(sizes), allow="leakage", because="two lesions, two patients in truth")
    assert "leakage allowed: two lesions, two patients in truth" in scores.notes
    declared = replace(leaky(sizes), allow={"leakage": "as published"})
    assert "leakage allowed: as published" in evaluate("classify/linear", declared).notes


def test_near_copies_are_refused_when_that_is_asked_for(
    discs: Callable[..., Path], tmp_path: Path, linear: Method
) -> None:
    import numpy as np
    from PIL import Image

    from isocenter import layouts

    folder = discs(tmp_path / "discs", size=128)
    pixels = np.asarray(Image.open(folder / "images" / "case00.png")).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(folder / "images" / "case23.png")
    cases = layouts.read(folder, task="classify")
    apart(linear, cases, split="test", options={})
    with pytest.raises(LeakageError, match="near copies on two sides"):
        apart(linear, cases, split="test", options={"strict": True})
