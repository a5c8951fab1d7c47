"""What explanations without a map hand to the page."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from isocenter.data.findings.contributions import Contributions
from isocenter.report.inside import LayerMaps, Shares


def test_they_are_frozen_and_need_no_more_than_what_was_found() -> None:
    one = Shares(Contributions({"age": 0.1}, "ill", 0.4, 0.5, "shapley"))
    assert one.case == "" and dict(one.values) == {}
    maps = LayerMaps(np.zeros((4, 4)), np.zeros((2, 2, 2)), (1, 0), "layer1", 2)
    assert maps.text == ""
    with pytest.raises(FrozenInstanceError):
        maps.text = "x"  # type: ignore[misc]
