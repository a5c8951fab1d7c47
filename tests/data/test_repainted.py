"""Other pixels, the same case."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image
from isocenter.data.repainted import repainted
from isocenter.errors import InputError


def test_only_the_leading_image_changes() -> None:
    lead, other = (Image.from_array(np.full((4, 5), v, np.uint8)) for v in (10, 90))
    case = Case("x", {"CT": lead, "PET": other}, lead="CT", facts={"age": 3.0})
    new = repainted(case, np.full((1, 4, 5), 12.6))
    assert new.image().pixels().dtype == np.uint8 and (new.image().pixels() == 13).all()
    assert new.image("PET") is other and new.facts == case.facts and (lead.pixels() == 10).all()


@pytest.mark.parametrize("axes", ["cyx", "zyx"])
def test_axes_stay(axes: str) -> None:
    image = Image.from_array(np.arange(24, dtype=np.int16).reshape(2, 3, 4), axes=axes)
    new = repainted(Case.of(image), image.channels_first() + 100.0)
    assert new.image().axes == axes and new.image().pixels().max() == 23, "nothing leaves the image's own range"


def test_another_grid_is_refused() -> None:
    case = Case.of(Image.from_array(np.zeros((4, 5))))
    with pytest.raises(InputError, match="same grid"):
        repainted(case, np.zeros((1, 5, 4)))
