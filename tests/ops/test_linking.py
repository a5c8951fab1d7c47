"""Linking of detections."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from isocenter.data import Tracks
from isocenter.ops.linking import NEAREST, VELOCITY, Linker, Rules, cheapest
from isocenter.simulate.film import Course, film


def cost_of(rows: np.ndarray, columns: np.ndarray, costs: np.ndarray, alone: float) -> float:
    """The least cost, on the full table with a column of its own for every row."""
    n, m = rows.max() + 1, columns.max() + 1
    table = np.full((n, m + n), 1e9)
    table[rows, columns] = costs
    table[np.arange(n), m + np.arange(n)] = alone
    left, right = linear_sum_assignment(table)
    return float(table[left, right].sum())


@pytest.mark.parametrize("seed", range(8))
def test_the_cheapest_assignment_is_that_of_the_full_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.array([p for p in itertools.product(range(14), range(11)) if rng.random() < 0.3 or p == (13, 10)])
    rows, columns = pairs.T
    costs = np.round(rng.uniform(0, 12, len(rows)) * (rng.random(len(rows)) > 0.1), 3)
    found = cheapest(rows, columns, costs, 8.0)
    assert len(set(rows[found])) == len(found) == len(set(columns[found]))
    assert (np.diff(found) > 0).all() and (costs[found] < 8.0).all()
    assert np.isclose(costs[found].sum() + 8.0 * (14 - len(found)), cost_of(rows, columns, costs, 8.0))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("alone", [0.5, 3.0, 8.0, 1e6])
def test_any_table_in_any_order(ties: bool, alone: float) -> None:
    rng = np.random.default_rng(int(ties))
    for _ in range(60):
        n, m = rng.integers(1, 20, 2)
        pairs = np.argwhere(rng.random((n, m)) < rng.choice([0.1, 0.4, 1.0]))
        pairs = pairs[rng.permutation(len(pairs))]
        if not len(pairs):
            continue
        rows, columns = pairs.T
        costs = rng.integers(0, 6, len(rows)).astype(float) if ties else rng.uniform(0, 10, len(rows))
        found = cheapest(rows, columns, costs, alone)
        assert len(set(rows[found])) == len(found) == len(set(columns[found]))
        paid = costs[found].sum() + alone * (rows.max() + 1 - len(found))
        assert np.isclose(paid, cost_of(rows, columns, costs, alone))


def test_a_long_chain_of_rivals_is_settled_as_a_whole() -> None:
    """Each row would have the next row's column but for one free place at the very end."""
    n = 400
    rows = np.repeat(np.arange(n), 2)
    columns = np.stack([np.arange(n), np.arange(1, n + 1)], axis=1).ravel()
    costs = np.tile([2.0, 1.0], n)
    found = cheapest(rows, columns, costs, 5.0)
    assert np.array_equal(columns[found], np.arange(1, n + 1))
    crowded = columns < n
    # Without that place one row stays alone, unless that is too dear: then every other must give way.
    assert len(cheapest(rows[crowded], columns[crowded], costs[crowded], 5.0)) == n - 1
    found = cheapest(rows[crowded], columns[crowded], costs[crowded], 1e4)
    assert len(found) == n and costs[crowded][found].sum() == 2.0 * n


def test_no_pair_no_assignment() -> None:
    nothing = np.zeros(0, np.int64)
    assert len(cheapest(nothing, nothing, np.zeros(0), 1.0)) == 0
    assert len(cheapest(np.array([0]), np.array([0]), np.array([2.0]), 1.0)) == 0


def followed(frames: list[list[tuple[float, ...]]], rules: Rules, sizes: list[list[float]] | None = None) -> tuple[
    list[list[int]], Linker
]:
    linker = Linker(rules)
    found = []
    for t, points in enumerate(frames):
        area = None if sizes is None else np.asarray(sizes[t])
        found.append(linker.step(np.asarray(points, float).reshape(len(points), 2), float(t), area).tolist())
    return found, linker


def test_a_moving_object_keeps_its_number() -> None:
    found, _ = followed([[(10.0, 2.0 * t), (40.0, 50.0 - t)] for t in range(6)], Rules(reach=5.0))
    assert found == [[1, 2]] * 6


def test_the_whole_frame_is_assigned_at_once() -> None:
    """Each for itself, the second would take the place of the first and leave it none."""
    found, _ = followed([[(0.0, 0.0), (0.0, 4.0)], [(0.0, 3.0), (0.0, 8.0)]], Rules(NEAREST, reach=6.0, divide=False))
    assert found[1] == [1, 2]


def test_velocity_tells_apart_what_crosses() -> None:
    frames = [[(0.0, 4.0 * t), (1.0, 40.0 - 4.0 * t)] for t in range(11)]
    assert followed(frames, Rules(VELOCITY, reach=10.0))[0][-1] == [1, 2]


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_a_missed_object_is_found_again_within_the_gap(gap: int) -> None:
    frames: list[list[tuple[float, ...]]] = [[(5.0, 5.0)], [(5.0, 6.0)], [], [], [(5.0, 7.0)]]
    found, _ = followed(frames, Rules(reach=5.0, gap=gap))
    assert found[4] == ([1] if gap >= 2 else [2])


