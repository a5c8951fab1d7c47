from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from isocenter.data import Cases, Geometry, Image, Probabilities, Score, Scores, Segmentation, Value, Values
from isocenter.errors import AmbiguousError, GeometryError, InputError, LabelError, OutputError
from isocenter.io import as_image, as_labels, placed, read_image, to_nibabel, to_pandas, to_sitk, to_torch, write

# An oblique grid of three spacings: nothing about it is symmetric.
ANGLE = np.radians(20.0)
OBLIQUE = Geometry(
    (3, 4, 5),
    (
        (0.0, -np.sin(ANGLE) * 1.5, np.cos(ANGLE) * 0.5, -12.0), (0.0, np.cos(ANGLE) * 1.5, np.sin(ANGLE) * 0.5, 34.0),
        (2.5, 0.0, 0.0, -56.0), (0.0, 0.0, 0.0, 1.0),
    ),
)


@pytest.fixture
def image(rng: np.random.Generator) -> Image:
    array = rng.integers(-100, 100, OBLIQUE.shape).astype(np.int16)
    return Image.from_array(array, geometry=OBLIQUE)


@pytest.mark.parametrize("there", [to_nibabel, to_sitk])
def test_pixels_and_place_survive_both_ways(there: Callable[[Image], object], image: Image) -> None:
    back = as_image(there(image))
    assert (back.axes, back.dtype) == ("zyx", "int16")
    assert np.array_equal(back.pixels(), image.pixels())
    assert back.geometry.same_grid(OBLIQUE, 1e-4)


@pytest.mark.parametrize("there", [to_nibabel, to_sitk])
def test_an_unknown_spacing_survives_both_ways(there: Callable[[Image], object]) -> None:
    back = as_image(there(Image.from_array(np.zeros((4, 5), np.uint8))))
    assert back.axes == "yx"
    assert back.geometry.spacing is None


def test_nibabel_sees_the_same_point_in_ras(image: Image) -> None:
    theirs = to_nibabel(image)
    assert theirs.shape == (5, 4, 3)
    point = nibabel.affines.apply_affine(theirs.affine, [4, 1, 2])
    np.testing.assert_allclose(point * [-1, -1, 1], OBLIQUE.to_world(np.asarray([[2, 1, 4]]))[0], atol=1e-4)
    assert theirs.dataobj[4, 1, 2] == image.pixels()[2, 1, 4]


def test_simpleitk_sees_the_same_point(image: Image) -> None:
    theirs = to_sitk(image)
    assert theirs.GetSize() == (5, 4, 3)
    np.testing.assert_allclose(
        theirs.TransformIndexToPhysicalPoint((4, 1, 2)), OBLIQUE.to_world(np.asarray([[2, 1, 4]]))[0], atol=1e-6
    )
    assert theirs[4, 1, 2] == image.pixels()[2, 1, 4]


def test_a_slice_in_the_patient_is_a_volume_of_one_slice_for_simpleitk() -> None:
    m = ((0.0, 0.5, 10.0), (0.0, 0.0, 20.0), (0.8, 0.0, -30.0), (0.0, 0.0, 1.0))
    array = np.arange(20, dtype=np.uint8).reshape(4, 5)
    theirs = to_sitk(Image.from_array(array, geometry=Geometry((4, 5), m)))
    assert theirs.GetSize() == (5, 4, 1)
    np.testing.assert_allclose(theirs.TransformIndexToPhysicalPoint((4, 3, 0)), (12.0, 20.0, -27.6), atol=1e-9)


def test_channels_survive_both_ways(rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (3, 4, 5)).astype(np.uint8)
    picture = Image.from_array(array, axes="cyx", spacing=(0.5, 0.25))
    back = as_image(to_sitk(picture))
    assert (back.axes, back.geometry.spacing) == ("cyx", (0.5, 0.25))
    assert np.array_equal(back.pixels(), array)
    volume = Image.from_array(rng.integers(0, 9, (2, 3, 4, 5)).astype(np.int16), axes="czyx", spacing=(1.0, 1.0, 1.0))
    for there in (to_sitk, to_nibabel):
        back = as_image(there(volume))
        assert back.axes == "czyx"
        assert np.array_equal(back.pixels(), volume.pixels())


