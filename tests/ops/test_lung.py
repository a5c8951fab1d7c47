"""A frame as lines and labels."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.beams import beams
from isocenter.ops.lung import NAMES, lung_frame, lung_labels
from isocenter.simulate.lung import NAMES as DRAWN
from isocenter.simulate.lung import LungScene, lung

SHAPE = (180, 200)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("convex", [False, True])
def test_the_labels_are_those_drawn(convex: bool) -> None:
    scene = LungScene(a_lines=1, b_lines=2, thickness=6, depth=0.25)
    pixels, truth = lung(SHAPE, np.random.default_rng(3), scene, convex=convex)
    layout = beams(pixels[0].astype(np.float32))
    assert layout is not None and (layout.apex is not None) == convex
    frame = lung_frame(pixels[0], layout)
    assert frame is not None and frame.thickness is not None and abs(frame.thickness - 6) < 1
    labels = lung_labels(frame, layout, SHAPE)
    assert labels.shape == SHAPE and labels.dtype == np.uint8
    assert NAMES == DRAWN
    for number, least in ((1, 0.75), (2, 0.5), (3, 0.75)):
        assert dice(labels == number, truth.labels[0] == number) > least, NAMES[number]
    assert not convex or not labels[:30, :20].any()


def test_a_dark_frame_shows_nothing() -> None:
    pixels, _ = lung(SHAPE, np.random.default_rng(3), LungScene(), convex=True)
    layout = beams(pixels[0].astype(np.float32))
    assert layout is not None
    assert lung_frame(np.zeros(SHAPE, np.float32), layout) is None
    assert lung_frame(np.zeros((12, 14), np.float32), layout) is None
