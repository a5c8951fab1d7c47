"""The positive class when nobody says."""

import pytest

from isocenter.data import positive_of


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        (("normal", "x"), "x"),
        (("0", "1"), "1"),
        (("Benign", "Malignant"), "Malignant"),
        (("a", "b"), None),
        (("normal", "a", "b"), None),
        (("no", "healthy"), None),
        (("良性", "恶性"), "恶性"),
        (("阳性", "阴性"), "阳性"),
    ],
)
def test_positive(classes: tuple[str, ...], wanted: str | None) -> None:
    assert positive_of(classes) == wanted
