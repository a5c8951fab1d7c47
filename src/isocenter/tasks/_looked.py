"""Which training cases a choice of a classical method looks at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isocenter.data import Case, Cases

# What is to be chosen shows after a few cases; more would only cost time. As many as hold about this number of pixels,
# within bounds.
PIXELS = 6_000_000
FEWEST, MOST = 4, 24


def evenly(train: Cases, most: int) -> list[int]:
    """Positions of at most `most` cases, evenly spaced over train from its first to its last."""
    return [int(i) for i in np.unique(np.linspace(0, len(train) - 1, min(len(train), most)).round())]


def looked_at(train: Cases) -> list[int]:
    """Positions of 4 to 24 cases evenly spaced over train: fewer where images are large."""
    size = int(np.prod(train[0].image().geometry.shape))
    return evenly(train, max(FEWEST, min(MOST, PIXELS // size)))


def in_memory(case: Case) -> Case:
    """The case with the pixels of its leading image read."""
    image = case.image()
    pixels = image.pixels()
    role = next(r for r, im in case.images.items() if im is image)
    return replace(case, images={**case.images, role: image.replaced(lambda: pixels)})
