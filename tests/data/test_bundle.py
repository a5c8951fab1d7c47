"""The value that is a folder."""

from pathlib import Path

from isocenter.data import Bundle


def test_names() -> None:
    bundle = Bundle(Path("x.bundle"), {"task": "segment", "method": "unet"})
    assert (bundle.task, bundle.method) == ("segment", "unet")
