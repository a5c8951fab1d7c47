"""The pleural line of frames whose truth is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from isocenter.ops.pleura import (
    PleuralLine,
    _likeness,
    _width,
    best_path,
    half_strip,
    irregularity,
    pleural_line,
    ridges,
    runs,
    smooth_course,
    straightened,
    thickness,
)
from isocenter.simulate.lung import LungScene, lung

SHAPE = (180, 200)


@cache
def frame(seed: int, **scene: float) -> tuple[np.ndarray, np.ndarray]:
    pixels, truth = lung(SHAPE, np.random.default_rng(seed), LungScene(**scene))
    line = truth.labels[0] == 1
    rows = (line * np.arange(SHAPE[0])[:, None]).sum(0) / np.maximum(line.sum(0), 1)
    return pixels[0].astype(np.float32), np.where(line.any(axis=0), rows, np.nan)


def found(seed: int, **scene: float) -> tuple[PleuralLine, np.ndarray, np.ndarray]:
    values, truth = frame(seed, **scene)
    line = pleural_line(values)
    assert line is not None
    return line, values, truth


def best_sum(gain: np.ndarray, climb: float) -> float:
    """The largest sum by every way there is."""
    rows, columns = gain.shape
    total = gain[:, 0].astype(float)
    for j in range(1, columns):
        total = np.array([
            max(total[k] - climb * abs(k - i) for k in range(max(0, i - 2), min(rows, i + 3))) + gain[i, j]
            for i in range(rows)
        ])  # fmt: skip
    return float(total.max())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("climb", [0.0, 0.3])
def test_the_best_path_is_the_best_of_all(seed: int, climb: float) -> None:
    gain = np.random.default_rng(seed).random((9, 14)).astype(np.float32)
    path = best_path(gain, climb)
    steps = np.abs(np.diff(path))
    assert steps.max() <= 2
    assert np.isclose(gain[path, np.arange(14)].sum() - climb * steps.sum(), best_sum(gain, climb))


def test_equal_ways_are_flat_and_high() -> None:
    assert best_path(np.zeros((5, 6), np.float32), 0.1).tolist() == [0] * 6


@pytest.mark.parametrize(("seed", "depth"), [(0, 0.18), (1, 0.25), (2, 0.35)])
def test_the_line_is_found_below_bright_layers_and_above_its_repetitions(seed: int, depth: float) -> None:
    line, _, truth = found(seed, depth=depth, a_lines=2, b_lines=1)
    assert line.share > 0.85
    away = np.abs(line.rows - truth)[line.seen & np.isfinite(truth)]
    assert away.mean() < 1 and np.quantile(away, 0.95) < 3


def test_gaps_are_told_and_the_line_goes_on_behind_them() -> None:
    line, _, truth = found(3, breaks=2, depth=0.3)
    assert line.breaks == 2
    assert np.isnan(truth)[~line.seen].mean() > 0.6
    whole, _, _ = found(3, breaks=0, depth=0.3)
    assert whole.breaks == 0 and whole.share > line.share


@pytest.mark.parametrize("thick", [4.0, 8.0])
def test_thickness_is_that_drawn(thick: float) -> None:
    line, values, _ = found(4, thickness=thick, depth=0.3)
    measured = thickness(values, line)
    assert measured is not None and abs(measured - thick) < 0.8


def test_irregularity_grows_with_roughness() -> None:
    measured = [irregularity(found(5, roughness=r, depth=0.3)[0]) for r in (0.0, 1.5, 3.0)]
    assert measured[0] < 0.7
    assert measured[0] + 0.2 < measured[1] < measured[2]
    assert 0.4 * 3 < measured[2] < 1.2 * 3


def test_a_width_at_half_of_the_height() -> None:
    offsets = np.arange(-12, 12.25, 0.5)
    bump = np.exp(-4 * np.log(2) * (offsets / 5) ** 2)
    assert abs(_width(bump, offsets) - 5) < 0.1
    # What lies around it may differ by side.
    assert abs(_width(bump * np.where(offsets < 0, 1, 2) + np.where(offsets < 0, 1, 0), offsets) - 5) < 0.3
    assert _width(np.full_like(offsets, 3.0), offsets) is None
    assert _width(np.full_like(offsets, np.nan), offsets) is None


def test_ridges_are_bright_lines_across_and_nothing_near_the_edge_of_the_fan() -> None:
    values = np.zeros((120, 50), np.float32)
    values[40] = 100
    ridge = ridges(values, along=3.0)
    assert ridge[40].min() > 0.9 and ridge[60:].max() == 0
    values[:, 30:] = np.nan
    assert ridges(values, along=3.0)[:, 32:].max() == 0
    assert ridges(np.ones((30, 30), np.float32), along=1.0).max() == 0


def test_a_picture_without_a_ridge_has_no_line() -> None:
    assert pleural_line(np.ones((60, 60), np.float32)) is None
    assert pleural_line(np.cumsum(np.ones((60, 60), np.float32), axis=0)[:4]) is None


def test_a_smooth_course_is_straight_where_nothing_bends() -> None:
    rows = 20 + 0.3 * np.arange(80.0)
    seen = np.ones(80, bool)
    seen[30:40] = False
    assert np.allclose(smooth_course(rows, seen), rows)
    assert np.allclose(smooth_course(rows, np.zeros(80, bool)), rows)
    wavy = rows + np.tile([1.0, -1.0], 40)
    line = PleuralLine(wavy, np.ones(80, bool), np.zeros((90, 80), np.float32))
    assert abs(irregularity(line) - 1) < 0.1
    assert irregularity(PleuralLine(wavy, np.zeros(80, bool), line.ridge)) == 0


def test_runs_and_strips() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, bool)) == []
    values = np.arange(60.0).reshape(20, 3)
    strip = straightened(values, np.array([5.0, 5.5, 19.0]), np.array([0.0, 1.0]))
    assert strip[0].tolist() == [15, 17.5, 59] and np.isnan(strip[1, 2])
    assert half_strip(200) == 12 and half_strip(10) == 4


def test_what_has_a_stronger_line_below_is_less_likely_and_repetitions_count_less() -> None:
    ridge = np.zeros((200, 3), np.float32)
    ridge[20] = 1.0
    ridge[50] = 0.9
    likely = _likeness(ridge)
    # A layer of the tissue may shine brighter than the line below it.
    assert np.allclose(likely[20], 0.1) and np.allclose(likely[50], 0.9)
    ridge[:] = 0
    ridge[50], ridge[100], ridge[150] = 0.9, 0.7, 0.5
    likely = _likeness(ridge)
    assert np.allclose(likely[50], 0.9 - 0.25 * 0.7)
    assert likely[50].min() > likely[100].max() + 0.04
    # Away from a multiple it counts in full.
    ridge[100], ridge[120] = 0, 0.7
    assert np.allclose(_likeness(ridge)[50], 0.2)
    assert np.allclose(_likeness(np.zeros((9, 2), np.float32)), 0)


def test_a_step_in_the_course_is_followed_and_the_line_is_not_pulled_by_noise() -> None:
    values = np.random.default_rng(0).normal(20, 4, (150, 160)).astype(np.float32)
    truth = np.where(np.arange(160) < 80, 40, 46)
    for beam, row in enumerate(truth):
        values[row - 2 : row + 3, beam] += 120
    line = pleural_line(values)
    assert line is not None and line.share == 1.0 and line.breaks == 0
    away = np.abs(line.rows - truth)
    assert np.median(away) < 0.5
    assert away[:70].max() < 2 and away[90:].max() < 2
    width = thickness(values, line)
    assert width is not None and abs(width - 5) < 0.6


def test_a_line_is_not_seen_beside_what_is_outside() -> None:
    values, _ = frame(2, depth=0.3)
    cut = values.copy()
    cut[:, 150:] = np.nan
    line = pleural_line(cut)
    whole = pleural_line(values)
    assert line is not None and whole is not None
    assert not line.seen[155:].any()
    both = line.seen[:140] & whole.seen[:140]
    assert both.mean() > 0.8
    assert np.median(np.abs(line.rows - whole.rows)[:140][both]) < 0.5


def test_grey_levels_may_have_any_scale() -> None:
    values, _ = frame(6, depth=0.3, thickness=6)
    plain, scaled = pleural_line(values), pleural_line(values * 40 - 1000)
    assert plain is not None and scaled is not None
    assert np.allclose(plain.rows, scaled.rows, atol=1e-2)
    assert np.array_equal(plain.seen, scaled.seen)
    a, b = thickness(values, plain), thickness(values * 40 - 1000, scaled)
    assert a is not None and b is not None and abs(a - b) < 0.05
