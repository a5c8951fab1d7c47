"""Maps lie on the case's own grid."""

import numpy as np
import pytest

from isocenter.data import Attribution, Geometry
from isocenter.errors import LabelError


def test_grid() -> None:
    assert Attribution(np.zeros((2, 3)), Geometry((2, 3)), "a", "grad-cam").completeness is None
    with pytest.raises(LabelError, match="another grid"):
        Attribution(np.zeros((3, 3)), Geometry((2, 3)), "a", "grad-cam")
