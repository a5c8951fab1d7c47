"""The DICOM code of a modality from the word that a data set uses for it."""

from __future__ import annotations

import re
from dataclasses import replace

from isocenter.data import Image

# Whole words only: "CT" must not be found in "CTRL" or "perfection".
WORDS = {
    "ct": "CT", "cbct": "CT", "cta": "CT",
    "mr": "MR", "mri": "MR", "t1": "MR", "t1w": "MR", "t1c": "MR", "t1ce": "MR", "t1gd": "MR", "t1n": "MR", "t2": "MR",
    "t2w": "MR", "t2f": "MR", "flair": "MR", "adc": "MR", "dwi": "MR", "pd": "MR",
    "pet": "PT", "pt": "PT", "suv": "PT", "fdg": "PT", "spect": "NM", "us": "US", "ultrasound": "US", "xray": "XR",
}


def modality_of(word: str) -> str | None:
    """The code, or None for words that name no modality.

    >>> modality_of("MR_T1"), modality_of("FLAIR"), modality_of("fixed")
    ('MR', 'MR', None)
    """
    parts = re.split(r"[^a-z0-9]+", word.lower().replace("x-ray", "xray"))
    found = {WORDS[p] for p in parts if p in WORDS}
    return found.pop() if len(found) == 1 else None


def with_modality(image: Image, word: str) -> Image:
    """The image with the modality that a word names, where the file itself names none."""
    code = modality_of(word)
    return image if image.modality or code is None else replace(image, modality=code)
