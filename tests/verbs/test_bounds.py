"""Bounds as a command line names them, to the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Image
from isocenter.errors import InputError, UsageError
from isocenter.verbs._bounds import bounds_of, levels_of


def test_thresholds_are_shares_or_values() -> None:
    assert bounds_of({}).limit == "41pct" and not bounds_of({}).uptake
    half = bounds_of({"uptake": "50%"})
    assert (half.share, half.suv, half.uptake, half.limit) == (0.5, None, True, "50pct")
    assert bounds_of({"uptake": 4}).limit == "suv4" and bounds_of({"uptake": "2.5"}).suv == 2.5
    assert bounds_of({"below": [-950, -910], "above": None}).below == (-950.0, -910.0)
    for wrong in ("0", "-3", "110%", "half", "nan", "%", "inf"):
        with pytest.raises(UsageError, match="41%"):
            bounds_of({"uptake": wrong})


def test_measure_says_the_threshold() -> None:
    labels = np.zeros((8, 9, 10), np.uint8)
    labels[2:6, 2:7, 3:8] = 1
    pet = Image.from_array(1.0 + 5 * labels, spacing=(3.0, 2.0, 2.0), unit="SUV")
    made = iso.measure(labels, pet)
    assert made.tables["objects"].rows[0]["mtv_41pct_ml"] == pytest.approx(100 * 0.012)
    assert any("41 % of the region's SUVmax" in note for note in made.notes)
    half = iso.measure(labels, pet, uptake="50%", below=[2])
    row = half.tables["objects"].rows[0]
    assert row["tlg_50pct_g"] == pytest.approx(6 * 1.2) and row["share_below_2_SUV"] == 0
    assert half.next == "" and not [n for n in iso.measure(labels, 1 + labels).notes if "SUV" in n]
    with pytest.raises(InputError, match="SUV"):
        iso.measure(labels, pet.replaced(pet.load, unit="HU"), uptake="50%")


def test_grey_levels_are_a_number_or_a_width() -> None:
    image = Image.from_array(np.zeros((2, 2)))
    assert levels_of({}, None) is None
    assert (levels_of({"radiomics": 64}, image).bins, levels_of({"radiomics": "64"}, image).width) == (64, None)
    assert levels_of({"radiomics": "width=0.5"}, image).width == 0.5
    for wrong in ("1", "0", "2.5", "5000", "width=0", "width=x", "bins=3", "many", "width=nan"):
        with pytest.raises(UsageError, match="width=25"):
            levels_of({"radiomics": wrong}, image)
    with pytest.raises(InputError, match="Name the image"):
        levels_of({"radiomics": 8}, None)


def test_measure_gives_radiomics_beside_the_rest(tmp_path: Path) -> None:
    labels = np.zeros((12, 14), np.uint8)
    labels[2:7, 2:8], labels[8:11, 9:13] = 3, 5
    image = Image.from_array(np.random.default_rng(0).normal(100, 20, labels.shape), spacing=(0.5, 0.5))
    made = iso.measure(labels, image, radiomics=16, out=tmp_path / "m.xlsx")
    rows = made.tables["radiomics"].rows
    assert [r["id"] for r in rows] == [3, 5] and rows[0]["shape_area_pixels"] == 7.5
    assert any("16 grey levels" in note for note in made.notes) and made.next == ""
    import openpyxl

    assert openpyxl.load_workbook(made.files[0]).sheetnames == ["objects", "summary", "radiomics"]
    with pytest.raises(InputError, match="Name the image"):
        iso.measure(labels, radiomics=16)


def test_from_the_command_line(command, tmp_path: Path) -> None:
    labels = np.zeros((6, 10, 10), np.uint8)
    labels[:, 2:8, 2:8] = 1
    values = np.where(np.arange(10) < 4, -980, -850) * np.ones((6, 10, 1), np.int16)
    for name, array in (("labels", labels), ("ct", values.astype(np.int16))):
        iso.write(Image.from_array(array, spacing=(2.0, 1.0, 1.0)), tmp_path / f"{name}.nii.gz")
    out = tmp_path / "lung.csv"
    done = command("measure", tmp_path / "labels.nii.gz", tmp_path / "ct.nii.gz", "--below=-950,-910", "-o", out)
    assert done.returncode == 0, done.stderr
    head, row = (line.split(",") for line in out.read_text(encoding="utf-8").splitlines())
    held = dict(zip(head, row, strict=True))
    assert float(held["share_below_-950_au"]) == pytest.approx(1 / 3, rel=1e-6)
    refused = command("measure", tmp_path / "labels.nii.gz", tmp_path / "ct.nii.gz", "--uptake", "most")
    assert refused.returncode == 2 and "41%" in refused.stderr
