"""A surname that stands in headers and tables must appear in nothing that leaves: reports, records, logs, errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

Run = Callable[..., CompletedProcess[str]]
NAME = "Quetzalbaum"


def texts(*folders: Path) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in folder.rglob("*"):
            # The key table stays at home: it is where the name may stand.
            if path.is_file() and "private" not in path.parts:
                yield path, path.read_bytes().decode("utf-8", "replace")


def clean(done: CompletedProcess[str], *folders: Path) -> None:
    assert done.returncode in (0, 3), done.stderr
    found = [str(p) for p, text in texts(*folders) if re.search(NAME, text, re.IGNORECASE)]
    assert not found, found
    assert NAME.lower() not in (done.stdout + done.stderr).lower()


@pytest.fixture
def clinic(discs: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder whose table names its patients."""
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",p", f",{NAME}^Erika-"), encoding="utf-8")
    return folder


def test_reports_bundles_and_tables(command: Run, clinic: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("compare", "classify", clinic, "--methods", "linear,given", "--set", "given.column=label",
                   "-o", out / "report", "--threads", 1)
    clean(done, out)
    done = command("train", "classify", clinic, "--method", "linear", "-o", out / "x.bundle", "--threads", 1)
    clean(done, out)
    done = command("evaluate", out / "x.bundle", clinic, "-o", out / "evaluated", "--json", "--threads", 1)
    clean(done, out)


def test_a_name_in_a_dicom_header(command: Run, tmp_path: Path) -> None:
    import pydicom
    from pydicom.data import get_testdata_file

    data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    data.PatientName, data.PatientID = f"{NAME}^Erika", f"{NAME}-1"
    data.ReferringPhysicianName = f"{NAME}^Doctor"
    data.save_as(tmp_path / "scan.dcm")
    out = tmp_path / "out"
    clean(command("look", tmp_path / "scan.dcm"))
    done = command("predict", "segment/histogram", tmp_path / "scan.dcm", "-o", out, "--threads", 1)
    clean(done, out)
    torn = tmp_path / "torn.dcm"
    torn.write_bytes((tmp_path / "scan.dcm").read_bytes()[:-3000])
    done = command("predict", "segment/histogram", torn, "-o", tmp_path / "torn")
    assert done.returncode == 1 and NAME.lower() not in (done.stdout + done.stderr).lower()


def test_a_name_in_a_nifti_header(command: Run, tmp_path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(np.random.default_rng(0).integers(0, 99, (8, 9, 10)).astype(np.int16), np.eye(4))
    image.header["descrip"], image.header["db_name"] = NAME, NAME
    nibabel.save(image, tmp_path / "scan.nii.gz")
    out = tmp_path / "out"
    clean(command("predict", "segment/histogram", tmp_path / "scan.nii.gz", "-o", out, "--threads", 1), out)
    for path in out.glob("*.nii.gz"):
        header = nibabel.load(path).header
        assert NAME.encode() not in bytes(header.binaryblock)


def test_leakage_names_no_patient(command: Run, clinic: Path) -> None:
    table = clinic / "manifest.csv"
    table.write_text(
        table.read_text(encoding="utf-8").replace("Erika-11,R,51,test", "Erika-11,R,51,train"), encoding="utf-8"
    )
    done = command("train", "classify", clinic, "--method", "linear", "-o", clinic.parent / "x.bundle")
    assert done.returncode == 1 and "one group stands on 2 sides" in done.stderr
    assert NAME.lower() not in (done.stdout + done.stderr).lower()
