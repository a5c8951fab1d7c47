from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isocenter.errors import UnreadableError
from isocenter.io import raster


def test_only_the_named_decoder_is_tried(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png", "GIF")
    words = r"a\.png: cannot be read as PNG"
    with pytest.raises(UnreadableError, match=words), raster.opened(tmp_path / "a.png", "PNG"):
        pass


@pytest.mark.parametrize(
    ("mode", "becomes"), [("1", "1"), ("L", "L"), ("LA", "LA"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("CMYK", "RGB"),
                          ("YCbCr", "RGB"), ("I;16", "I;16")],
)
def test_what_modes_are_decoded_to(mode: str, becomes: str) -> None:
    assert raster.target(PIL.Image.new(mode, (2, 2))) == becomes


def test_a_kind_of_pixel_that_is_no_picture_is_refused() -> None:
    with pytest.raises(UnreadableError, match="nobody here reads"):
        raster.target(PIL.Image.new("F", (2, 2)))


def test_a_large_honest_picture_raises_no_warning(tmp_path: Path) -> None:
    PIL.Image.new("1", (9500, 9500)).save(tmp_path / "a.png", compress_level=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with raster.opened(tmp_path / "a.png", "PNG") as image:
            assert image.size == (9500, 9500)


def test_a_palette_with_transparency_has_four_channels() -> None:
    picture = PIL.Image.new("P", (2, 2))
    picture.putpalette([0, 0, 0, 9, 9, 9])
    picture.info["transparency"] = 0
    assert raster.target(picture) == "RGBA"
