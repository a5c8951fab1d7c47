from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile

from isocenter.data import (
    Attribution,
    Geometry,
    Image,
    Perturbation,
    Probabilities,
    Segmentation,
    Transform,
    Value,
    Values,
)
from isocenter.errors import OutputError, ResourceError
from isocenter.io import array_at, read_image, read_labels, write, write_overlay
from isocenter.io.writing import ARRAYS

GRID = Geometry.from_spacing((3, 4, 5), (2.0, 0.5, 0.25), origin=(10.0, 20.0, 30.0))


@pytest.fixture
def found() -> Segmentation:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1, 2, 3], labels[2, 0, 4] = 1, 2
    return Segmentation(labels, ("background", "tumour", "vessel"), GRID)


@pytest.mark.parametrize("end", [".nii", ".nii.gz", ".tif", ".npy", ".npz"])
def test_a_segmentation_comes_back_from_every_format(end: str, tmp_path: Path, found: Segmentation) -> None:
    path = write(found, tmp_path / f"a{end}")
    assert path == tmp_path / f"a{end}"
    if end == ".npz":
        assert np.array_equal(array_at(f"{path}#labels"), found.labels)
    elif end == ".npy":
        assert np.array_equal(array_at(path), found.labels)
    else:
        labels, geometry = read_labels(path)
        assert np.array_equal(labels, found.labels)
        assert geometry.spacing == pytest.approx(GRID.spacing)


def test_a_nifti_of_labels_is_where_its_image_is(tmp_path: Path, found: Segmentation) -> None:
    _, geometry = read_labels(write(found, tmp_path / "a.nii.gz"))
    assert geometry.same_grid(GRID, 1e-4)


def test_a_plane_of_labels_is_a_png(tmp_path: Path) -> None:
    labels = np.eye(6, dtype=np.uint8)
    path = write(Segmentation(labels, ("background", "x"), Geometry((6, 6))), tmp_path / "a.png")
    assert np.array_equal(read_labels(path)[0], labels)


def test_files_use_the_numbers_of_the_data_set(tmp_path: Path, found: Segmentation) -> None:
    codes = {"background": 0, "tumour": 255, "vessel": 1000}
    labels, _ = read_labels(write(found, tmp_path / "a.nii.gz", codes=codes))
    assert (labels[1, 2, 3], labels[2, 0, 4]) == (255, 1000)


def test_heat_is_written_as_numbers_and_as_picture(tmp_path: Path) -> None:
    values = np.zeros((8, 8), np.float32)
    values[2, 3], values[5, 5] = 1.0, -1.0
    heat = Attribution(values, Geometry((8, 8)), "pneumonia", "grad-cam")
    assert np.array_equal(np.asarray(nibabel.load(write(heat, tmp_path / "a.nii")).dataobj).T, values)
    assert np.array_equal(tifffile.imread(write(heat, tmp_path / "a.tif")), values)
    image = Image.from_array(np.full((8, 8), 100, np.uint8))
    pixels = read_image(write(heat, tmp_path / "a.png", like=image)).pixels()
    assert pixels.shape == (3, 8, 8)
    assert pixels[0, 2, 3] > pixels[2, 2, 3]
    assert pixels[2, 5, 5] > pixels[0, 5, 5]
    assert pixels[:, 0, 0].tolist() == [100, 100, 100]


