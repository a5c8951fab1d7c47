"""Tissue through a film: known motion, lost frames, return."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.ops.tissue import Tissue
from isocenter.simulate.motion import Motion, moving_speckle

SHAPE = (64, 72)
MOTION = Motion(shift=(2.5, -3.0), stretch=((-0.06, 0.0), (0.0, 0.05)), frames=9)
MIDDLE = (np.array(SHAPE) - 1) / 2
GRID = np.argwhere(np.ones(SHAPE, bool))


def film(fresh: float = 0.02) -> np.ndarray:
    return moving_speckle(SHAPE, np.random.default_rng(0), MOTION, fresh=fresh).pixels().astype(np.float32)


def truth(frame: int) -> np.ndarray:
    return (MOTION.carried(GRID, MIDDLE, frame) - GRID).T.reshape(2, *SHAPE)


def errors(moved: np.ndarray, sure: np.ndarray, frame: int) -> np.ndarray:
    core = np.zeros(SHAPE, bool)
    core[14:-14, 14:-14] = True
    return np.sqrt(((moved - truth(frame)) ** 2).sum(axis=0))[core & sure]


def test_displacement_of_every_frame_against_the_first() -> None:
    frames = film()
    tissue = Tissue(frames[0])
    for t in range(1, 9):
        moved, sure = tissue.step(frames[t])
        found = errors(moved, sure, t)
        assert len(found) > 0.9 * 36 * 44 and np.median(found) < 0.2 and np.quantile(found, 0.95) < 0.6
    assert moved.dtype == np.float32


def test_a_frame_without_anything_is_not_believed_and_the_next_goes_on() -> None:
    frames = film()
    tissue = Tissue(frames[0])
    for frame in frames[1:4]:
        tissue.step(frame)
    kept = tissue.moved
    noise = 128 + 40 * np.random.default_rng(5).normal(size=SHAPE)
    for nothing in (np.full(SHAPE, 9.0), np.full(SHAPE, np.nan), noise):
        moved, sure = tissue.step(nothing)
        assert sure.mean() < 0.02
    assert np.array_equal(moved, kept)
    moved, sure = tissue.step(frames[4])
    found = errors(moved, sure, 4)
    assert len(found) > 0.8 * 36 * 44 and np.median(found) < 0.25


def test_what_is_even_in_the_first_frame_is_never_sure() -> None:
    frames = film()
    frames[:, :, :30] = 50
    tissue = Tissue(frames[0], window=3.0)
    assert not tissue.pattern[:, :16].any() and tissue.pattern[:, 45:].all()
    assert not tissue.step(frames[1])[1][:, :16].any()


def test_frames_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="differ in size"):
        Tissue(film()[0]).step(np.zeros((9, 9)))
