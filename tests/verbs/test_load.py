from __future__ import annotations

from pathlib import Path

import pytest

import isocenter as iso
from isocenter.errors import BundleError, NotFoundError


def test_a_bundle_is_a_predictor(disc_bundle: Path, discs_folder: Path) -> None:
    case = iso.read(discs_folder / "images" / "case00.png")
    found = iso.load(disc_bundle).predict(case)
    assert found.regions == ("disc",) and found.geometry.shape == (48, 48)


def test_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        iso.load("no-such-bundle")
    with pytest.raises(BundleError, match="not a bundle"):
        iso.load(tmp_path)