def test_entry_and_exit() -> None:
    found, linker = followed([[(5.0, 5.0)], [(5.0, 5.0), (80.0, 80.0)], [(80.0, 81.0)]], Rules(reach=5.0))
    assert found == [[1], [1, 2], [2]] and not linker.parents


def test_division_makes_two_children() -> None:
    frames = [[(20.0, 20.0)], [(20.0, 20.5)], [(17.0, 20.0), (23.5, 21.0)], [(16.0, 20.0), (24.0, 21.0)]]
    for sizes in (None, [[100.0], [100.0], [50.0, 48.0], [50.0, 50.0]]):
        found, linker = followed(frames, Rules(reach=8.0), sizes)
        assert found == [[1], [1], [2, 3], [2, 3]] and sorted(linker.parents) == [(2, 1), (3, 1)]
    found, linker = followed(frames, Rules(reach=8.0, divide=False))
    assert found[2:] == [[1, 2]] * 2 or found[2:] == [[2, 1]] * 2
    assert not linker.parents


def test_what_keeps_its_size_did_not_divide() -> None:
    frames = [[(20.0, 20.0)], [(20.0, 20.5)], [(17.0, 20.0), (23.5, 21.0)]]
    _, linker = followed(frames, Rules(reach=8.0), [[100.0], [100.0], [99.0, 101.0]])
    assert not linker.parents


def test_merging_ends_one_track_in_another() -> None:
    frames = [[(20.0, 17.0), (20.0, 26.0)], [(20.0, 18.0), (20.0, 25.0)], [(20.0, 21.0)], [(20.0, 21.0)]]
    sizes = [[50.0, 60.0], [50.0, 60.0], [108.0], [108.0]]
    found, linker = followed(frames, Rules(reach=6.0, merge=True), sizes)
    [(ended, into)] = linker.merges
    assert {ended, into} == {1, 2} and found[2] == found[3] == [into]
    assert not followed(frames, Rules(reach=6.0), sizes)[1].merges


def test_time_stamps_widen_the_gate() -> None:
    """Four units later an object may have gone twice as far."""
    for later, number in ((1.0, 2), (4.0, 1)):
        linker = Linker(Rules(NEAREST, reach=5.0))
        linker.step(np.array([[10.0, 10.0]]), 0.0)
        assert linker.step(np.array([[10.0, 19.0]]), later).tolist() == [number]


def test_empty_frames_and_an_empty_film() -> None:
    found, _ = followed([[], [], [(3.0, 3.0)], []], Rules())
    assert found == [[], [], [1], []]


def share_of_right_links(seed: int, rules: Rules, axes: int = 2) -> float:
    shape = (900, 900) if axes == 2 else (120, 300, 300)
    tracks = film(shape, np.random.default_rng(seed), Course(200, 25, 3.0, dropped=0.03, dividing=0.02))
    linker, numbers = Linker(rules), np.zeros(len(tracks), np.int64)
    area = tracks.boxes().sizes.prod(axis=1)
    for t in range(tracks.length):
        here = np.flatnonzero(tracks.frames == t)
        numbers[here] = linker.step(tracks.positions[here], float(t), area[here])
    first = np.flatnonzero(np.diff(tracks.numbers) == 0)
    return float(np.mean(numbers[first] == numbers[first + 1]))


@pytest.mark.parametrize("motion", [NEAREST, VELOCITY])
@pytest.mark.parametrize("axes", [2, 3])
def test_right_links_of_a_simulated_film(motion: str, axes: int) -> None:
    assert share_of_right_links(3, Rules(motion), axes) >= 0.98


def test_a_number_stands_once_in_a_frame_and_numbers_never_return() -> None:
    tracks = film((300, 300), np.random.default_rng(5), Course(80, 12, 6.0, dropped=0.1, dividing=0.2))
    linker, seen = Linker(Rules(gap=1)), dict[int, int]()
    for t in range(tracks.length):
        numbers = linker.step(tracks.positions[tracks.frames == t], float(t)).tolist()
        assert len(set(numbers)) == len(numbers) and min(numbers) >= 1
        assert all(t - seen.get(n, t) <= 2 for n in numbers)
        seen |= dict.fromkeys(numbers, t)
    assert all(child > parent for child, parent in linker.parents)


