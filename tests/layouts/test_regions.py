from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.errors import LabelError, UnreadableError
from isocenter.layouts.ask import Notes
from isocenter.layouts.regions import MANY, Regions, scanned

LUNG = Regions.declared({"background": ["0"], "lung": ["255"], "ignore": ["127"]}, "t")


def test_declared_labels_keep_their_order_and_numbers() -> None:
    found = Regions.declared({"tumour": ["4"], "background": ["0"], "edema": ["2"]}, "t")
    assert found.names == ("background", "tumour", "edema") and found.classes == ("tumour", "edema")
    assert found.codes == {"tumour": 4, "background": 0, "edema": 2}
    assert found.encoded(np.array([[0, 2, 4]]), "f").tolist() == [[0, 2, 1]]


def test_background_is_zero_where_nobody_says() -> None:
    assert Regions.declared({"vessel": ["1"]}, "t").codes == {"background": 0, "vessel": 1}


def test_ignore_becomes_255_and_is_no_class() -> None:
    assert LUNG.classes == ("lung",)
    assert LUNG.encoded(np.array([[0, 127, 255]], np.uint8), "f").tolist() == [[0, 255, 1]]


def test_values_outside_the_set_are_listed_with_their_counts() -> None:
    with pytest.raises(LabelError, match="outside the declared set") as error:
        LUNG.encoded(np.array([[0, 3, 3], [255, 254, 0]], np.uint8), "masks/a.png")
    assert error.value.got == "3 (2 pixels), 254 (1 pixel)" and error.value.where == "masks/a.png"
    assert "0 background" in error.value.wanted and "255 lung" in error.value.wanted


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float32])
def test_all_number_types_mean_the_same(dtype: Any) -> None:
    assert LUNG.encoded(np.array([[255, 0, 127]]).astype(dtype), "f").tolist() == [[1, 0, 255]]


def test_large_and_negative_numbers() -> None:
    found = Regions.declared({"background": ["-1"], "a": ["100000"], "b": ["0"]}, "t")
    assert found.encoded(np.array([[-1, 100000, 0]]), "f").tolist() == [[0, 1, 2]]
    with pytest.raises(LabelError, match="outside"):
        found.encoded(np.array([[-2]]), "f")


def test_fractions_and_nan_are_refused() -> None:
    for bad in (0.5, np.nan):
        with pytest.raises(LabelError, match="whole numbers"):
            LUNG.encoded(np.array([[0.0, bad]]), "f")


def test_numbers_claimed_twice_or_not_whole_are_refused() -> None:
    with pytest.raises(LabelError, match="two names claim one number"):
        Regions.declared({"a": ["1"], "b": ["1"]}, "t")
    with pytest.raises(LabelError, match="no whole number"):
        Regions.declared({"a": ["x"]}, "t")
    with pytest.raises(LabelError, match="too many regions"):
        Regions.declared({f"r{i}": [str(i)] for i in range(300)}, "t")


def test_undeclared_numbers() -> None:
    assert Regions.found([0, 255], "t").codes == {"background": 0, "foreground": 255}
    assert Regions.found([0, 1, 7, 255], "t").classes == ("1", "7", "255")
    assert Regions.found([0], "t").classes == ("foreground",)
    with pytest.raises(LabelError, match="instances"):
        Regions.found(range(300), "t")


def test_all_files_are_scanned(folder: Any) -> None:
    paths = [str(folder.path / folder.png(f"{i}.png", np.full((2, 2), i, np.uint8))) for i in (0, 1, 1, 9)]
    assert scanned(paths, "t", Notes()).classes == ("1", "9")


def test_one_bit_masks_are_0_and_1(folder: Any) -> None:
    path = folder.path / folder.png("m.png", np.eye(4), bits=1)
    assert scanned([str(path)], "t", Notes()).codes == {"background": 0, "foreground": 1}


def test_a_broken_file_is_refused_or_listed(folder: Any) -> None:
    good = str(folder.path / folder.png("a.png", np.eye(2, dtype=np.uint8)))
    bad = str(folder.text("b.png", "no png"))
    with pytest.raises(UnreadableError):
        scanned([good, bad], "t", Notes())
    notes = Notes(tolerant=True)
    assert scanned([good, bad], "t", notes).classes == ("foreground",)
    assert [p.where for p in notes.problems] == [bad]
    with pytest.raises(UnreadableError):
        scanned([bad], "t", Notes(tolerant=True))


def test_a_long_scan_is_told(folder: Any) -> None:
    path = folder.path / folder.png("a.png", np.eye(2, dtype=np.uint8))
    for i in range(MANY):
        (folder.path / f"l{i}.png").symlink_to(path)
    notes = Notes()
    scanned([str(folder.path / f"l{i}.png") for i in range(MANY)] + [str(path)], "t", notes)
    assert [p.code for p in notes.problems] == ["labels-scanned"]
