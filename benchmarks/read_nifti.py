"""A .nii.gz of 100 x 256 x 256 int16 to an array."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from benchmarks.timing import interleaved, table
from isocenter.io import read_image


def run() -> list[str]:
    """Ours against nibabel and SimpleITK."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    noise = gaussian_filter(np.random.default_rng(0).standard_normal((256, 256, 100)), 1.0)
    volume = (1000 * noise).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "volume.nii.gz")
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), path)
        ways = {
            "isocenter": lambda: read_image(path).pixels(),
            "nibabel": lambda: np.asarray(nibabel.load(path).dataobj).T,
            "SimpleITK": lambda: sitk.GetArrayFromImage(sitk.ReadImage(path)),
        }
        assert all(np.array_equal(way(), volume.T) for way in ways.values())
        return table("read .nii.gz, 100x256x256 int16", interleaved(ways))
