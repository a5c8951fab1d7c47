"""Pairs of points go together."""

import numpy as np
import pytest

from isocenter.data.findings.matches import Matches
from isocenter.errors import GeometryError


def test_pairs_are_counted_and_their_share_agrees():
    found = Matches(np.zeros((4, 3)), np.ones((4, 3)), np.array([True, False, True, True]))
    assert (len(found), found.share) == (4, 0.75)
    assert Matches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, bool)).share == 0.0


@pytest.mark.parametrize("sizes", [(2, 3, 2), (3, 3, 2), (3, 2, 3)])
def test_what_does_not_go_together_is_refused(sizes):
    a, b, n = sizes
    with pytest.raises(GeometryError, match="differ"):
        Matches(np.zeros((a, 2)), np.zeros((b, 2)), np.zeros(n, bool))
