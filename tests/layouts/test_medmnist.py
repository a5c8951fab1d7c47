from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter import layouts
from isocenter.data import Probabilities
from isocenter.errors import TableError


def made(path: Path, shape: tuple[int, ...] = (28, 28), labels: Any = None, **more: Any) -> Path:
    arrays: dict[str, Any] = {}
    for part, n in (("train", 4), ("val", 2), ("test", 2)):
        images = np.arange(n * int(np.prod(shape)), dtype=np.uint32).reshape(n, *shape)
        arrays[f"{part}_images"] = images.astype(np.uint8)
        arrays[f"{part}_labels"] = np.array([[i % 2] for i in range(n)], np.uint8) if labels is None else labels[:n]
    np.savez_compressed(path / "set.npz", **(arrays | more))
    return path / "set.npz"


def test_parts_are_splits(tmp_path: Path) -> None:
    cases = layouts.read(made(tmp_path), task="classify")
    assert (cases.layout, cases.splits, cases.classes) == ("medmnist", {"train": 4, "val": 2, "test": 2}, ("0", "1"))
    assert cases.positive == "1" and cases.name == "set.npz"
    case = cases[1]
    truth = case.truth()
    assert case.id == "train_images[1]" and isinstance(truth, Probabilities) and truth.label == "1"
    assert case.image().shape == (28, 28) and case.image().pixels()[0, 0] == 784 % 256


@pytest.mark.parametrize(
    ("shape", "axes", "seen"), [((28, 28, 3), "cyx", (3, 28, 28)), ((28, 28, 28), "zyx", (28, 28, 28))]
)
def test_colour_and_volumes(tmp_path: Path, shape: tuple[int, ...], axes: str, seen: tuple[int, ...]) -> None:
    image = layouts.read(made(tmp_path, shape))[0].image()
    assert (image.axes, image.shape, image.pixels().shape) == (axes, seen, seen)


def test_rows_of_labels_are_several_at_once(tmp_path: Path) -> None:
    labels = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]], np.uint8)
    cases = layouts.read(made(tmp_path, labels=labels), task="classify")
    assert cases.multilabel and cases.classes == ("0", "1", "2") and cases.positive is None
    assert [e.labels for e in cases.entries[:4]] == [("0", "2"), (), ("1",), ("0", "1", "2")]
    first, none = cases[0].truth(), cases[1].truth()
    assert isinstance(first, Probabilities) and first.values == (1.0, 0.0, 1.0)
    assert isinstance(none, Probabilities) and none.values == (0.0, 0.0, 0.0)


def test_images_and_labels_must_fit(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="do not fit"):
        layouts.read(made(tmp_path, labels=np.zeros((1, 1), np.uint8)))


def test_other_archives_are_not_claimed(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", image=np.zeros((5, 6)))
    assert layouts.read(tmp_path / "one.npz").layout == "one_file"


def test_plain_names_with_splits_and_subjects(real_data: Callable[[str], Path]) -> None:
    cases = layouts.read(real_data("breast-us-busi") / "classify-96.npz", task="classify")
    assert sorted(cases.splits.items()) == [("test", 120), ("train", 406), ("val", 88)]
    assert cases.classes == ("benign", "malignant", "normal") and cases.subjects_known and cases.n_subjects < len(cases)
    assert cases[3].image().shape == (96, 96)
