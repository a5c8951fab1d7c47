"""Bounds as a command line names them, to the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Image
from isocenter.errors import InputError, UsageError
from isocenter.verbs._bounds import bounds_of


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
