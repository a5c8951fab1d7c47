from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.data import Image
from isocenter.errors import MissingFileError, UnreadableError
from isocenter.io import formats, sniff, write


@pytest.fixture
def samples(tmp_path: Path, dicom: Callable[..., Path]) -> dict[str, Path]:
    """A file of each format."""
    array = np.arange(30, dtype=np.uint8).reshape(5, 6)
    image = Image.from_array(array)
    made = {name: write(image, tmp_path / f"a{end}") for name, end in (
        ("nifti", ".nii"), ("png", ".png"), ("tiff", ".tif"), ("npy", ".npy"), ("npz", ".npz"),
    )}
    PIL.Image.fromarray(array).save(tmp_path / "a.jpg")
    return made | {"jpeg": tmp_path / "a.jpg", "dicom": dicom(tmp_path / "a.dcm", array)}


def test_each_format_is_known_by_its_content(samples: dict[str, Path]) -> None:
    # Videos need an extra; their own test tells them by their content.
    assert set(samples) == set(formats.FORMATS) - {"video"}
    for name, path in samples.items():
        assert sniff(path) == name


def test_a_file_without_suffix_is_known_by_its_content(samples: dict[str, Path], tmp_path: Path) -> None:
    for name, path in samples.items():
        bare = tmp_path / f"bare_{name}"
        bare.write_bytes(path.read_bytes())
        assert sniff(bare) == name


def test_a_suffix_that_lies_is_refused_with_both_formats(samples: dict[str, Path], tmp_path: Path) -> None:
    for name, path in samples.items():
        for other, form in formats.FORMATS.items():
            if other == name:
                continue
            liar = tmp_path / f"liar{form.suffixes[0]}"
            liar.write_bytes(path.read_bytes())
            with pytest.raises(UnreadableError) as caught:
                sniff(liar)
            line = str(caught.value)
            assert line.startswith(str(liar))
            assert f"the suffix says {form.title}, the content is {formats.FORMATS[name].title}" in line
            assert "Rename it" in line


def test_a_gzipped_and_a_plain_nifti_are_one_format(samples: dict[str, Path], tmp_path: Path) -> None:
    import gzip

    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(samples["nifti"].read_bytes()))
    assert sniff(packed) == "nifti"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 ...", "PDF"), (b"8BPS\0\1", "PSD"), (b"%!PS-Adobe-3.0 EPSF", "PostScript"), (b"GIF89a", "GIF"),
        (b"BM\x36\0", "BMP"), (b"\x89HDF\r\n", "HDF5"), (b"PK\x03\x04" + bytes(60), "zip"), (b"\x1f\x8b\x08\0", "gzip"),
        (b"MZ\x90\0", "program"), (b"\x7fELF\2", "program"), (b"<html>", "HTML"), (b"nothing of the kind", "unknown"),
    ],
)
def test_a_picture_that_is_something_else_is_refused_by_name(content: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=rf"x\.png: cannot be read: got .*{kind}.*needed PNG"):
        sniff(path)


def test_an_empty_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "a.nii").touch()
    with pytest.raises(UnreadableError, match=r"a\.nii: the file is empty"):
        sniff(tmp_path / "a.nii")
    with pytest.raises(MissingFileError, match=r"b\.nii"):
        sniff(tmp_path / "b.nii")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.nii")
    with pytest.raises(UnreadableError, match=r"a\.nii: not a regular file"):
        sniff(tmp_path / "a.nii")


def test_a_folder_is_taken_for_dicom(tmp_path: Path) -> None:
    assert sniff(tmp_path) == "dicom"


def test_a_dicom_file_whose_preamble_looks_like_a_tiff_is_dicom(samples: dict[str, Path], tmp_path: Path) -> None:
    dual = tmp_path / "dual"
    dual.write_bytes(b"II*\0" + samples["dicom"].read_bytes()[4:])
    assert sniff(dual) == "dicom"


@pytest.mark.parametrize(("name", "end"), [("A.NII.GZ", ".nii.gz"), ("a.b.tif", ".tif"), ("a", ""), ("x.gz", ".gz")])
def test_suffixes(name: str, end: str) -> None:
    assert formats.suffix(Path(name)) == end


def test_every_format_module_claims_and_reads() -> None:
    for name in formats.FORMATS:
        module = formats.module(name)
        assert callable(module.claims) and callable(module.read)
        assert not module.claims(Path("x"), b"\0" * 1024), name
