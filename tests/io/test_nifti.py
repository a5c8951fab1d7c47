from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from isocenter.data import Geometry, Image, Problem, Segmentation
from isocenter.errors import AmbiguousError, GeometryError, IsocenterError, OutputError, ResourceError, UnreadableError
from isocenter.io import nifti, problems, read_image, write

AFFINE = np.asarray([[-0.7, 0, 0, 90], [0, 0.7, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1.0]])
DTYPES = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64")


def made(path: Path, array: np.ndarray, affine: np.ndarray | None = AFFINE, **header: object) -> Path:
    """A file by nibabel, axes i, j, k."""
    image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def patched(path: Path, offset: int, code: str, *values: float) -> Path:
    """The file with header fields overwritten."""
    data = bytearray(path.read_bytes())
    struct.pack_into(f"<{code}", data, offset, *values)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_of_number_is_read_as_nibabel_reads_it(
    dtype: str, end: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 100, (4, 5, 6)).astype(dtype)
    image = read_image(made(tmp_path / f"a{end}", array))
    assert (image.axes, image.shape, image.dtype) == ("zyx", (6, 5, 4), dtype)
    found = image.pixels()
    assert found.dtype == dtype
    assert found.flags.writeable
    assert np.array_equal(found, array.T)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read(order: str, tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(-500, 500, (4, 5, 6)).astype("int16")
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(np.int16)
    nibabel.save(nibabel.Nifti1Image(array, AFFINE, header), tmp_path / "a.nii")
    image = read_image(tmp_path / "a.nii")
    assert np.array_equal(image.pixels(), array.T)
    assert image.pixels().dtype.isnative


def test_nifti_2_is_read(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 100, (4, 5, 6)).astype("int16")
    nibabel.save(nibabel.Nifti2Image(array, AFFINE), tmp_path / "a.nii.gz")
    image = read_image(tmp_path / "a.nii.gz")
    assert np.array_equal(image.pixels(), array.T)
    assert image.geometry.spacing == pytest.approx((2.5, 0.7, 0.7))


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    path = patched(made(tmp_path / "a.nii", array), 112, "ff", 0.5, -3.0)
    image = read_image(path)
    assert image.dtype == "float32"
    np.testing.assert_array_equal(image.pixels(), np.asarray(nibabel.load(path).dataobj).T)


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_that_means_none_is_ignored(slope: float, tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    image = read_image(patched(made(tmp_path / "a.nii", array), 112, "ff", slope, np.nan))
    assert image.dtype == "int16"
    assert np.array_equal(image.pixels(), array.T)


def test_the_world_is_turned_from_ras_to_lps(tmp_path: Path) -> None:
    image = read_image(made(tmp_path / "a.nii", np.zeros((4, 5, 6), np.uint8)))
    indices = np.asarray([[0, 0, 0], [5, 4, 3], [1, 2, 3]])
    ras = nibabel.affines.apply_affine(AFFINE, indices[:, ::-1])
    np.testing.assert_allclose(image.geometry.to_world(indices), ras * [-1, -1, 1], atol=1e-4)
    assert image.geometry.orientation == "SAL"
    assert image.geometry.spacing == pytest.approx((2.5, 0.7, 0.7))


def test_a_file_of_two_axes_stays_two_dimensional(tmp_path: Path) -> None:
    image = read_image(made(tmp_path / "a.nii", np.arange(20, dtype=np.uint8).reshape(4, 5)))
    assert (image.axes, image.shape) == ("yx", (5, 4))
    assert image.geometry.spacing == pytest.approx((0.7, 0.7))
    assert image.pixels()[2, 1] == 1 * 5 + 2


def test_a_trailing_axis_of_one_is_no_axis(tmp_path: Path) -> None:
    assert read_image(made(tmp_path / "a.nii", np.zeros((4, 5, 6, 1), np.uint8))).axes == "zyx"


def test_time_is_an_axis_where_units_and_step_say_so(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (4, 5, 6, 3)).astype("int16")
    image = nibabel.Nifti1Image(array, AFFINE)
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((0.7, 0.7, 2.5, 1500.0))
    image.header["toffset"] = 500.0
    nibabel.save(image, tmp_path / "a.nii.gz")
    film = read_image(tmp_path / "a.nii.gz")
    assert (film.axes, film.shape, film.times) == ("tzyx", (3, 6, 5, 4), (0.5, 2.0, 3.5))
    assert np.array_equal(film.pixels()[1], array[..., 1].T)


def test_a_fourth_axis_that_nobody_names_is_asked_for(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 99, (4, 5, 6, 2)).astype("int16")
    path = made(tmp_path / "a.nii", array)
    with pytest.raises(AmbiguousError, match=r"a\.nii: .*axes='tzyx' or axes='czyx'"):
        read_image(path)
    channels = read_image(path, axes="czyx")
    assert channels.axes == "czyx"
    assert np.array_equal(channels.pixels()[1], array[..., 1].T)
    assert read_image(path, axes="tzyx").times is None


def test_vectors_in_the_fifth_dimension_are_channels(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.normal(size=(4, 5, 6, 1, 3)).astype("float32")
    image = read_image(made(tmp_path / "a.nii", array, intent_code=1007))
    assert (image.axes, image.shape) == ("czyx", (3, 6, 5, 4))
    assert np.array_equal(image.pixels()[2], array[..., 0, 2].T)


def test_colour_voxels_are_channels(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (4, 5, 6, 3)).astype("uint8")
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    image = read_image(made(tmp_path / "a.nii", array.copy().view(kind)[..., 0]))
    assert (image.axes, image.channels, image.dtype) == ("czyx", ("red", "green", "blue"), "uint8")
    assert np.array_equal(image.pixels()[1], array[..., 1].T)


def test_complex_values_are_no_image(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"a\.nii: values that are no image: got complex64"):
        read_image(made(tmp_path / "a.nii", np.zeros((4, 5, 6), np.complex64)))


def test_a_header_without_its_pixels_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "a.nii", np.zeros((4, 5, 6), np.uint8))
    path.write_bytes(path.read_bytes()[:344] + b"ni1\0" + path.read_bytes()[348:])
    with pytest.raises(UnreadableError, match=r"\.hdr/\.img"):
        read_image(path)


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_pixels_are_read_anew_each_time(end: str, tmp_path: Path) -> None:
    array = np.zeros((4, 5, 6), np.uint8)
    image = read_image(made(tmp_path / f"a{end}", array))
    first = image.pixels()
    first[...] = 9
    assert not image.pixels().any()
    made(tmp_path / f"a{end}", array + 3)
    assert (image.pixels() == 3).all()


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 0.99, 0.999])
def test_a_file_that_is_cut_short_is_refused_by_name(
    share: float, end: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = made(tmp_path / f"a{end}", rng.integers(0, 30_000, (16, 16, 16)).astype("int16"))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsocenterError, match=path.name):
        read_image(path).pixels()


