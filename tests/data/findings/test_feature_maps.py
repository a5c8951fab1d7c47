import numpy as np
import pytest

from isocenter.data.findings.feature_maps import FeatureMaps
from isocenter.errors import LabelError


def test_every_map_has_its_number():
    made = FeatureMaps(np.zeros((2, 4, 5), np.float32), (7, 3), "layer4", 8)
    assert made.channels == (7, 3) and made.total == 8
    for channels, total in (((1,), 8), ((1, 2), 1)):
        with pytest.raises(LabelError, match="differ in number"):
            FeatureMaps(np.zeros((2, 4, 5), np.float32), channels, "layer4", total)
