"""What a file leaves unsaid is said on the command line."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest


def test_a_stack_whose_axes_are_unstated(command, tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    stack = tmp_path / "stack.tif"
    tifffile.imwrite(
        stack, np.random.default_rng(0).integers(0, 255, (5, 20, 24), dtype=np.uint8), photometric="minisblack"
    )
    refused = command("predict", "segment/histogram", stack, "-o", tmp_path / "out")
    assert refused.returncode == 1 and "--axes" in refused.stderr and "axes=" not in refused.stderr
    words = ("--axes", "zyx", "--spacing", "3,0.5,0.5")
    done = command("predict", "segment/histogram", stack, "-o", tmp_path / "out.nii.gz", *words)
    assert done.returncode == 0, done.stderr
    written = nibabel.load(tmp_path / "out.nii.gz")
    assert written.shape == (24, 20, 5) and np.allclose(written.header.get_zooms(), (0.5, 0.5, 3.0))


def test_one_series_of_several(command, real_data, tmp_path: Path) -> None:
    import shutil

    corpus = real_data("dicom-corpus") / "series"
    folder = tmp_path / "both"
    folder.mkdir()
    several = sorted(p for p in corpus.iterdir() if p.is_dir())
    for source in several:
        for file in sorted(source.rglob("*")):
            if file.is_file():
                shutil.copy(file, folder / f"{source.name}-{file.name}")
    refused = command("predict", "segment/histogram", folder, "-o", tmp_path / "out")
    assert refused.returncode == 1 and "--series" in refused.stderr and "series in one folder" in refused.stderr
    answered = [
        n
        for n in range(1, 8)
        if command("predict", "segment/histogram", folder, "-o", tmp_path / f"o{n}", "--series", n).returncode == 0
    ]
    assert answered
