"""One question."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated, Probabilities
from isocenter.errors import MissingFileError, NotFoundError


def test_roles() -> None:
    a, b = Image.from_array(np.zeros((2, 2))), Image.from_array(np.ones((2, 2)))
    case = Case("c", {"PET": a, "CT": b}, lead="CT")
    assert case.image() is b and case.image("PET") is a
    with pytest.raises(NotFoundError, match="Did you mean PET"):
        case.image("PTE")
    assert Case("c", {"CT": b}).image() is b
    with pytest.raises(NotFoundError):
        Case("c", {"PET": a, "CT": b}).image()


def test_truth_is_read_when_asked() -> None:
    truth = Probabilities.truth(("a", "b"), ["b"])
    case = Case.of(Image.from_array(np.zeros((2, 2))))
    assert case.truth() is None
    assert Case("c", case.images, load_truth=lambda: truth).truth() is truth


def test_what_was_given_or_why_not() -> None:
    truth = Probabilities.truth(("a", "b"), ["b"])
    case = Case.of(Image.from_array(np.zeros((2, 2))))
    assert not case.given("reader")
    assert Case("c", case.images, load_given=lambda name: truth).given("reader") is truth

    def missing(name: str) -> Probabilities:
        raise MissingFileError("no file for this case", got=name)

    found = Case("c", case.images, load_given=missing).given("reader")
    assert isinstance(found, NotEvaluated) and found.measured == "reader"