@pytest.mark.parametrize("gap", [2, 5, 8])
@pytest.mark.parametrize("motion", [NEAREST, VELOCITY])
def test_a_gap_is_closed_up_to_the_frames_that_were_said(gap: int, motion: str) -> None:
    for hole in range(1, 10):
        seen = [t for t in range(22) if not 9 <= t < 9 + hole]
        frames = [[(10.0 + 1.5 * t, 30.0), (60.0, 10.0 + t)] if t in seen else [(60.0, 10.0 + t)] for t in range(22)]
        # Without a velocity the object is where it was: it must not have gone farther than its reach allows.
        found, _ = followed(frames, Rules(motion, reach=12.0, gap=gap))
        assert (found[9 + hole][0] == 1) == (hole <= gap), (hole, gap)


def test_of_two_that_fit_the_one_of_like_size_is_taken() -> None:
    frames = [[(10.0, 10.0), (10.0, 20.0)], [(10.0, 14.9), (10.0, 15.1)]]
    for sizes, wanted in (([[40.0, 90.0], [92.0, 38.0]], [2, 1]), ([[90.0, 40.0], [92.0, 38.0]], [1, 2])):
        assert followed(frames, Rules(NEAREST, reach=9.0), sizes)[0][1] == wanted
    # An unknown size says nothing.
    assert followed(frames, Rules(NEAREST, reach=9.0), [[np.nan, 90.0], [92.0, np.nan]])[0][1] == [1, 2]


def test_a_mother_that_moves_divides_where_she_would_be() -> None:
    frames = [[(20.0, 10.0 + 8 * t)] for t in range(5)] + [[(16.0, 50.0), (24.0, 51.0)], [(15.0, 58.0), (25.0, 58.0)]]
    sizes = [[100.0]] * 5 + [[50.0, 48.0]] * 2
    for given in (None, sizes):
        found, linker = followed(frames, Rules(reach=10.0), given)
        assert found[5:] == [[2, 3]] * 2 and sorted(linker.parents) == [(2, 1), (3, 1)] and not linker.renamed


@pytest.mark.parametrize("missed", [1, 2, 3])
def test_a_daughter_that_is_missed_at_first_is_known_late(missed: int) -> None:
    one, two = (16.0, 21.0), (24.0, 20.0)
    frames = [[(20.0, 20.0)]] * 3 + [[one]] * missed + [[one, two]] * 2
    sizes = [[100.0]] * 3 + [[50.0]] * missed + [[50.0, 49.0]] * 2
    found, linker = followed(frames, Rules(reach=10.0, gap=2), sizes)
    if missed > 2:
        assert not linker.parents and found[-1] == [1, 2]
        return
    assert found[2] == found[3] == [1] and found[-1] == [2, 3] and sorted(linker.parents) == [(2, 1), (3, 1)]
    assert linker.renamed == [(1, 3.0, 2)]


def test_who_only_comes_near_is_no_late_daughter() -> None:
    frames = [[(20.0, 20.0)]] * 3 + [[(20.0, 20.0)]] + [[(20.0, 20.0), (24.0, 20.0)]] * 2
    for sizes in ([[100.0]] * 4 + [[100.0, 50.0]] * 2, [[100.0]] * 3 + [[50.0], [50.0, 90.0], [50.0, 90.0]], None):
        assert not followed(frames, Rules(reach=10.0), sizes)[1].renamed


def divisions(tracks: Tracks, noise: float, seed: int) -> tuple[int, int, int]:
    """Divisions found whole, those that there are with both daughters seen, and those told."""
    sizes = tracks.boxes().sizes.prod(axis=1) * np.exp(np.random.default_rng(seed).normal(0, noise, len(tracks)))
    linker, numbers = Linker(), np.zeros(len(tracks), np.int64)
    for t in range(tracks.length):
        at = np.flatnonzero(tracks.frames == t)
        numbers[at] = linker.step(tracks.positions[at], float(t), sizes[at])
    for mother, since, child in linker.renamed:
        numbers[(numbers == mother) & (tracks.frames >= since)] = child
    above = dict(linker.parents)
    first, last = (np.searchsorted(tracks.numbers, tracks.tracks, side=s) for s in ("left", "right"))
    at = {int(n): (int(a), int(b) - 1) for n, a, b in zip(tracks.tracks, first, last, strict=True)}
    whole = [(m, c) for m, c in tracks.children().items() if len(c) == 2]
    found = sum(all(above.get(int(numbers[at[d][0]])) == numbers[at[m][1]] for d in c) for m, c in whole)
    return found, len(whole), len(set(above.values()))


@pytest.mark.parametrize(("noise", "least"), [(0.0, 0.9), (0.15, 0.85)])
def test_divisions_of_films_that_nothing_was_chosen_on(noise: float, least: float) -> None:
    """Crowded films of 200 objects, half of which divide, 3 % missed; sizes as they are, and 15 % wrong."""
    course = Course(200, 30, 2.0, dropped=0.03, dividing=0.5)
    counts = [divisions(film((1000, 1000), np.random.default_rng(s), course), noise, s) for s in (900, 901)]
    found, there, told = np.sum(counts, axis=0)
    assert found >= least * there and told - found <= 0.05 * there
