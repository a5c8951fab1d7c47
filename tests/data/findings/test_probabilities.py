"""Probabilities."""

import pytest

from isocenter.data import Probabilities
from isocenter.errors import LabelError


def test_decisions() -> None:
    assert Probabilities(("a", "b"), (0.4, 0.6)).decision == ("b",)
    assert Probabilities(("a", "b"), (0.4, 0.6), decided=("a",)).decision == ("a",)
    assert Probabilities(("a", "b"), (0.5, 0.9), multilabel=True).decision == ("a", "b")
    assert Probabilities(("a", "b"), (0.1, 0.2), multilabel=True).decision == ()
    assert Probabilities(("a", "b"), (0.4, 0.6)).of("a") == 0.4


@pytest.mark.parametrize("values", [(0.5,), (0.5, 0.6), (-0.5, 1.5), (float("nan"), 1.0)])
def test_refusals(values: tuple[float, ...]) -> None:
    with pytest.raises(LabelError):
        Probabilities(("a", "b"), values)


def test_what_a_sum_should_be_is_said() -> None:
    with pytest.raises(LabelError, match=r"do not sum to 1.*1\.4.*Divide each by their sum"):
        Probabilities(("a", "b"), (0.7, 0.7))


def test_a_truth_names_known_classes() -> None:
    with pytest.raises(LabelError, match="not a class"):
        Probabilities.truth(("a", "b"), ["c"])
    with pytest.raises(LabelError):
        Probabilities.truth(("a", "b"), ["a", "b"])
    assert Probabilities.truth(("a", "b"), ["a", "b"], multilabel=True).values == (1.0, 1.0)


def test_none_decided_for_is_not_the_same_as_no_thresholds() -> None:
    assert Probabilities(("a", "b"), (0.9, 0.2), multilabel=True).decision == ("a",)
    assert Probabilities(("a", "b"), (0.9, 0.2), multilabel=True, decided=()).decision == ()
    with pytest.raises(LabelError, match="must be decided"):
        Probabilities(("a", "b"), (0.9, 0.1), decided=())
