"""The part of each attribute in an answer."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import RecipeError
from isocenter.tasks.explain.attributes import Attributes

FOUND = Contributions({"left (0.90)": 1.5}, "ill", -0.5, 1.0, "attributes")


class Through:
    """Rests on one attribute."""

    def contributed(self, case: Case, *, target: str | None = None) -> Contributions:
        assert target in (None, "ill")
        return FOUND


def test_the_methods_own_parts_are_handed_on() -> None:
    case = Case.of(Image.from_array(np.zeros((4, 4))))
    assert Attributes(of=Through()).predict(case) is FOUND
    assert Attributes(of=Through(), target="ill").predict(case) is FOUND


def test_methods_without_attributes_are_refused() -> None:
    for of in (None, object()):
        with pytest.raises(RecipeError, match="occlusion"):
            Attributes(of=of)