def test_a_flipped_byte_in_a_compressed_file_is_noticed(tmp_path: Path, rng: np.random.Generator) -> None:
    path = made(tmp_path / "a.nii.gz", rng.integers(0, 30_000, (16, 16, 16)).astype("int16"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableError, match=r"a\.nii\.gz"):
        read_image(path).pixels()


def test_files_of_several_gzip_members_are_read(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 30_000, (8, 8, 8)).astype("int16")
    data = made(tmp_path / "a.nii", array).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(b"".join(gzip.compress(data[i : i + 300]) for i in range(0, len(data), 300)))
    assert np.array_equal(read_image(tmp_path / "b.nii.gz").pixels(), array.T)


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_a_header_that_declares_a_giant_is_refused_before_anything_is_allocated(
    end: str, tmp_path: Path, little_memory: Callable[[int], object]
) -> None:
    path = patched(made(tmp_path / "a.nii", np.zeros((4, 4, 4), np.uint8)), 42, "hhh", 32767, 32767, 32767)
    if end == ".nii.gz":
        path = tmp_path / "b.nii.gz"
        path.write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    with little_memory(64), pytest.raises(UnreadableError, match=path.name):  # type: ignore[attr-defined]
        read_image(path)


def test_of_many_zeros_in_few_bytes_only_the_header_is_read(
    tmp_path: Path, little_memory: Callable[[int], object]
) -> None:
    header = nibabel.Nifti1Header()
    header.set_data_shape((1024, 1024, 128))
    header.set_data_dtype(np.int16)
    header["vox_offset"] = 352
    path = tmp_path / "a.nii.gz"
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        file.write(packer.compress(header.binaryblock + b"\0\0\0\0"))
        for _ in range(64):
            file.write(packer.compress(bytes(1 << 22)))
        file.write(packer.flush())
    with little_memory(96):  # type: ignore[attr-defined]
        image = read_image(path)
        assert image.shape == (128, 1024, 1024)
        with pytest.raises(ResourceError, match=r"a\.nii\.gz: memory does not suffice"):
            image.pixels()


@pytest.mark.parametrize(
    ("offset", "code", "values"),
    [(40, "h", (0,)), (40, "h", (9,)), (42, "h", (-4,)), (44, "h", (0,)), (70, "h", (12345,)), (108, "f", (np.nan,)),
     (108, "f", (-1e9,)), (108, "f", (1e30,)), (112, "ff", (1.0, np.inf))],
)
def test_header_fields_that_lie_are_refused(
    offset: int, code: str, values: tuple[float, ...], tmp_path: Path
) -> None:
    path = patched(made(tmp_path / "a.nii", np.ones((4, 5, 6), np.int16)), offset, code, *values)
    with pytest.raises(IsocenterError, match=r"a\.nii"):
        read_image(path).pixels()


def test_labels_keep_forms_codes_and_units_of_their_image(tmp_path: Path) -> None:
    source = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), None)
    source.set_sform(AFFINE, code=4)
    turned = AFFINE.copy()
    turned[:3, 3] += 1.0
    source.set_qform(turned, code=2)
    source.header.set_xyzt_units("mm", "sec")
    nibabel.save(source, tmp_path / "a.nii.gz")
    image = read_image(tmp_path / "a.nii.gz")
    labels = np.zeros(image.shape, np.uint8)
    labels[5, 4, 3] = 1
    path = write(Segmentation(labels, ("background", "liver"), image.geometry), tmp_path / "b.nii.gz", like=image)
    header = nibabel.load(path).header
    for name in nifti.FORMS:
        assert np.array_equal(header[name], source.header[name]), name
    assert header.get_xyzt_units()[0] == "mm"
    assert np.argwhere(np.asarray(nibabel.load(path).dataobj)).tolist() == [[3, 4, 5]]


