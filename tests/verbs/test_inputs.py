from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import MissingFileError, UnreadableError, UsageError
from isocenter.files import sha256
from isocenter.verbs._inputs import bound, in_roles, inputs_of, of_roles


def test_a_file_is_named_after_itself(discs_folder: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    (one,) = inputs_of([path])
    assert one.name == "case00" and one.open().image().shape == (48, 48) and one.sha256() == sha256(path)


def test_unnamed_images_of_one_case_are_bound_in_the_order_of_the_question() -> None:
    roles = ("fixed", "moving")
    assert in_roles(["a.png", Path("b.png")], roles) == ["fixed=a.png", "moving=b.png"]
    assert in_roles(["moving=a.png", "fixed=b.png"], roles) == ["moving=a.png", "fixed=b.png"]
    assert in_roles(["a.png", "b.png"], ("image",)) == ["a.png", "b.png"]
    for given in (["a.png"], ["a.png", "b.png", "c.png"]):
        with pytest.raises(UsageError, match=r"fixed=PATH moving=PATH"):
            in_roles(given, roles)


def test_a_folder_stands_for_its_images_in_order(discs_folder: Path, tmp_path: Path) -> None:
    for name in ("case01.png", "case00.png"):
        shutil.copy(discs_folder / "images" / name, tmp_path)
    (tmp_path / "notes.txt").write_text("no image")
    assert [i.name for i in inputs_of([tmp_path])] == ["case00", "case01"]


def test_a_broken_image_in_a_folder_is_an_input_that_refuses_itself(discs_folder: Path, tmp_path: Path) -> None:
    shutil.copy(discs_folder / "images" / "case00.png", tmp_path)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    good, bad = inputs_of([tmp_path])
    assert good.open().id == "case00"
    with pytest.raises(UnreadableError):
        bad.open()


def test_what_is_not_there_refuses_itself_when_it_is_opened(tmp_path: Path) -> None:
    (one,) = inputs_of([tmp_path / "none.png"])
    with pytest.raises(MissingFileError):
        one.open()


def test_an_empty_folder_and_no_input(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no image"):
        inputs_of([tmp_path])
    with pytest.raises(UsageError, match="nothing to answer"):
        inputs_of([])


def test_two_of_one_name_are_told_apart_the_same_way_every_time(discs_folder: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(discs_folder / "images" / "case00.png", tmp_path / folder / "x.png")
    given = [tmp_path / "a" / "x.png", tmp_path / "b" / "x.png"]
    first, second = inputs_of(given), inputs_of(given)
    assert [i.name for i in first] == [i.name for i in second]
    assert len({i.name for i in first}) == 2 and all(i.name.startswith("x-") for i in first)


def test_names_bind_roles_and_facts(discs_folder: Path) -> None:
    image = discs_folder / "images" / "case00.png"
    (one,) = inputs_of([f"PET={image}", f"CT={image}", "age=63", "sex=F"])
    case = one.open()
    assert list(case.images) == ["PET", "CT"] and case.facts == {"age": 63.0, "sex": "F"}
    with pytest.raises(UsageError, match="bound by name"):
        inputs_of([f"PET={image}", str(image)])
    with pytest.raises(UsageError, match="no image"):
        inputs_of(["age=63"])


def test_a_place_in_an_array_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "scans.npz", images=np.zeros((3, 8, 9), np.uint8))
    (one,) = inputs_of([f"{tmp_path / 'scans.npz'}#images[2]"])
    assert one.open().image().shape == (8, 9) and "/" not in one.name and "[" not in one.name


def test_roles_and_facts_in_one_mapping(discs_folder: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    case = of_roles({"T1": path, "T2": np.zeros((48, 48)), "age": 61, "smoker": True, "site": "north", "dose": None})
    assert list(case.images) == ["T1", "T2"] and case.lead == "T1"
    assert dict(case.facts) == {"age": 61, "smoker": True, "site": "north", "dose": None}
    assert of_roles({"image": str(path)}).image().shape == (48, 48)
    with pytest.raises(UsageError, match="no image among the inputs: got age, needed a role"):
        of_roles({"age": 61})


def test_what_binds_by_name(discs_folder: Path) -> None:
    assert bound(["T1=a.png"]) and bound(["a.png", "age=61"]) and not bound(["a.png", "b.png"]) and not bound([])
    assert not bound([discs_folder, np.zeros(3), {"T1": "a.png"}]), "only words bind by a sign"
