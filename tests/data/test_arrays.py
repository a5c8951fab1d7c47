"""Arrays as cases: class names, several labels at once, masks."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Cases, Image
from isocenter.errors import InputError, LabelError

X = np.zeros((3, 4, 4))


def test_class_names_sort_as_numbers_where_they_are() -> None:
    assert Cases.from_arrays(X, [10, 9, 10]).classes == ("9", "10")
    assert Cases.from_arrays(X, ["b", "a", "b"]).classes == ("a", "b")
    named = Cases.from_arrays(X, [0, 1, 1], classes=("normal", "ill"))
    assert named.classes == ("normal", "ill") and named.positive == "ill" and named[1].truth().label == "ill"


def test_several_labels_at_once() -> None:
    cases = Cases.from_arrays(X, [[0, 0], [1, 1], [0, 1]], classes=("mass", "fluid"))
    assert cases.multilabel and cases.positive is None
    assert cases[0].truth().values == (0.0, 0.0) and cases[2].truth().decision == ("fluid",)


def test_masks_are_named() -> None:
    masks = np.zeros((3, 4, 4), int)
    masks[0, 1, 1] = 7
    one = Cases.from_arrays(X, masks, task="segment")
    assert one.classes == ("foreground",) and one.codes == {"background": 0, "foreground": 7}
    masks[1, 2, 2] = 1
    assert Cases.from_arrays(X, np.minimum(masks, 2), task="segment").classes == ("1", "2")


def mask_of(values: list[int], **options: object) -> list[int]:
    """What the truth of one mask of these numbers holds."""
    mask = np.array([values])
    return Cases.from_arrays([np.zeros(mask.shape)], [mask], task="segment", **options)[0].truth().labels[0].tolist()


def test_numbers_of_masks_become_indices() -> None:
    assert mask_of([0, 255]) == [0, 1]
    assert mask_of([0, 7, 9]) == [0, 1, 2]
    assert mask_of([0, 7, 9], classes=("organ", "lesion")) == [0, 1, 2]
    assert mask_of([0, 2, 0], classes=("organ", "lesion")) == [0, 2, 0]
    assert mask_of([0, 1, 255], classes=("organ",)) == [0, 1, 255]
    assert mask_of([0, 1, 255], classes=("organ", "lesion")) == [0, 1, 255]
    with pytest.raises(LabelError, match="name no region"):
        mask_of([0, 1, 5], classes=("organ",))


def test_images_bring_their_own_axes() -> None:
    cases = Cases.from_arrays([Image.from_array(np.zeros((3, 4, 4)), axes="cyx")], [1])
    assert cases[0].image().axes == "cyx"


def test_other_questions_need_files() -> None:
    with pytest.raises(InputError, match="classify and segment"):
        Cases.from_arrays(X, [1, 2, 3], task="register")
