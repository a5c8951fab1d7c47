"""What every kind of answer tells the loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.errors import RecipeError
from isocenter.fit import questions
from isocenter.fit.questions.question import CENTRES, Question, Ready, centres_of, thickness_of


def test_each_file_holds_one_question() -> None:
    assert {"segment", "classify"} <= set(questions.known())
    for name in questions.known():
        found = questions.of(name)
        assert isinstance(found, Question)
        assert found.task


def test_an_unknown_one_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="segment"):
        questions.of("segmnt")


def test_targets_of_several_parts_are_stacked_part_by_part() -> None:
    one = (np.zeros((2, 3), np.float32), np.ones(4, np.int64))
    both = Question().stacked([one, one])
    assert [tuple(t.shape) for t in both] == [(2, 2, 3), (2, 4)]
    assert both[1].dtype == torch.int64


def test_memory_counts_every_part() -> None:
    image, part = np.zeros((1, 4, 4), np.float32), np.zeros(8, np.float32)
    assert Ready(image, (part, part)).nbytes == 64 + 64
    assert Ready(image, part).nbytes == 64 + 32


def test_centres_are_thinned_and_absent_values_left_out() -> None:
    labels = np.zeros((200, 100), np.uint8)
    labels[:150] = 1
    labels[199, 99] = 3
    found = centres_of(labels, (1, 2, 3))
    assert set(found) == {1, 3}
    assert CENTRES <= len(found[1]) <= 2 * CENTRES and found[3].tolist() == [[199, 99]]
    assert all(labels[tuple(p)] == 1 for p in found[1][::500])


def test_the_width_of_a_band() -> None:
    band = np.zeros((64, 64), bool)
    band[:, 20:26] = True
    # The part of the rim that the image cuts off does not count.
    assert thickness_of(band) == pytest.approx(6.0 * 4 / np.pi, rel=0.05)
