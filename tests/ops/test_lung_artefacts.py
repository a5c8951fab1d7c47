"""A- and B-lines of frames whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.beams import beams, laid_out
from isocenter.ops.lung_artefacts import Bands, _bands, _bins, a_lines, b_lines
from isocenter.ops.pleura import PleuralLine, pleural_line
from isocenter.simulate.lung import LungScene, lung

SHAPE = (180, 200)


def found(seed: int, *, convex: bool = False, **scene: float):
    pixels, truth = lung(SHAPE, np.random.default_rng(seed), LungScene(**scene), convex=convex)
    layout = beams(pixels[0].astype(np.float32))
    assert layout is not None
    values = laid_out(pixels[0], layout)
    line = pleural_line(values)
    assert line is not None
    return values, line, truth


@pytest.mark.parametrize("convex", [False, True])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_b_lines_are_counted_and_their_share_is_that_drawn(n: int, convex: bool) -> None:
    values, line, truth = found(n + 10, convex=convex, b_lines=n, a_lines=1)
    bands = b_lines(values, line)
    assert len(bands.runs) == n
    assert abs(bands.share - truth.covered) < 0.06
    assert bands.within.sum() == sum(b - a for a, b in bands.runs)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_lines_are_counted_and_lie_at_multiples(n: int) -> None:
    values, line, _ = found(n + 20, depth=0.22, a_lines=n, b_lines=1)
    repeats = a_lines(line, b_lines(values, line))
    assert len(repeats) == n
    for k, rows in enumerate(repeats):
        shown = np.isfinite(rows)
        assert shown.mean() > 0.3
        assert np.median(np.abs(rows - (k + 2) * line.rows)[shown]) < 3


def test_a_band_that_fades_is_no_b_line() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(20, 2, (120, 100)).astype(np.float32)
    values[28:32] = 150
    line = pleural_line(values)
    assert line is not None
    values[32:, 40:50] = 90
    assert len(b_lines(values, line).runs) == 1
    values[75:, 40:50] = 20
    assert len(b_lines(values, line).runs) == 0


def test_a_band_that_does_not_come_from_the_line_is_none() -> None:
    within = np.zeros(200, bool)
    within[50:60] = within[61:66] = within[100:102] = within[150:160] = True
    seen = np.ones(200, bool)
    seen[148:162] = False
    bands = _bands(within, seen)
    # A gap of one beam is closed, two beams are no band, and no line is seen above the last.
    assert bands.runs == [(50, 66)]
    assert bands.share == 16 / 200


def test_bins_are_means_below_the_line() -> None:
    values = np.tile(np.arange(64.0)[:, None], (1, 3))
    values[40:, 2] = np.nan
    bins = _bins(values, np.array([0.0, 32.0, 0.0]))
    assert bins.shape == (16, 3) and np.allclose(bins[:, 0], np.arange(16) * 4 + 1.5)
    assert np.isnan(bins[:8, 1]).all() and np.allclose(bins[8:, 1], bins[8:, 0])
    assert np.isnan(bins[10:, 2]).all()


def test_nothing_is_found_where_no_line_is_seen_or_it_is_at_the_face() -> None:
    ridge = np.zeros((50, 40), np.float32)
    unseen = PleuralLine(np.full(40, 10.0), np.zeros(40, bool), ridge)
    none = Bands(np.zeros(40, bool), [])
    assert a_lines(unseen, none).shape == (0, 40)
    assert b_lines(np.ones((50, 40), np.float32), unseen).runs == []
    near = PleuralLine(np.full(40, 3.0), np.ones(40, bool), ridge)
    assert len(a_lines(near, none)) == 0
    deep = PleuralLine(np.full(40, 40.0), np.ones(40, bool), ridge)
    assert len(a_lines(deep, none)) == 0


def test_a_lines_of_a_periodic_picture_end_with_the_first_that_is_missing() -> None:
    rng = np.random.default_rng(0)

    def counted(*multiples: int) -> int:
        values = rng.normal(20, 3, (200, 120)).astype(np.float32)
        for k, level in zip((1, *multiples), (150, 100, 80, 60), strict=False):
            values[30 * k - 2 : 30 * k + 3] += level
        line = pleural_line(values)
        assert line is not None and abs(np.median(line.rows) - 30) < 1
        return len(a_lines(line, Bands(np.zeros(120, bool), [])))

    assert counted() == 0
    assert counted(2) == 1
    assert counted(2, 3) == 2
    assert counted(3) == 0


def test_a_lines_are_not_sought_within_b_lines() -> None:
    values, line, _ = found(30, depth=0.22, a_lines=1, b_lines=2)
    bands = b_lines(values, line)
    repeats = a_lines(line, bands)
    assert len(repeats) == 1
    assert np.isnan(repeats[0][bands.within]).all()
    assert a_lines(line, Bands(np.ones(len(line.seen), bool), [])).shape[0] == 0
