from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Cases
from isocenter.errors import LabelError
from isocenter.tasks.classify._represented import represented


def test_a_class_without_a_row_is_named_with_what_to_do() -> None:
    cases = Cases.from_arrays(list(np.zeros((3, 4, 4), np.uint8)), [0, 1, 0], classes=["a", "b", "rare"])
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    with pytest.raises(LabelError, match=r"no training case.*rare.*isocenter split"):
        represented(cases, truth)
    represented(cases, truth + np.eye(3, dtype=int))