def test_a_model_on_another_grid_is_not_copied(tmp_path: Path) -> None:
    image = read_image(made(tmp_path / "a.nii.gz", np.zeros((4, 5, 6), np.int16)))
    other = Geometry.from_spacing((6, 5, 4), (1.0, 1.0, 1.0))
    path = write(Segmentation(np.zeros((6, 5, 4), np.uint8), ("background",), other), tmp_path / "b.nii", like=image)
    assert read_image(path).geometry.same_grid(other)


def test_an_unknown_spacing_is_still_unknown_when_read_back(tmp_path: Path) -> None:
    path = write(Image.from_array(np.zeros((3, 4, 5), np.uint8)), tmp_path / "a.nii.gz")
    assert read_image(path).geometry.spacing is None
    assert [p.code for p in problems(path)] == ["spacing-unknown"]


@pytest.mark.parametrize("axes", ["yx", "zyx", "tzyx", "czyx", "tczyx"])
def test_images_come_back_as_they_were(axes: str, tmp_path: Path, rng: np.random.Generator) -> None:
    shape = {"t": 2, "c": 3, "z": 4, "y": 5, "x": 6}
    array = rng.integers(0, 99, [shape[a] for a in axes]).astype("int16")
    image = Image.from_array(array, axes=axes, spacing=(2.0, 1.5, 0.5)[-sum(a in "zyx" for a in axes) :])
    image = image.replaced(image.load, times=(0.5, 1.25)) if "t" in axes else image
    back = read_image(write(image, tmp_path / "a.nii.gz"))
    assert (back.axes, back.times) == (axes, image.times)
    assert np.array_equal(back.pixels(), array)
    assert back.geometry.spacing == image.geometry.spacing


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    image = Image.from_array(np.arange(60).reshape(3, 4, 5).astype("int16"), spacing=(1.0, 1.0, 1.0))
    assert write(image, tmp_path / "a.nii.gz").read_bytes() == write(image, tmp_path / "b.nii.gz").read_bytes()


def test_a_picture_with_channels_would_need_a_made_up_axis(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((3, 4, 5), np.uint8), axes="cyx")
    with pytest.raises(OutputError, match=r"a\.nii: NIfTI would need a made-up axis.*Write \.tif"):
        write(image, tmp_path / "a.nii")
    assert list(tmp_path.iterdir()) == []


def test_more_than_32767_pixels_along_an_axis_need_nifti_2(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((2, 3, 40_000), np.uint8), spacing=(1.0, 1.0, 1.0))
    path = write(image, tmp_path / "a.nii.gz")
    assert isinstance(nibabel.load(path), nibabel.Nifti2Image)
    assert read_image(path).shape == (2, 3, 40_000)


def test_a_sound_file_raises_no_problem(tmp_path: Path) -> None:
    heard: list[Problem] = []
    read_image(made(tmp_path / "a.nii", np.zeros((4, 5, 6), np.uint8)), note=heard.append)
    assert heard == []


def test_real_files_of_four_orientations_agree_with_nibabel(real_data: Callable[[str], Path]) -> None:
    seen = set()
    for path in sorted(real_data("spinal-cord-sct").rglob("*.nii.gz")):
        image, theirs = read_image(path), nibabel.load(path)
        np.testing.assert_allclose(image.pixels(), np.asarray(theirs.dataobj).T, rtol=1e-6)
        corner = np.asarray([[s - 1 for s in image.geometry.shape]])
        ras = nibabel.affines.apply_affine(theirs.affine, corner[:, ::-1])
        np.testing.assert_allclose(image.geometry.to_world(corner), ras * [-1, -1, 1], atol=1e-3)
        seen.add(image.geometry.orientation)
    assert len(seen) >= 3


def test_a_singular_affine_is_refused(tmp_path: Path) -> None:
    path = patched(made(tmp_path / "a.nii", np.zeros((4, 5, 6), np.uint8)), 280, "ffff", 0, 0, 0, 0)
    with pytest.raises(GeometryError, match=r"a\.nii: the affine is singular"):
        read_image(path)
