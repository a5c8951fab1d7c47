"""Arrays as cases: class names, several labels at once, masks."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Boxes, Cases, Geometry, Image, Instances, Values
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
    with pytest.raises(InputError, match="classify, regress, segment"):
        Cases.from_arrays(X, [1, 2, 3], task="register")


def test_boxes_as_edges_corners_or_findings() -> None:
    edges = np.array([[[0.5, 1.5], [2.5, 2.5]]])
    corners = np.array([[2.0, 1.0, 3.0, 3.0]])
    held = Boxes(edges, np.array([0]), ("object",), Geometry((4, 4)))
    cases = Cases.from_arrays(X, [edges, corners, held], task="detect", spacing=(2.0, 1.0))
    assert cases.classes == ("object",) and cases.tasks == ("detect",)
    for case in cases:
        truth = case.truth()
        assert isinstance(truth, Boxes) and truth.edges.tolist() == edges.tolist()
        assert truth.geometry.spacing == (2.0, 1.0) and truth.scores is None


def test_an_empty_array_is_an_image_without_boxes() -> None:
    cases = Cases.from_arrays(X, [[], np.zeros((0, 4)), np.zeros((0, 2, 2))], task="detect")
    assert [len(c.truth()) for c in cases] == [0, 0, 0]  # type: ignore[arg-type]


def test_boxes_and_objects_with_classes() -> None:
    corners = np.array([[0, 0, 1, 1], [1, 1, 3, 3]])
    cases = Cases.from_arrays(X[:1], [(corners, [1, 0])], task="detect", classes=("a", "b"))
    assert cases.classes == ("a", "b") and cases[0].truth().labels.tolist() == [1, 0]
    assert Cases.from_arrays(X[:1], [(corners, [2, 0])], task="detect").classes == ("0", "1", "2")
    numbers = np.zeros((4, 4), int)
    numbers[0, 0], numbers[2, 2:] = 5, 9
    objects = Cases.from_arrays(X[:1], [(numbers, [1, 0])], task="instances", classes=("a", "b"))[0].truth()
    assert isinstance(objects, Instances) and objects.labels.tolist() == [1, 0] and objects.areas.tolist() == [1, 2]
    boxes = Cases.from_arrays(X[:1], [objects], task="detect")
    assert boxes.classes == ("a", "b") and boxes[0].truth().labels.tolist() == [1, 0]
    volume = Cases.from_arrays(np.zeros((1, 4, 5, 6)), [np.array([[1, 2, 3, 2, 3, 4]])], task="detect")[0].truth()
    assert volume.edges.tolist() == [[[2.5, 1.5, 0.5], [3.5, 2.5, 1.5]]]


@pytest.mark.parametrize(
    ("task", "y", "error", "message"),
    [
        ("detect", [np.zeros((2, 3))], InputError, "not boxes"),
        ("instances", [np.zeros((4, 4))], InputError, "whole numbers"),
        ("instances", [Boxes.none(("a",), Geometry((4, 4)))], InputError, "no truth of instances"),
        ("instances", [np.zeros((3, 3), int)], LabelError, "another grid"),
        ("detect", [Boxes.none(("a",), Geometry((3, 3)))], LabelError, "another grid"),
        ("track", [1], InputError, "classify, regress, segment, detect and instances"),
    ],
)
def test_what_is_no_truth_of_objects_is_refused(task: str, y: list, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        Cases.from_arrays(X[:1], y, task=task)[0].truth()


def test_numbers_are_the_truth_of_regress() -> None:
    cases = Cases.from_arrays(X, np.array([63, 41.5, 7]), task="regress", classes=("age",))
    assert cases.classes == ("age",) and cases.positive is None and not cases.multilabel
    assert [c.truth() for c in cases] == [Values.truth("age", v) for v in (63.0, 41.5, 7.0)]
    assert Cases.from_arrays(X, [1, 2, 3], task="regress").classes == ("value",)
    with pytest.raises(InputError, match="truth 1 is no number"):
        Cases.from_arrays(X, [1, "old", 3], task="regress")
    with pytest.raises(LabelError, match="can be true"):
        Cases.from_arrays(X, [1, float("nan"), 3], task="regress")
