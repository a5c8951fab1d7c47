"""The place of findings made elsewhere."""

from __future__ import annotations

import numpy as np

from isocenter.data import Boxes, Case, Image
from isocenter.tasks.detect.given import Given

IMAGE = Image.from_array(np.zeros((4, 5)), spacing=(1.0, 1.0))


def test_an_empty_finding_is_a_finding() -> None:
    none = Boxes.none(("a",), IMAGE.geometry)
    assert Given(column="reader").predict(Case("a", {"image": IMAGE}, load_given=lambda name: none)) is none
