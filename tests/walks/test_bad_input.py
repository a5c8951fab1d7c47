"""Everything that can be wrong with what people bring: one line, exit code 1, nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
import pytest

from isocenter.faces import cli


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Answer]
Make = Callable[..., Path]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: what it gives back and writes."""

    def call(*words: object) -> Answer:
        code = cli.main([*map(str, words), "--threads", "1", "--quiet"])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


def refused(answer: Answer, *parts: str, code: int = 1) -> None:
    assert answer.code == code, answer
    assert answer.out == "" and "Traceback" not in answer.err
    assert len(answer.err.strip().splitlines()) == 1, answer.err
    for part in parts:
        assert part in answer.err, answer.err


def edited(folder: Path, change: Callable[[str], str]) -> Path:
    table = folder / "manifest.csv"
    table.write_text(change(table.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


@pytest.fixture
def volumes(tmp_path: Path) -> Make:
    """Makes a folder of small NIfTI volumes with labels: ``volumes(affine of image, affine of label)``."""

    def make(*, image: object = None, label: object = None, shape: tuple[int, ...] = (6, 7, 8), value: int = 1) -> Path:
        folder = tmp_path / "volumes"
        folder.mkdir()
        rows = ["image,mask,subject,split"]
        for i, split in enumerate(("train", "train", "val", "test")):
            pixels = np.zeros((6, 7, 8), np.int16)
            pixels[2:4, 2:4, 2:4] = 100 + i
            labels = np.zeros(shape, np.uint8)
            labels[2:4, 2:4, 2:4] = value
            for name, array, affine in ((f"i{i}", pixels, image), (f"m{i}", labels, label)):
                data = bytearray(nibabel.Nifti1Image(array, np.eye(4)).to_bytes())
                if affine is not None:
                    # nibabel writes no broken affine: qform_code, sform_code, and the three rows of the sform.
                    data[252:256] = struct.pack("<hh", 0, 1)
                    data[280:328] = np.asarray(affine, "<f4")[:3].tobytes()
                (folder / f"{name}.nii.gz").write_bytes(gzip.compress(bytes(data)))
            rows.append(f"i{i}.nii.gz,m{i}.nii.gz,p{i},{split}")
        (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return folder

    return make


VERBS = {
    "evaluate": lambda data, out: ("evaluate", "segment/histogram", data),
    "train": lambda data, out: ("train", "segment", data, "--method", "histogram", "-o", out / "x.bundle"),
    "compare": lambda data, out: ("compare", "segment", data, "--methods", "histogram", "-o", out / "report"),
    "split": lambda data, out: ("split", data, "-o", out / "split.csv"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_a_missing_or_empty_folder(run: Run, tmp_path: Path, verb: str, kind: str) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    if kind == "empty":
        data.mkdir()
    refused(run(*VERBS[verb](data, out)), str(data))
    assert not out.exists()
    assert run("look", data).code == 1


@pytest.mark.parametrize("suffix", [".png", ".nii.gz", ".dcm"])
def test_a_file_cut_short(run: Run, tmp_path: Path, discs_folder: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".png":
        shutil.copy(discs_folder / "images" / "case00.png", whole)
    elif suffix == ".dcm":
        from pydicom.data import get_testdata_file

        shutil.copy(str(get_testdata_file("CT_small.dcm", download=False)), whole)
    else:
        nibabel.save(
            nibabel.Nifti1Image(np.random.default_rng(0).integers(0, 99, (20, 20, 20)).astype(np.int16), np.eye(4)),
            whole,
        )
    data = whole.read_bytes()
    torn = tmp_path / f"torn{suffix}"
    torn.write_bytes(data[: len(data) * 2 // 3])
    refused(run("predict", "segment/histogram", torn, "-o", tmp_path / "out"), f"torn{suffix}")
    assert not (tmp_path / "out").exists()
    looked = run("look", torn)
    assert "error:" in looked.out and "Traceback" not in looked.err


@pytest.mark.parametrize("kind", ["nan", "infinite", "singular"])
def test_an_affine_that_cannot_be(run: Run, volumes: Make, tmp_path: Path, kind: str) -> None:
    affine = np.eye(4)
    affine[0, 0] = {"nan": np.nan, "infinite": np.inf, "singular": 0.0}[kind]
    folder = volumes(image=affine)
    refused(run("predict", "segment/histogram", folder / "i0.nii.gz", "-o", tmp_path / "out"), "affine")
    assert not (tmp_path / "out").exists()
    checked = run("check", folder)
    assert checked.code == 1 and "affine" in checked.out and "correct that first" in checked.out


def test_a_label_on_another_grid(run: Run, volumes: Make, tmp_path: Path) -> None:
    moved = np.eye(4)
    moved[0, 3] = 5.0
    folder = volumes(label=moved)
    refused(run("evaluate", "segment/histogram", folder), "grid")
    checked = run("check", folder)
    assert checked.code == 1 and "error:" in checked.out and "grid" in checked.out


def test_a_label_of_another_shape(run: Run, volumes: Make) -> None:
    folder = volumes(shape=(6, 7, 9))
    refused(run("evaluate", "segment/histogram", folder), "9")


def test_a_table_that_names_a_file_that_is_not_there(run: Run, discs: Make, tmp_path: Path) -> None:
    folder = edited(discs(tmp_path / "discs"), lambda t: t.replace("images/case03.png", "images/gone.png"))
    refused(run("evaluate", "segment/histogram", folder), "gone.png", "row 5")
    checked = run("check", folder)
    assert checked.code == 1 and "gone.png" in checked.out


def test_two_columns_that_could_both_be_the_truth(run: Run, discs: Make, tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    (folder / "cases.json").unlink()
    edited(folder, lambda t: "\n".join(
        f"{line},{'instances' if i == 0 else line.split(',')[1]}" for i, line in enumerate(t.splitlines())
    ).replace("mask,label", "mask,class") + "\n")
    edited(folder, lambda t: t.replace("image,mask,class", "image,mask,mask"))
    answer = run("evaluate", "segment/histogram", folder)
    refused(answer, "mask")


def test_a_class_in_test_that_train_lacks(run: Run, discs: Make, tmp_path: Path) -> None:
    folder = edited(discs(tmp_path / "discs"), lambda t: t.replace("big,p10", "huge,p10"))
    refused(run("evaluate", "classify/linear", folder), "huge", "unknown to train")
    refused(run("train", "classify", folder, "--method", "linear", "-o", tmp_path / "x.bundle"), "huge")
    assert not (tmp_path / "x.bundle").exists()


def test_a_patient_on_both_sides(run: Run, discs: Make, tmp_path: Path) -> None:
    folder = edited(discs(tmp_path / "discs"), lambda t: t.replace("p11,R,51,test", "p11,R,51,train"))
    for verb in ("train", "compare", "evaluate"):
        refused(run(*VERBS[verb](folder, tmp_path / "out")), "one group stands on 2 sides")
    assert not any(p.exists() for p in ((tmp_path / "out" / "x.bundle"), (tmp_path / "out" / "report")))
    checked = run("check", folder)
    assert checked.code == 1 and "error:" in checked.out and "2 sides" in checked.out


def test_identical_pixels_on_both_sides(run: Run, discs: Make, tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    shutil.copy(folder / "images" / "case00.png", folder / "images" / "case23.png")
    refused(run(*VERBS["train"](folder, tmp_path / "out")), "identical")


@pytest.mark.parametrize(
    ("setting", "nearest"),
    [("levls=3", "levels"), ("after.largst=true", "after.largest"), ("largest=true", "after.largest")],
)
def test_an_unknown_field(run: Run, discs_folder: Path, setting: str, nearest: str) -> None:
    refused(run("evaluate", "segment/histogram", discs_folder, "--set", setting), f"Did you mean {nearest}?")


@pytest.mark.parametrize("setting", ["levels=99", "levels=two", "levels=2.5", "after.largest=3"])
def test_a_value_that_cannot_be(run: Run, discs_folder: Path, setting: str) -> None:
    refused(run("evaluate", "segment/histogram", discs_folder, "--set", setting), setting.split("=")[0])


@pytest.mark.parametrize("name", ["network.onnx", "state.safetensors", "bundle.json", "card.md"])
def test_a_bundle_with_one_flipped_byte(
    run: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path, name: str
) -> None:
    bundle = tmp_path / "b.bundle"
    shutil.copytree(disc_bundle, bundle)
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    image = discs_folder / "images" / "case00.png"
    refused(run("predict", bundle, image, "-o", tmp_path / "out"), name, "as it was written")
    assert not (tmp_path / "out").exists()


def test_a_bundle_of_a_newer_version(run: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "b.bundle"
    shutil.copytree(disc_bundle, bundle)
    about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    about["format"], about["made"]["isocenter"] = 99, "7.1"
    (bundle / "bundle.json").write_text(json.dumps(about), encoding="utf-8")
    image = discs_folder / "images" / "case00.png"
    refused(run("predict", bundle, image, "-o", tmp_path / "out"), "format 99", "isocenter >= 7.1")


def test_an_output_folder_that_cannot_be_written(
    run: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    image = discs_folder / "images" / "case00.png"
    refused(run("predict", disc_bundle, image, "-o", out), "cannot be written")
    refused(run(*VERBS["train"](discs_folder, out)), "cannot be written")
    refused(run(*VERBS["split"](discs_folder, out)), "cannot be written")
    refused(run(*VERBS["compare"](discs_folder, out)), "cannot be written")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder(run: Run, discs_folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refused(run(*VERBS["train"](discs_folder, tmp_path)), "cannot be written")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("spec", ["segment/histgram", "segmnt/histogram", "nothing", "no.bundle", "segment/"])
def test_a_method_that_does_not_exist(run: Run, discs_folder: Path, spec: str) -> None:
    refused(run("evaluate", spec, discs_folder))


def test_an_image_that_a_bundle_cannot_take(run: Run, disc_bundle: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "five.npy", np.zeros((2, 3, 4, 5, 6), np.float32))
    refused(run("predict", disc_bundle, tmp_path / "five.npy", "-o", tmp_path / "out"), "axes")


def test_a_name_in_chinese_and_a_folder_with_blanks(
    run: Run, disc_bundle: Path, discs_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "我的 片子 é"
    folder.mkdir()
    shutil.copy(discs_folder / "images" / "case00.png", folder / "肺 1.png")
    answer = run("predict", disc_bundle, folder, "-o", tmp_path / "结果")
    assert answer.code == 0, answer
    assert len(list((tmp_path / "结果").glob("*overlay.png"))) == 1


@pytest.fixture
def series(tmp_path: Path) -> Make:
    """Makes a folder of CT slices 3 mm apart: ``series(positions=..., tilt=..., turned=...)``."""
    import pydicom
    from pydicom.data import get_testdata_file

    def make(
        *, positions: tuple[float, ...] = (0, 3, 6, 9, 12, 15), tilt: float = 0.0, turned: int | None = None
    ) -> Path:
        folder = tmp_path / "series"
        folder.mkdir()
        for i, z in enumerate(positions):
            data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.9.{i + 1}"
            data.InstanceNumber = i + 1
            data.ImagePositionPatient = [-100.0, -100.0 + np.tan(np.radians(tilt)) * z, float(z)]
            data.SliceThickness = 3.0
            if turned == i:
                data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
            data.save_as(folder / f"slice{i}.dcm")
        return folder

    return make


def test_a_whole_series_is_answered(run: Run, series: Make, tmp_path: Path) -> None:
    answer = run("predict", "segment/histogram", series(), "-o", tmp_path / "out")
    assert answer.code == 0, answer
    written = nibabel.load(tmp_path / "out" / "series.nii.gz")
    assert written.shape[2] == 6 and written.header.get_zooms()[2] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("how", "part"),
    [
        ({"positions": (0, 3, 6, 12, 15)}, "lacks"),
        ({"positions": (0, 3, 6, 6, 9, 12)}, "slice"),
        ({"turned": 3}, "orientation"),
        ({"tilt": 15.0}, "tilt"),
    ],
    ids=["missing slice", "doubled slice", "mixed orientation", "gantry tilt"],
)
def test_a_series_that_is_no_volume(run: Run, series: Make, tmp_path: Path, how: dict[str, object], part: str) -> None:
    folder = series(**how)
    refused(run("predict", "segment/histogram", folder, "-o", tmp_path / "out"), part)
    assert not (tmp_path / "out").exists()
    looked = run("look", folder)
    assert looked.code == 0 and part in looked.out and "Traceback" not in looked.err


def test_a_full_disk_leaves_nothing_half_written(discs_folder: Path, disc_bundle: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")

    def little() -> None:
        # A file may hold 2 kB: the write after that fails as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    image = discs_folder / "images" / "case00.png"
    for words in (
        ("train", "classify", discs_folder, "--method", "linear", "-o", tmp_path / "x.bundle"),
        ("predict", disc_bundle, image, "-o", tmp_path / "out"),
    ):
        line = [sys.executable, "-m", "isocenter", *map(str, words), "--threads", "1", "--quiet"]
        done = subprocess.run(line, capture_output=True, text=True, preexec_fn=little, check=False)
        assert done.returncode == 1 and "disk is full" in done.stderr, done
        assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == []


def test_memory_that_does_not_suffice(discs_folder: Path, disc_bundle: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    np.save(tmp_path / "huge.npy", np.zeros((9000, 9000), np.uint8))

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))

    line = [sys.executable, "-m", "isocenter", "predict", str(disc_bundle), str(tmp_path / "huge.npy"), "-o",
            str(tmp_path / "out"), "--threads", "1", "--quiet"]
    done = subprocess.run(line, capture_output=True, text=True, preexec_fn=little, check=False)
    assert done.returncode == 1 and "memory" in done.stderr and "Traceback" not in done.stderr, done
    assert not (tmp_path / "out").exists()