def test_films_survive_nibabel_and_are_refused_by_simpleitk() -> None:
    film = Image.from_array(np.zeros((4, 3, 5, 6), np.int16), axes="tzyx", spacing=(1.0, 1.0, 1.0))
    film = film.replaced(film.load, times=(0.0, 2.0, 4.0, 6.0))
    back = as_image(to_nibabel(film))
    assert (back.axes, back.times) == ("tzyx", (0.0, 2.0, 4.0, 6.0))
    with pytest.raises(InputError, match="a film"):
        to_sitk(film)


def test_four_axes_of_nibabel_without_a_word_are_asked_for() -> None:
    theirs = nibabel.Nifti1Image(np.zeros((5, 4, 3, 2), np.int16), np.eye(4))
    with pytest.raises(AmbiguousError, match="axes='tzyx' or axes='czyx'"):
        as_image(theirs)
    assert as_image(theirs, axes="czyx").axes == "czyx"


def test_an_affine_of_nan_is_refused() -> None:
    theirs = nibabel.Nifti1Image(np.zeros((5, 4, 3), np.int16), np.eye(4))
    theirs.affine[0, 0] = np.nan
    with pytest.raises(GeometryError, match="NaN"):
        as_image(theirs)


def test_scaled_nibabel_files_are_read_scaled(tmp_path: Path) -> None:
    theirs = nibabel.Nifti1Image(np.arange(60).reshape(5, 4, 3) / 7.0, np.eye(4))
    theirs.header.set_data_dtype(np.int16)
    nibabel.save(theirs, tmp_path / "a.nii")
    loaded = nibabel.load(tmp_path / "a.nii")
    back = as_image(loaded)
    assert np.allclose(back.pixels(), np.asarray(loaded.dataobj).T)
    assert back.pixels().dtype.name == back.dtype


def test_arrays_are_taken_with_their_axes_said(rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (4, 5, 3)).astype(np.uint8)
    assert as_image(array[..., 0]).axes == "yx"
    assert as_image(array).axes == "zyx"
    picture = as_image(array, axes="yxc", spacing=(2.0, 1.0))
    assert (picture.axes, picture.shape, picture.geometry.spacing) == ("cyx", (3, 4, 5), (2.0, 1.0))
    assert np.array_equal(picture.pixels()[1], array[..., 1])
    with pytest.raises(AmbiguousError, match="axes='tzyx' or axes='czyx'"):
        as_image(np.zeros((2, 3, 4, 5)))
    assert as_image(np.eye(3, dtype=bool)).dtype == "uint8"


def test_torch_tensors_in_and_out(image: Image) -> None:
    torch = pytest.importorskip("torch")
    tensor = to_torch(image)
    assert tensor.shape == (3, 4, 5) and tensor.dtype == torch.int16
    tensor[0, 0, 0] = 99
    assert image.pixels()[0, 0, 0] != 99
    back = as_image(tensor.requires_grad_(False), spacing=(2.0, 1.0, 1.0))
    assert back.geometry.spacing == (2.0, 1.0, 1.0)
    assert back.pixels()[0, 0, 0] == 99
    assert as_image(torch.zeros(4, 5, requires_grad=True)).shape == (4, 5)


def test_images_and_paths_pass_through(image: Image, tmp_path: Path) -> None:
    assert as_image(image) is image
    assert as_image(image, spacing=(9.0, 9.0, 9.0)).geometry.spacing == pytest.approx((9.0, 9.0, 9.0))
    path = write(image, tmp_path / "a.nii.gz")
    assert np.array_equal(as_image(path).pixels(), image.pixels())
    assert np.array_equal(as_image(str(path)).pixels(), image.pixels())


