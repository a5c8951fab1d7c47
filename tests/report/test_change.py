"""What a picture of a change holds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from isocenter.report.change import Change


def test_it_is_a_value() -> None:
    change = Change(np.zeros((2, 2)), np.ones((2, 2)), np.ones((2, 2)), (0.0, 255.0))
    assert change.text == "" and change.spacing is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        change.text = "x"  # type: ignore[misc]
