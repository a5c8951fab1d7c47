"""Networks that have learnt something, and the cases that they are attacked on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isocenter.data import Cases, Study, Watch
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet

SPLITS = ["train"] * 24 + ["val"] * 8 + ["test"] * 8


def _pictures(dark: bool) -> tuple[np.ndarray, np.ndarray]:
    """8-bit pictures with a faint bright square, in every other one a dark one, and its mask."""
    rng = np.random.default_rng(0)
    masks = np.zeros((40, 24, 24), np.uint8)
    for mask in masks:
        y, x = rng.integers(2, 13, 2)
        mask[y : y + 8, x : x + 8] = 1
    sign = np.where(dark & (np.arange(40) % 2 == 0), -1, 1)[:, None, None]
    return np.clip(90 + sign * 16 * masks + rng.normal(0, 10, masks.shape), 0, 255).astype(np.uint8), masks


@pytest.fixture(scope="session")
def classified() -> Cases:
    """A bright square or a dark one."""
    x, _ = _pictures(True)
    return Cases.from_arrays(x, ["bright" if i % 2 else "dark" for i in range(40)], splits=SPLITS)


@pytest.fixture(scope="session")
def outlined() -> Cases:
    """The square as a region."""
    x, masks = _pictures(False)
    return Cases.from_arrays(x, masks, task="segment", splits=SPLITS, classes=["square"])


@pytest.fixture(scope="session")
def classifier(classified: Cases) -> Any:
    """A fitted network that tells bright from dark."""
    recipe = Cnn(network="small", width=8, study=Study(epochs=6, steps=8, batch_size=12, learning_rate=0.01))
    return recipe.fit(classified.split("train"), classified.split("val"), watch=Watch(threads=1))


@pytest.fixture(scope="session")
def segmenter(outlined: Cases) -> Any:
    """A fitted network that outlines the square."""
    recipe = UNet(width=4, depth=2, study=Study(epochs=6, steps=10, batch_size=8, learning_rate=0.01))
    return recipe.fit(outlined.split("train"), outlined.split("val"), watch=Watch(threads=1))
