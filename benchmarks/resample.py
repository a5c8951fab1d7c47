"""A volume of 150 x 256 x 256 int16 to 250 x 266 x 266, linear."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch

from benchmarks.timing import interleaved, table
from isocenter.ops.resample import resize


def run() -> list[str]:
    """Ours against SimpleITK and torch, one thread each."""
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    volume = np.random.default_rng(0).integers(-1000, 2000, (150, 256, 256)).astype(np.int16)
    shape = (250, 266, 266)
    image = sitk.GetImageFromArray(volume)
    spacing = [o / n for o, n in zip(volume.shape[::-1], shape[::-1], strict=True)]
    origin = [0.5 * s - 0.5 for s in spacing]

    def by_itk() -> np.ndarray:
        out = sitk.Resample(
            image,
            shape[::-1],
            sitk.Transform(),
            sitk.sitkLinear,
            origin,
            spacing,
            image.GetDirection(),
            0.0,
            sitk.sitkFloat32,
            True,
        )
        return sitk.GetArrayFromImage(out)

    def by_torch() -> np.ndarray:
        x = torch.from_numpy(volume).float()[None, None]
        return torch.nn.functional.interpolate(x, shape, mode="trilinear", align_corners=False)[0, 0].numpy()

    def ours() -> np.ndarray:
        return resize(volume[None], shape)[0]

    # torch computes coordinates in float32: 3e-5 pixels at index 250, times steps of up to 3000 in this noise.
    assert np.abs(ours() - by_torch()).max() < 0.2
    inner = (slice(4, -4),) * 3
    assert np.abs(ours()[inner] - by_itk()[inner]).max() < 1e-2
    return table(
        "resample linear, 150x256x256 to 250x266x266",
        interleaved({"isocenter": ours, "SimpleITK": by_itk, "torch": by_torch}),
    )