def test_probabilities_and_values_are_texts(tmp_path: Path) -> None:
    answer = Probabilities(("normal", "pneumonia"), (0.25, 0.75))
    document = json.loads(write(answer, tmp_path / "a.json").read_text(encoding="utf-8"))
    assert document["decided"] == ["pneumonia"]
    assert document["items"][1] == {"name": "pneumonia", "value": 0.75, "unit": "", "low": None, "high": None}
    values = Values({"volume": Value(12.5, "ml", 11.0, 14.0)})
    rows = list(csv.DictReader(write(values, tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()))
    assert rows == [{"name": "volume", "value": "12.5", "unit": "ml", "low": "11.0", "high": "14.0"}]


def test_nothing_is_overwritten_unless_asked(tmp_path: Path, found: Segmentation) -> None:
    for name, value in (("a.nii", found), ("a.csv", Values({}))):
        write(value, tmp_path / name)
        before = (tmp_path / name).read_bytes()
        with pytest.raises(OutputError, match="the file exists"):
            write(value, tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
        assert write(value, tmp_path / name, overwrite=True).read_bytes() == before


def test_a_suffix_that_does_not_fit_is_refused_with_those_that_do(tmp_path: Path, found: Segmentation) -> None:
    with pytest.raises(OutputError, match=r"no format of a Segmentation has the suffix '\.jpg'.*\.nii\.gz, \.tif"):
        write(found, tmp_path / "a.jpg")
    with pytest.raises(OutputError, match=r"a\.dcm: Segmentation as DICOM is not written yet.*\.nii"):
        write(found, tmp_path / "a.dcm")
    with pytest.raises(OutputError, match=r"no format of a Values has the suffix '\.nii'.*\.json, \.csv"):
        write(Values({}), tmp_path / "a.nii")
    with pytest.raises(OutputError, match="no format"):
        write(found, tmp_path / "a")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, found: Segmentation) -> None:
    with pytest.raises(OutputError, match=str(tmp_path / "a.png")):
        write(found, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, found: Segmentation) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        write(found, tmp_path / "a.nii")


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path, found: Segmentation) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write(found, tmp_path / "file" / "a.nii")


def test_a_full_disk_is_named_and_nothing_stays(tmp_path: Path, rng: np.random.Generator) -> None:
    import resource
    import signal

    # A limit on the size of files fails as a full disk does: in the middle of a write.
    image = Image.from_array(rng.integers(0, 255, (64, 64, 64)).astype(np.uint8))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        for name in ("a.nii", "a.nii.gz", "a.npy", "a.npz"):
            with pytest.raises(ResourceError, match=f"{name}: the disk is full"):
                write(image, tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_every_array_format_has_a_writer() -> None:
    from isocenter.io import formats

    for end, name in ARRAYS.items():
        assert end in formats.FORMATS[name].suffixes
        assert callable(formats.module(name).write)


def test_an_overlay_draws_outlines_in_the_palette(tmp_path: Path, found: Segmentation) -> None:
    image = Image.from_array(np.full(GRID.shape, 50, np.uint8), geometry=GRID)
    pixels = read_image(write_overlay(image, found, tmp_path / "a.png", index=1)).pixels()
    assert (230, 159, 0) in {tuple(c) for c in pixels.reshape(3, -1).T.tolist()}
    with pytest.raises(OutputError, match=r"overlays are PNG: got \.jpg"):
        write_overlay(image, found, tmp_path / "a.jpg")
    with pytest.raises(OutputError, match="the file exists"):
        write_overlay(image, found, tmp_path / "a.png")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("end", [".nii.gz", ".npz", ".npy", ".tif"])
def test_a_change_is_kept_on_the_grid_of_its_image(end: str, channels: int, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(channels, *GRID.shape)).astype(np.float32)
    same = Probabilities(("a", "b"), (0.9, 0.1))
    found = Perturbation(values, GRID, same, same, same, "pgd")
    path = write(found, tmp_path / f"a{end}")
    wanted = values[0] if channels == 1 else values
    if end in (".npy", ".npz"):
        assert np.array_equal(array_at(path if end == ".npy" else f"{path}#values"), wanted)
        return
    image = read_image(path)
    assert np.array_equal(image.channels_first(), values)
    if end == ".nii.gz":
        assert image.geometry.same_grid(GRID, 1e-4)


def test_the_picture_of_a_change_needs_its_image(tmp_path: Path) -> None:
    same = Probabilities(("a", "b"), (0.9, 0.1))
    added = np.full((1, 8, 8), 2, np.float32)
    found = Perturbation(added, Geometry((8, 8)), same, same, same, "pgd", span=(0.0, 255.0))
    with pytest.raises(OutputError, match="needs the image"):
        write(found, tmp_path / "a.png")
    image = Image.from_array(np.full((8, 8), 50, np.uint8))
    drawn = read_image(write(found, tmp_path / "a.png", like=image)).pixels()
    assert set(np.unique(drawn)) == {50, 52, 128, 168} and not (tmp_path / "a.png.part").exists()


def test_a_transform_is_written_by_its_suffix(tmp_path: Path) -> None:
    still = Transform.identity(GRID, GRID)
    assert write(still, tmp_path / "t.tfm").read_text().startswith("#Insight Transform File")
    assert read_image(write(still, tmp_path / "t.nii.gz")).axes == "czyx"
    with pytest.raises(OutputError, match="Transform"):
        write(still, tmp_path / "t.png")
