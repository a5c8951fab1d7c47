from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import io
from isocenter.data import Boxes, Cases, Segmentation
from isocenter.errors import NotFoundError, TableError, UsageError
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, declared_beside, masks_of, objects_of


def made(folder: Any, ask: Ask, notes: Notes | None = None) -> Cases:
    items = []
    for i, subject in enumerate(["p", "p", ""]):
        path = folder.path / folder.png(f"i{i}.png")
        mask = folder.path / folder.png(f"m{i}.png", np.full((4, 5), 2, np.uint8))
        items.append(Item(f"i{i}", partial(io.read_image, path), str(path), str(mask) if i else "", "train", subject,
                          notes={"site": "s"}))
    reader = masks_of({"background": ("0",), "liver": ("2",)}, "dataset.json")
    return assembled(items, ask, root=Path("set"), tasks=("segment",), reader=reader, notes=notes or Notes())


def test_without_a_task_all_are_cases(folder: Any) -> None:
    cases = made(folder, Ask())
    assert len(cases) == 3 and cases.tasks == ("segment",) and cases[1].truth() is None
    assert [p.code for p in cases.problems] == ["patients-unknown"] and "1 of 3" in cases.problems[0].what


def test_with_a_task_those_without_truth_are_counted(folder: Any) -> None:
    cases = made(folder, Ask("segment"))
    assert len(cases) == 2 and cases.unused == {"no truth": 1} and cases.codes == {"background": 0, "liver": 2}
    truth = cases[0].truth()
    assert isinstance(truth, Segmentation) and truth.mask("liver").all()
    folder.png("given/i1.png", np.zeros((4, 5), np.uint8))
    given = cases[0].given(str(folder.path / "given"))
    assert isinstance(given, Segmentation) and not given.mask("liver").any()


def test_groups_come_from_notes(folder: Any) -> None:
    assert made(folder, Ask(group="site")).n_subjects == 1
    with pytest.raises(NotFoundError, match="Did you mean site"):
        made(folder, Ask(group="sit"))


@pytest.mark.parametrize("ask", [Ask(target="x"), Ask(facts=("age",)), Ask(role="PET")])
def test_words_that_name_columns_are_refused(folder: Any, ask: Ask) -> None:
    with pytest.raises(UsageError, match="names a column"):
        made(folder, ask)


def test_a_task_without_truth_is_refused(folder: Any) -> None:
    with pytest.raises(TableError, match="no truth for classify"):
        made(folder, Ask("classify"))


def test_ids_that_collide_get_their_suffix(folder: Any) -> None:
    items = [Item("a", partial(io.read_image, p), str(p)) for p in (folder.path / "a.png", folder.path / "a.jpg")]
    cases = assembled(items, Ask(), root=folder.path, tasks=(), reader=None, notes=Notes())
    assert [e.id for e in cases.entries] == ["a.png", "a.jpg"]
    with pytest.raises(TableError, match="no case"):
        assembled([], Ask(), root=folder.path, tasks=(), reader=None, notes=Notes())


def test_annotation_files_give_classes_and_findings(folder: Any) -> None:
    items = []
    for i, line in enumerate(("0 0.5 0.5 0.4 0.5\n", "")):
        path = folder.path / folder.png(f"i{i}.png")
        label = folder.text(f"i{i}.txt", line)
        items.append(Item(f"i{i}", partial(io.read_image, path), str(path), str(label)))
    folder.text("classes.txt", "cell\n")
    notes, ask = Notes(), Ask("detect")
    reader = objects_of(items, ask, where=folder.path, notes=notes)
    cases = assembled(items, ask, root=Path("set"), tasks=("detect",), reader=reader, notes=notes)
    assert cases.classes == ("cell",) and cases.entries[0].files["truth"].endswith("i0.txt")
    truth = cases[0].truth()
    assert isinstance(truth, Boxes) and np.allclose(truth.edges, [[[0.5, 1.0], [2.5, 3.0]]])
    assert len(cases[1].truth()) == 0  # type: ignore[arg-type]
    folder.text("given/i0.txt", "0 0.5 0.5 1 1 0.5\n")
    folder.text("given/classes.txt", "cell\n")
    given = cases[0].given(str(folder.path / "given"))
    assert isinstance(given, Boxes) and given.scores is not None and given.scores.tolist() == [0.5]


def test_what_is_declared_beside_data_without_a_table(folder: Any) -> None:
    assert declared_beside(folder.path).truth == {}
    folder.json({"format": 1, "truth": {"detect": {"invalid": "refuse", "labels": {"cell": ["a", "b"]}}}})
    assert declared_beside(folder.path).truth["detect"].invalid == "refuse"
    folder.json({"format": 1, "truth": {"detect": {"column": "boxes"}}, "subject": "patient"})
    with pytest.raises(TableError, match=r"have no table: got boxes, patient\. Leave labels"):
        declared_beside(folder.path)
