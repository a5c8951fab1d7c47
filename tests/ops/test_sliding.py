"""Motion of the line against the tissue above it."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.beams import beams, laid_out
from isocenter.ops.pleura import PleuralLine, pleural_line
from isocenter.ops.sliding import BLOCKS, REACH, _between, _blocks, _correlation, sliding
from isocenter.simulate.lung import LungScene, lung


@pytest.mark.parametrize("speed", [0.0, 1.0, -2.5])
@pytest.mark.parametrize("convex", [False, True])
def test_the_speed_is_that_drawn(speed: float, convex: bool) -> None:
    scene = LungScene(sliding=speed, a_lines=1, depth=0.25)
    pixels, _ = lung((160, 180), np.random.default_rng(1), scene, frames=2, convex=convex)
    layout = beams(pixels.max(axis=0).astype(np.float32))
    assert layout is not None
    before, after = (laid_out(frame, layout) for frame in pixels)
    line = pleural_line(before)
    assert line is not None
    found = sliding(before, after, line)
    assert found is not None and found.motion is not None
    motion = found.motion * layout.width(float(np.median(line.rows)))
    assert abs(motion - speed) < 0.15 + 0.15 * abs(speed)
    assert found.correlation > 0.8
    assert (found.decorrelation > 0.03) == (speed == -2.5)


def test_motion_of_everything_is_no_sliding() -> None:
    pixels, _ = lung((120, 140), np.random.default_rng(2), LungScene(depth=0.3))
    frame = pixels[0].astype(np.float32)
    line = pleural_line(frame)
    assert line is not None
    moved = np.roll(frame, (1, 3), axis=(0, 1))
    found = sliding(frame, moved, line)
    assert found is not None and abs(found.motion) < 0.05
    assert found.correlation > 0.95


def test_unlike_frames_have_no_motion() -> None:
    rng = np.random.default_rng(0)
    line = PleuralLine(np.full(140, 40.0), np.ones(140, bool), np.zeros((120, 140), np.float32))
    found = sliding(rng.random((120, 140)), rng.random((120, 140)), line)
    assert found is not None and found.motion is None
    assert found.correlation < 0.5


def test_no_room_or_no_line() -> None:
    line = PleuralLine(np.full(30, 40.0), np.ones(30, bool), np.zeros((120, 30), np.float32))
    assert sliding(np.ones((120, 30)), np.ones((120, 30)), line) is None
    unseen = PleuralLine(np.full(140, 40.0), np.zeros(140, bool), np.zeros((120, 140), np.float32))
    assert sliding(np.ones((120, 140)), np.ones((120, 140)), unseen) is None


def test_blocks_and_correlation() -> None:
    blocks = _blocks(140)
    assert len(blocks) == BLOCKS and blocks[0][0] == REACH and blocks[-1][1] == 140 - REACH
    a = np.arange(12.0).reshape(3, 4)
    assert np.isclose(_correlation(a, 2 * a + 1), 1) and np.isclose(_correlation(a, -a), -1)
    assert _correlation(a, np.ones((3, 4))) == 0
    assert _correlation(np.full((3, 4), np.nan), a) == -1
    assert _between(0.0, 1.0, 0.0) == 0 and 0 < _between(0.2, 1.0, 0.6) < 0.5 and _between(1.0, 1.0, 1.0) == 0
