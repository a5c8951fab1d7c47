"""Objects of other libraries in and out of the verbs: nibabel, SimpleITK, torch, pandas, numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter import io
from isocenter.data import Probabilities, Segmentation
from isocenter.errors import GeometryError, InputError, UsageError

SPACING = (2.5, 0.8, 0.8)


def block() -> np.ndarray:
    """A volume with one bright box of 4 x 7 x 12 voxels, (z, y, x)."""
    volume = np.random.default_rng(0).normal(0, 3, (6, 20, 24)).astype(np.float32)
    volume[1:5, 5:12, 6:18] += 100
    return volume


def nibabel_image(array: np.ndarray, *, shift: float = 0.0) -> Any:
    nibabel = pytest.importorskip("nibabel")
    affine = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])
    affine[0, 3] = shift
    return nibabel.Nifti1Image(array.transpose(), affine)


def sitk_image(array: np.ndarray) -> Any:
    sitk = pytest.importorskip("SimpleITK")
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(SPACING[::-1])
    return made


def torch_tensor(array: np.ndarray) -> Any:
    return pytest.importorskip("torch").from_numpy(array)


KINDS: dict[str, Callable[[np.ndarray], Any]] = {
    "nibabel": nibabel_image,
    "SimpleITK": sitk_image,
    "torch": torch_tensor,
    "numpy": np.asarray,
}
every_kind = pytest.mark.parametrize("kind", list(KINDS))
placed_kind = pytest.mark.parametrize("kind", ["nibabel", "SimpleITK"])


@every_kind
def test_predict_answers_on_the_objects_own_grid(kind: str) -> None:
    found = iso.predict("segment/histogram", KINDS[kind](block()))
    assert isinstance(found, Segmentation) and int((found.labels > 0).sum()) == 4 * 7 * 12
    known = kind in ("nibabel", "SimpleITK")
    assert found.geometry.spacing == (pytest.approx(SPACING) if known else None)
    volume = found.volume_ml(found.regions[0])
    assert volume == (pytest.approx(336 * 2.5 * 0.64 / 1000) if known else None)


@placed_kind
def test_the_answer_goes_back_to_the_library_that_the_image_came_from(kind: str) -> None:
    given = KINDS[kind](block())
    found = iso.predict("segment/histogram", given)
    if kind == "nibabel":
        back = io.to_nibabel(found)
        assert back.shape == given.shape and np.allclose(back.affine, given.affine)
        assert np.asarray(back.dataobj).sum() == 336
    else:
        back = io.to_sitk(found)
        assert back.GetSize() == given.GetSize() and back.GetSpacing() == pytest.approx(given.GetSpacing())
        assert back.GetDirection() == given.GetDirection() and back.GetOrigin() == given.GetOrigin()


def test_several_objects_are_several_answers() -> None:
    found = iso.predict("segment/histogram", [KINDS[kind](block()) for kind in KINDS])
    assert len(found) == 4 and all(np.array_equal(f.labels, found[0].labels) for f in found)


@every_kind
def test_read_look_and_write_take_objects(kind: str, tmp_path: Path) -> None:
    given = KINDS[kind](block())
    case = iso.read(given)
    assert case.image().shape == (6, 20, 24) and np.array_equal(case.image().pixels(), block())
    looked = iso.look(given)
    assert looked.exit_code == 0 and looked.items[0].kind == "image"
    assert "6 x 20 x 24 (zyx)" in "\n".join(looked.lines())
    assert iso.look(given).as_json()["picture"]["high"] > 90
    path = iso.write(given, tmp_path / "out.nii.gz")
    again = iso.read(path).image()
    spacing = case.image().geometry.spacing
    # NIfTI keeps places as float32.
    assert np.array_equal(again.pixels(), block()) and again.geometry.spacing == (spacing and pytest.approx(spacing))


def test_read_binds_objects_and_files_to_roles(tmp_path: Path) -> None:
    moving = iso.write(block(), tmp_path / "moving.nii.gz")
    case = iso.read(fixed=nibabel_image(block()), moving=moving)
    assert list(case.images) == ["fixed", "moving"] and case.lead == "fixed"
    assert case.image("moving").source.format == "nifti" and case.image("fixed").source.format == "nibabel"


@placed_kind
def test_check_takes_one_image_that_knows_its_grid(kind: str) -> None:
    checked = iso.check(KINDS[kind](block()))
    assert checked.found.ok and "images alone" in "\n".join(checked.lines())


def test_a_bare_array_is_not_guessed_to_be_one_volume_or_many_pictures() -> None:
    with pytest.raises(UsageError, match="not data: got ndarray"):
        iso.check(block())


@pytest.mark.parametrize("thing", [object(), 3, {"a"}])
def test_other_things_are_refused_in_one_line(thing: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not an image"):
        iso.predict("segment/histogram", thing)
    with pytest.raises(InputError, match="not an image"):
        iso.read(thing)
    with pytest.raises(InputError, match="not an image"):
        iso.write(thing, tmp_path / "out.png")
    assert not list(tmp_path.iterdir())
    assert iso.look(thing).exit_code == 1


def test_roles_and_facts_by_name() -> None:
    class Asked:
        task = "segment"

        def predict(self, case: Any) -> Any:
            return sorted(case.images), dict(case.facts), case.image().shape

    given = {"T1": nibabel_image(block()), "T2": block(), "age": 61, "sex": "f"}
    assert iso.predict(Asked(), given) == (["T1", "T2"], {"age": 61, "sex": "f"}, (6, 20, 24))
    with pytest.raises(UsageError, match="no image among the inputs"):
        iso.predict(Asked(), {"age": 61})


def test_bindings_as_text_are_one_case(discs_folder: Path) -> None:
    class Asked:
        task = "segment"

        def predict(self, case: Any) -> Any:
            return sorted(case.images), dict(case.facts)

    image = discs_folder / "images" / "case00.png"
    assert iso.predict(Asked(), [f"T1={image}", "age=61"]) == (["T1"], {"age": 61.0})
    assert iso.predict(Asked(), {"T1": str(image), "site": "north"}) == (["T1"], {"site": "north"})


def patients() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """24 small volumes with a bright box of one of two sizes, and the boxes."""
    rng = np.random.default_rng(1)
    volumes, masks = [], []
    for i in range(24):
        mask = np.zeros((6, 12, 12), np.uint8)
        side = 3 + 3 * (i % 2)
        mask[1:5, 2 : 2 + side, 3 : 3 + side] = 1
        masks.append(mask)
        volumes.append((rng.normal(0, 3, mask.shape) + 60 * mask).astype(np.float32))
    return volumes, masks


@every_kind
def test_images_and_masks_as_objects_are_data(kind: str) -> None:
    volumes, masks = patients()
    from isocenter import layouts

    make = KINDS[kind]
    cases = layouts.read(([make(v) for v in volumes], [make(m) for m in masks]), task="segment")
    assert len(cases) == 24 and cases.classes == ("foreground",)
    truth = cases[3].truth()
    assert isinstance(truth, Segmentation) and np.array_equal(truth.labels, masks[3])
    scores = iso.evaluate("segment/histogram", cases, split="all")
    assert scores.metrics["dice"]["foreground"].value > 0.95
    known = kind in ("nibabel", "SimpleITK")
    assert scores.metrics["hd95"]["foreground"].unit == ("mm" if known else "px")


def test_a_mask_that_lies_elsewhere_than_its_image_is_refused() -> None:
    volumes, masks = patients()
    y = [nibabel_image(m, shift=30.0 if i == 2 else 0.0) for i, m in enumerate(masks)]
    from isocenter import layouts

    with pytest.raises(GeometryError, match="label map 2: the label has its image's shape but lies elsewhere"):
        layouts.read(([nibabel_image(v) for v in volumes], y), task="segment")


def test_one_image_and_one_mask_are_not_taken_for_many() -> None:
    volumes, masks = patients()
    with pytest.raises(InputError, match="x is one image"):
        iso.evaluate("segment/histogram", (nibabel_image(volumes[0]), nibabel_image(masks[0])), split="all")


@pytest.mark.parametrize("kind", ["torch", "numpy", "pandas", "list"])
def test_train_takes_tensors_and_columns(kind: str) -> None:
    volumes, _ = patients()
    x: Any = np.stack(volumes)
    y: Any = np.asarray([i % 2 for i in range(24)])
    if kind == "torch":
        torch = pytest.importorskip("torch")
        x, y = torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)
    elif kind == "pandas":
        pandas = pytest.importorskip("pandas")
        y = pandas.Series(np.where(y, "large", "small"), index=range(100, 124))
    elif kind == "list":
        x, y = list(volumes), y.tolist()
    made = iso.train("classify", (x, y), method="linear", threads=1)
    assert made.cases.classes == (("large", "small") if kind == "pandas" else ("0", "1"))
    answer = made.predict(made.cases[5])
    assert isinstance(answer, Probabilities) and answer.label in ("large", "1")


def test_a_data_frame_is_a_table_and_scores_become_one(discs_folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(discs_folder / "manifest.csv")
    for column in ("image", "mask"):
        frame[column] = [str(discs_folder / name) for name in frame[column]]
    made = iso.train("classify", frame, method="linear", threads=1)
    assert made.cases.splits == {"train": 14, "val": 4, "test": 6}
    scores = iso.evaluate(made, frame)
    table = io.to_pandas(scores)
    assert set(table.columns) == {"metric", "target", "value", "low", "high", "n", "unit", "flags"}
    assert table.query("metric == 'auc' and target == 'all'").value.item() == 1.0
    assert len(io.to_pandas(made.cases)) == 24
    with pytest.raises(InputError, match="no table"):
        io.to_pandas(made.cases[0].image())


def test_explain_takes_objects(trained_classifier: Path) -> None:
    picture = np.zeros((48, 48), np.uint8)
    picture[10:30, 10:30] = 150
    plain = iso.explain(trained_classifier, picture)
    assert plain.found.values.shape == (48, 48)
    again = iso.explain(trained_classifier, torch_tensor(picture))
    assert np.array_equal(plain.found.values, again.found.values)
