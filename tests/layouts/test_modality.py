from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Image
from isocenter.layouts.modality import modality_of, with_modality


@pytest.mark.parametrize(
    ("word", "code"),
    [("CT", "CT"), ("MRI", "MR"), ("T1", "MR"), ("FLAIR T1w T2", "MR"), ("PET", "PT"), ("X-ray", "XR"),
     ("rescale", None), ("perfection", None), ("CT PET", None), ("", None), ("ultrasound", "US")],
)
def test_words_of_modalities(word: str, code: str | None) -> None:
    assert modality_of(word) == code


def test_what_the_file_says_wins() -> None:
    image = Image.from_array(np.zeros((2, 2)), modality="MR")
    assert with_modality(image, "CT").modality == "MR"
    assert with_modality(Image.from_array(np.zeros((2, 2))), "CT").modality == "CT"
    assert with_modality(Image.from_array(np.zeros((2, 2))), "fixed").modality is None
