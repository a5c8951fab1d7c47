"""Logits of 25 classes on 75 x 128 x 128 to labels on 150 x 256 x 256."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.timing import interleaved, table
from isocenter.ops.resample import labels_from_scores


def run() -> list[str]:
    """Ours (slab by slab) against torch (interpolate, then argmax), one thread each."""
    torch.set_num_threads(1)
    scores = np.random.default_rng(0).standard_normal((25, 75, 128, 128)).astype(np.float32)
    shape = (150, 256, 256)

    def by_torch() -> np.ndarray:
        x = torch.nn.functional.interpolate(
            torch.from_numpy(scores)[None], shape, mode="trilinear", align_corners=False
        )
        return x[0].argmax(0).numpy().astype(np.uint8)

    def ours() -> np.ndarray:
        return labels_from_scores(scores, shape)

    assert (ours() == by_torch()).mean() > 0.99999
    return table(
        "labels from logits, 25 x 75x128x128 to 150x256x256",
        interleaved({"isocenter": ours, "torch": by_torch}, rounds=2),
    )