@pytest.mark.parametrize("thing", [None, 3, object(), {"a": 1}])
def test_other_things_are_no_images(thing: object) -> None:
    with pytest.raises(InputError, match=f"not an image: got {type(thing).__name__}"):
        as_image(thing)


def test_labels_go_out_like_images() -> None:
    labels = np.zeros(OBLIQUE.shape, np.uint8)
    labels[2, 1, 4] = 1
    found = Segmentation(labels, ("background", "x"), OBLIQUE)
    assert to_sitk(found)[4, 1, 2] == 1
    assert to_nibabel(found).dataobj[4, 1, 2] == 1
    assert to_torch(found).sum() == 1


def test_a_colour_picture_has_no_place_in_nifti() -> None:
    with pytest.raises(OutputError, match="made-up axis"):
        to_nibabel(Image.from_array(np.zeros((3, 4, 5), np.uint8), axes="cyx"))


def test_tables() -> None:
    score = Score(0.9, 0.85, 0.95, 12, "", ("few_subjects",))
    scores = Scores("segment", "unet", "test", {"dice": {"all": score, "lung": score}}, (), 9)
    table = to_pandas(scores)
    assert table[["metric", "target", "value", "n", "flags"]].to_numpy().tolist() == [
        ["dice", "all", 0.9, 12, "few_subjects"], ["dice", "lung", 0.9, 12, "few_subjects"],
    ]
    cases = Cases.from_arrays(np.zeros((2, 4, 4)), ["a", "b"], subjects=["s1", "s2"], splits=["train", "test"])
    table = to_pandas(cases)
    assert table["labels"].tolist() == ["a", "b"]
    assert table["split"].tolist() == ["train", "test"]
    assert to_pandas(Probabilities(("a", "b"), (0.25, 0.75)))["value"].tolist() == [0.25, 0.75]
    assert to_pandas(Values({"v": Value(2.0, "ml")}))["unit"].tolist() == ["ml"]
    with pytest.raises(InputError, match="no table"):
        to_pandas(3)  # type: ignore[arg-type]


def test_simpleitk_reads_our_nifti_at_the_same_place(image: Image, tmp_path: Path) -> None:
    import SimpleITK

    theirs = SimpleITK.ReadImage(str(write(image, tmp_path / "a.nii.gz")))
    assert np.array_equal(SimpleITK.GetArrayFromImage(theirs), image.pixels())
    assert as_image(theirs).geometry.same_grid(read_image(tmp_path / "a.nii.gz").geometry, 1e-3)


@pytest.mark.parametrize("kind", ["nibabel", "numpy", "torch", "path"])
def test_label_maps_are_whole_numbers_with_their_grid(kind: str, tmp_path: Path) -> None:
    numbers = np.zeros((3, 4, 5), np.float32)
    numbers[1, 2, 3] = 7
    given: object = numbers
    if kind == "nibabel":
        given = nibabel.Nifti1Image(numbers.transpose(), np.diag([-1.0, -1.0, 2.0, 1.0]))
    elif kind == "torch":
        given = pytest.importorskip("torch").from_numpy(numbers)
    elif kind == "path":
        given = write(Image.from_array(numbers, axes="zyx"), tmp_path / "m.nii.gz")
    array, geometry = as_labels(given)
    assert array.dtype.kind in "iu" and array.shape == geometry.shape == (3, 4, 5) and array[1, 2, 3] == 7
    assert geometry.spacing == ((2.0, 1.0, 1.0) if kind == "nibabel" else None)


def test_soft_maps_are_no_labels() -> None:
    with pytest.raises(LabelError, match=r"thing: labels that are not whole numbers: got 0.5"):
        as_labels(np.full((2, 2), 0.5), where="thing")


def test_which_objects_are_one_image_that_knows_its_grid() -> None:
    sitk = pytest.importorskip("SimpleITK")
    assert placed(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)))
    assert placed(sitk.GetImageFromArray(np.zeros((2, 2), np.uint8)))
    assert not any(map(placed, [np.zeros((2, 2)), sitk.ImageFileReader(), [1], "a.nii", None]))
