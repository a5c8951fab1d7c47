"""Pairs of images with each of the three truths, through a table as a user writes it."""

import numpy as np
import pytest

from isocenter.data import Correspondence, Geometry, Transform
from isocenter.errors import IsocenterError, NotFoundError, TableError
from isocenter.inspect.truths import read_all
from isocenter.io.transforms import write_transform
from isocenter.layouts import read
from isocenter.layouts.pairs import Pairs
from isocenter.verbs.evaluate import evaluate

HEAD = "fixed,moving"


def made(folder, columns, *rows):
    folder.png("a.png")
    folder.png("b.png", np.arange(42, dtype=np.uint8).reshape(6, 7))
    (folder.path / "manifest.csv").write_text("\n".join([f"{HEAD},{columns}", *rows]) + "\n")
    return folder.path


def landmarks(folder):
    (folder.path / "la.csv").write_text(",X,Y\n1,1,2\n2,3,0\n3,0,0\n")
    (folder.path / "lb.csv").write_text(",X,Y\n2,4,1\n1,2,3\n9,0,0\n")
    return made(folder, "fixed_landmarks,moving_landmarks", "a.png,b.png,la.csv,lb.csv")


def masks(folder):
    folder.png("ma.png", np.eye(4, 5, dtype=np.uint8))
    folder.png("mb.png", np.eye(6, 7, dtype=np.uint8))
    return made(folder, "fixed_mask,moving_mask,split", "a.png,b.png,ma.png,mb.png,test")


def transform(folder):
    path = made(folder, "transform,reader,split", "a.png,b.png,t.tfm,r.tfm,test")
    for name, x in (("t.tfm", 1.0), ("r.tfm", 4.0)):
        m = np.array([[1, 0, x], [0, 1, 0], [0, 0, 1]])
        write_transform(Transform.of_matrix(m, Geometry((4, 5)), Geometry((6, 7))), path / name)
    return path


def test_landmarks_join_on_their_index(folder):
    [case] = read(landmarks(folder), task="register")
    assert case.lead == "fixed"
    truth = case.truth()
    assert isinstance(truth, Correspondence)
    assert truth.points[0].tolist() == [[1, 2], [3, 0]]
    assert truth.points[1].tolist() == [[2, 3], [4, 1]]
    assert (truth.fixed.shape, truth.moving.shape) == ((4, 5), (6, 7))
    assert "moving_landmarks" in case.notes


def test_masks_share_their_names(folder):
    cases = read(masks(folder), task="register")
    fixed, moving = cases[0].truth().regions
    assert fixed.names == moving.names == ("background", "foreground")
    assert (int(fixed.labels.sum()), int(moving.labels.sum())) == (4, 6)
    assert cases.classes == ("foreground",)


def test_a_transform_file_and_a_readers(folder):
    path = transform(folder)
    [case] = read(path, task="register")
    assert case.truth().points(np.zeros((1, 2))).tolist() == [[1, 0]]
    assert case.given("reader").points(np.zeros((1, 2))).tolist() == [[4, 0]]
    found = evaluate("register/given", path, settings={"column": "reader"})
    assert found.metrics["tre"]["all"].value == pytest.approx(3)
    assert found.metrics["share_5px"]["all"].value == 1
    assert found.metrics["folding"]["all"].value == 0


def test_masks_are_evaluated_too(folder):
    path = masks(folder)
    cases = read(path, task="register")
    assert read_all(cases).problems == ()


def test_what_is_wrong_is_named(folder):
    path = landmarks(folder)
    (folder.path / "lb.csv").write_text(",X,Y\n7,4,1\n")
    cases = read(path, task="register")
    with pytest.raises(TableError, match="in common"):
        cases[0].truth()
    assert [p.code for p in read_all(cases).problems] == ["table"]


def test_the_other_side_must_be_there(folder):
    (folder.path / "la.csv").write_text(",X,Y\n1,1,2\n")
    with pytest.raises(TableError, match="moving_landmarks"):
        read(made(folder, "fixed_landmarks", "a.png,b.png,la.csv"), task="register")
    path = made(folder, "fixed_landmarks,moving_landmarks", "a.png,b.png,la.csv,")
    with pytest.raises(IsocenterError, match="empty"):
        read(path, task="register")[0].truth()


def test_a_reader_without_images_says_so():
    with pytest.raises(NotFoundError, match="'fixed'"):
        Pairs().of({}, "").read("t.tfm", None)
