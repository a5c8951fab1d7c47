"""Learning which pixel belongs to what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from isocenter.data import IGNORE, Cases
from isocenter.errors import LabelError
from isocenter.fit.feed import Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.segment import QUESTION, regrid
from isocenter.tasks.segment.unet import UNet


def test_the_largest_part_is_kept_only_where_val_says_so(discs) -> None:

    cases = discs(4)
    scheme = plan(UNet(), fingerprint(cases, "segment"))
    scheme = replace(scheme, plan=replace(scheme.plan, divisor=(1, 1), patch=(24, 24)))
    clean = Shelf(cases, scheme)
    specks = [np.where(np.indices(c.image().shape).sum(0) == 3, 2.0, c.image().pixels()) for c in cases]
    noisy = Cases.from_arrays(specks, [c.truth().labels for c in cases], task="segment", classes=["disc"])

    class Bright(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.smooth = nn.AvgPool2d(3, 1, 1)
            self.level = nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.where(x > 3, x, self.smooth(x)) - self.level
            return torch.cat((0.6 - y, y - 0.6), 1)

    assert not QUESTION.finished(scheme, Bright(), clean).plan.largest
    found = QUESTION.finished(scheme, Bright(), Shelf(noisy, scheme))
    assert "val: Dice" in found.origins["plan.largest"]
    said = replace(scheme, origins={"plan.largest": "recipe"})
    assert QUESTION.finished(said, Bright(), Shelf(noisy, said)) == said


def test_labels_on_a_coarser_grid_keep_their_shares_and_ignore() -> None:
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 4:] = 2
    labels[:4, :4] = IGNORE
    small = regrid(labels, (4, 4), 3)
    assert small.tolist() == [[255, 255, 2, 2]] * 2 + [[0, 0, 2, 2]] * 2
    assert regrid(labels, (8, 8), 3) is not None
    assert np.array_equal(regrid(labels, (8, 8), 3), labels)


def test_what_is_looked_at(discs) -> None:
    cases = discs()
    found = QUESTION.looked(cases[0], ("background", "disc"))
    truth = cases[0].truth().labels
    assert found.counts == {"background": int((truth == 0).sum()), "disc": int(truth.sum())}
    assert np.array_equal(found.inside, truth == 1)
    # 2 area / perimeter of a disc is its radius.
    assert found.thickness["disc"] == pytest.approx(6.0, rel=0.15)
    assert found.sizes is None


def test_a_case_without_a_label_map_is_refused(pictures) -> None:
    with pytest.raises(LabelError, match="no label map"):
        QUESTION.looked(pictures()[0], ("background", "a"))


def test_targets_are_stacked_as_whole_numbers(discs) -> None:
    assert QUESTION.stacked([np.zeros((2, 3), np.uint8)] * 2).dtype == torch.int64
    assert QUESTION.names(discs()) == ("background", "disc")
