from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.data import Boxes, Case, Cases, Entry, Geometry, Image, Instances, NotEvaluated
from isocenter.errors import InputError, LabelError, NotFoundError
from isocenter.verbs._labels import Labelled, Reading, folder_frames, is_data, of_cases, of_frames, of_one
from isocenter.verbs.measure import measure

PLAIN = Reading(None, False, {})


def test_tables_and_folders_with_a_manifest_are_data_sets(tmp_path: Path, squares: Cases) -> None:
    (tmp_path / "masks").mkdir()
    assert not is_data(tmp_path) and not is_data(tmp_path / "a.png") and not is_data(np.zeros((2, 2)))
    assert is_data(tmp_path / "rows.csv") and is_data("rows.xlsx") and is_data(squares)
    (tmp_path / "manifest.tsv").write_text("image\tmask\n", encoding="utf-8")
    assert is_data(tmp_path) and is_data(str(tmp_path)) and not is_data(tmp_path / "masks")


def test_folders_of_a_convention_are_data_sets(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / "set" / "one" / name).mkdir(parents=True)
        Pillow.fromarray(np.eye(6, dtype=np.uint8)).save(tmp_path / "set" / "one" / name / "1.png")
    assert is_data(tmp_path / "set") and not is_data(tmp_path / "set" / "one" / "masks")
    (case,) = measure(tmp_path / "set").tables["objects"].rows
    assert case["area_px"] == 6


def test_numbers_below_zero_name_their_file(tmp_path: Path) -> None:
    np.save(tmp_path / "below.npy", np.full((4, 4), -3, np.int16))
    with pytest.raises(LabelError, match=r"below.npy: numbers below 0.*needed 0 for the background"):
        measure(tmp_path / "below.npy")


def test_each_case_gives_labels_or_says_why_not(squares: Cases) -> None:
    found = [one for _, one in of_cases(squares, PLAIN)]
    assert all(isinstance(one, Labelled) for one in found) and len(found) == len(squares)
    without = replace(squares, entries=tuple(
        replace(e, open=lambda e=e: replace(e.open(), load_truth=None)) for e in squares.entries[:2]
    ))  # fmt: skip
    assert all(isinstance(one, NotEvaluated) for _, one in of_cases(without, PLAIN))

    def broken() -> None:
        raise LabelError("damaged")

    bad = replace(squares, entries=(replace(squares.entries[0], open=broken),))
    assert isinstance(next(of_cases(bad, PLAIN))[1], LabelError)
    with pytest.raises(NotFoundError, match="phase"):
        next(of_cases(squares, replace(PLAIN, frame="phase")))


def test_notes_of_a_case_say_frame_and_slice(squares: Cases) -> None:
    noted = replace(squares, entries=tuple(
        replace(e, notes=said, open=lambda e=e, said=said: replace(e.open(), notes=said))
        for e, said in zip(squares.entries, ({"t": str(i), "z": "7"} for i in range(3)), strict=False)
    ))  # fmt: skip
    found = [one for _, one in of_cases(noted, replace(PLAIN, frame="t", piece="z"))]
    assert [(one.frame, one.piece) for one in found] == [("0", "7"), ("1", "7"), ("2", "7")]


def test_axes_that_are_said_make_a_film() -> None:
    stack = np.zeros((3, 8, 8), np.uint8)
    stack[1:, 2:4, 2:4] = 5
    assert [one.ids.tolist() for one in of_one(stack, None, PLAIN)] == [[5]]
    film = list(of_one(stack, None, replace(PLAIN, how={"axes": "tyx", "spacing": (2.0, 2.0)})))
    assert [one.ids.tolist() for one in film] == [[], [5], [5]] and [one.frame for one in film] == ["0", "1", "2"]
    assert film[0].found.geometry.spacing == (2.0, 2.0) and film[0].seconds is None
    timed = replace(Image.from_array(stack, axes="tyx"), times=(0.0, 0.5, 1.0))
    assert [one.seconds for one in of_one(stack, timed, replace(PLAIN, how={"axes": "tyx"}))] == [0.0, 0.5, 1.0]


def test_frames_of_images_keep_their_own_pixels() -> None:
    labels, pictures = np.ones((2, 4, 4), np.uint8), np.stack([np.zeros((4, 4)), np.ones((4, 4))])
    film = of_one(Image.from_array(labels, axes="tyx"), Image.from_array(pictures, axes="tyx"), PLAIN)
    assert [one.image.pixels().mean() for one in film] == [0, 1]
    listed = list(of_frames(list(labels), list(pictures), PLAIN))
    assert [one.image.pixels().mean() for one in listed] == [0, 1] and [one.frame for one in listed] == ["0", "1"]


def test_objects_without_a_place_are_refused() -> None:
    boxes = Boxes.none(("cell",), Geometry((4, 4)))
    case = Case("one", {"image": Image.from_array(np.zeros((4, 4)))}, load_truth=lambda: boxes)
    (found,) = of_cases(Cases((Entry("one", lambda: case),)), PLAIN)
    assert isinstance(found[1], InputError) and "boxes alone" in found[1].line()


def test_a_folder_of_frames_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    for name in ("b.png", "a.png", "c.png"):
        Pillow.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / name)
    assert [p.name for p in folder_frames(tmp_path)] == ["a.png", "b.png", "c.png"]
    with pytest.raises(InputError):
        folder_frames(tmp_path / "absent")


def test_labels_keep_their_own_spacing_where_the_image_has_none() -> None:
    found = Instances.from_label_map(np.ones((4, 4), np.uint8), Geometry.from_spacing((4, 4), (3.0, 3.0)))
    (one,) = of_one(found, Image.from_array(np.zeros((4, 4))), PLAIN)
    assert one.found.geometry.spacing == (3.0, 3.0)
