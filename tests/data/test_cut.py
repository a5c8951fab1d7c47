"""Volumes cut into slices keep place and group."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Entry, Image
from isocenter.errors import InputError


def test_slices_keep_their_place_and_truth() -> None:
    x = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    cases = Cases.from_arrays(x, x % 2, task="segment", spacing=(3.0, 1.0, 0.5), subjects=["p", "q"])
    cut = cases.cut("slice")
    assert len(cut) == 6 and cut.groups == ("p",) * 3 + ("q",) * 3
    piece = cut[4]
    assert piece.id == "case0001#slice1" and np.array_equal(piece.image().pixels(), x[1, 1])
    assert piece.image().geometry.spacing == (1.0, 0.5)
    assert piece.image().geometry.to_world(np.zeros((1, 2))).tolist() == [[0, 0, 3.0]]
    assert np.array_equal(piece.truth().labels, (x[1, 1] % 2).astype(np.uint8))


def test_unknown_subjects_are_grouped_by_case() -> None:
    cut = Cases.from_arrays(np.zeros((2, 3, 4, 5)), [0, 1]).cut("slice")
    assert cut.n_subjects == 2 and cut[5].truth().label == "1"


def test_frames() -> None:
    film = Image.from_array(np.arange(8).reshape(2, 2, 2), axes="tyx")
    cut = Cases((Entry("f", lambda: Case("f", {"image": film})),)).cut("frame")
    assert [c.image().pixels()[0, 0] for c in cut] == [0, 4]


def test_refusals() -> None:
    cases = Cases.from_arrays(np.zeros((1, 4, 5)), [0])
    with pytest.raises(InputError, match="no axis z"):
        cases.cut("slice")
    with pytest.raises(InputError, match="unknown unit"):
        cases.cut("beat")
