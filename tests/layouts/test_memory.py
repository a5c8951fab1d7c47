from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from isocenter import layouts
from isocenter.data import Case, Cases, Image, Probabilities
from isocenter.errors import LabelError, NotFoundError, UsageError

X = np.arange(4 * 6 * 6, dtype=np.float32).reshape(4, 6, 6)


def test_arrays() -> None:
    cases = layouts.read((X, ["no", "yes", "no", "yes"]), task="classify")
    assert (cases.classes, cases.positive, len(cases)) == (("no", "yes"), "yes", 4)
    masks = (X > 20).astype(np.uint8)
    assert layouts.read((X, masks), task="segment").classes == ("foreground",)
    assert layouts.read((X, ["a", "b", "a", "b"]), positive="a").positive == "a"


def test_data_frames_are_tables(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.png("a.png"), folder.png("b.png")
    monkeypatch.chdir(folder.path)
    frame = pandas.DataFrame({"image": ["a.png", "b.png"], "label": [1, 0], "age": [3.5, None], "subject": ["p", None]})
    cases = layouts.read(frame, task="classify", facts=["age"])
    assert (cases.classes, cases.name, cases.table) == (("0", "1"), "data frame", "")
    truth = cases[0].truth()
    assert isinstance(truth, Probabilities) and truth.label == "1"
    assert [c.facts["age"] for c in cases] == [3.5, None] and cases.entries[1].subject == ""
    assert cases.entries[0].files["image"] == str(Path("a.png").absolute())


def test_cases_pass_with_the_callers_word() -> None:
    cases = Cases.from_arrays(X, ["a", "b", "a", "b"], subjects=["1", "1", "2", "2"])
    assert layouts.read(cases) is cases
    assert layouts.read(cases, task="classify", positive="b").positive == "b"
    with pytest.raises(LabelError):
        layouts.read(cases, positive="c")
    with pytest.raises(UsageError, match="no truth for segment"):
        layouts.read(cases, task="segment")
    with pytest.raises(UsageError, match="--target and --facts"):
        layouts.read(cases, target="x")
    with pytest.raises(NotFoundError, match="no group"):
        layouts.read(cases, group="site")


def test_groups_and_roles_of_cases(folder: Any) -> None:
    rows = [[folder.png("a.png"), "1", "PET", "s"], [folder.png("b.png"), "1", "CT", "s"]]
    folder.csv([["image", "exam", "mod", "site"], *rows])
    folder.json({"format": 1, "case": "exam", "role": "mod"})
    cases = layouts.read(folder.path)
    again = layouts.read(cases, group="site", role="CT")
    assert again.groups == ("s",) and again[0].group == "s" and again[0].lead == "CT"
    with pytest.raises(NotFoundError, match="Did you mean PET"):
        layouts.read(cases, role="PT")[0]


def test_one_image_or_case() -> None:
    image = Image.from_array(X[0])
    assert layouts.read(image)[0].image() is image
    assert layouts.read(Case.of(image, id="me"))[0].id == "me"
    with pytest.raises(UsageError, match="no truth for segment"):
        layouts.read(image, task="segment")
