from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isocenter import layouts
from isocenter.data import Segmentation


def test_entries_say_what_is_known_without_opening(segmented: Callable[..., Path]) -> None:
    path = segmented(np.eye(4, 5, dtype=np.uint8), extra=[["age", "site"], ["7", "north"]])
    entry = layouts.read(path, task="segment", facts=["age"]).entries[0]
    assert (entry.id, entry.subject, entry.group, entry.split) == ("images/0", "p0", "p0", "train")
    assert entry.files == {"image": str(path / "images/0.png"), "truth": str(path / "masks/0.png")}
    assert entry.notes == {"age": "7", "site": "north"} and entry.rows[0]["mask"] == "masks/0.png"


def test_facts_are_numbers_text_or_unknown(segmented: Callable[..., Path]) -> None:
    mask = np.eye(4, 5, dtype=np.uint8)
    path = segmented(mask, mask, extra=[["age", "sex"], ["7", "F"], ["", "M"]])
    first, second = layouts.read(path, task="segment", facts=["age", "sex"])
    assert first.facts == {"age": 7.0, "sex": "F"} and second.facts == {"age": None, "sex": "M"}
    assert layouts.read(path, task="segment")[0].facts == {}


def test_a_name_of_a_role_gives_the_modality(folder: Any) -> None:
    rows = [["image", "exam", "mod"]] + [[folder.nifti(f"{m}.nii.gz"), "a", m] for m in ("PET", "CT", "fixed")]
    folder.csv(rows)
    folder.json({"format": 1, "case": "exam", "role": "mod"})
    case = layouts.read(folder.path)[0]
    assert {role: image.modality for role, image in case.images.items()} == {"PET": "PT", "CT": "CT", "fixed": None}


def test_films_are_opened_lazily(folder: Any) -> None:
    rows = [[folder.png(f"{i}.png", np.full((2, 3), i, np.uint8)), str(i), "p"] for i in (2, 0, 1)]
    folder.csv([["image", "t", "subject"], *rows])
    folder.json({"format": 1, "frame": "t"})
    film = layouts.read(folder.path)[0].image()
    assert (film.axes, film.shape) == ("tyx", (3, 2, 3)) and film.pixels()[:, 0, 0].tolist() == [0, 1, 2]


def test_given_reads_another_column_with_the_same_numbers(folder: Any) -> None:
    a, b = np.zeros((2, 4, 5), np.uint8)
    a[1, 1] = b[2, 2] = 200
    folder.csv([["image", "mask", "second"], [folder.png("i.png"), folder.png("a.png", a), folder.png("b.png", b)]])
    case = layouts.read(folder.path, task="segment")[0]
    found = case.given("second")
    assert isinstance(found, Segmentation) and np.argwhere(found.labels).tolist() == [[2, 2]]
    (folder.path / "nothing").mkdir()
    assert not case.given(str(folder.path / "nothing"))


def test_entries_travel_to_other_processes(segmented: Callable[..., Path]) -> None:
    cases = layouts.read(segmented(np.eye(4, 5, dtype=np.uint8)), task="segment")
    entry = pickle.loads(pickle.dumps(cases.entries[0]))
    truth = entry.open().truth()
    assert isinstance(truth, Segmentation) and truth.mask("foreground").sum() == 4
