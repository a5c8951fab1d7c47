from __future__ import annotations

import math

import numpy as np
import pytest

from isocenter.data.study import Imbalance
from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import Fingerprint
from isocenter.fit.imbalance import below_and_above, both_sides, drawn, in_loss, resolved, weights


def facts(*counts: int, multilabel: bool = False) -> Fingerprint:
    names = [f"c{i}" for i in range(len(counts))]
    known = {"task": "classify", "n": sum(counts), "rank": 2, "channels": 1, "grey": True, "smallest": [8, 8]}
    known |= {"median": [8, 8], "largest": [8, 8], "spacing": None, "varied": False, "modality": "", "dtype": "uint8"}
    known |= {"low": 0.0, "high": 1.0, "mean": 0.5, "sd": 0.2, "classes": names, "multilabel": multilabel}
    return Fingerprint.from_json(known | {"counts": dict(zip(names, counts, strict=True))})


def test_classes_are_drawn_by_a_power_of_their_cases() -> None:
    assert drawn([900, 100], "none").tolist() == [900.0, 100.0]
    assert drawn([900, 100], "balanced").tolist() == [500.0, 500.0]
    # Roots 30 and 10: three to one.
    assert drawn([900, 100], "sqrt").tolist() == [750.0, 250.0]


def test_weights_by_the_inverse_of_the_cases() -> None:
    counts = np.array([90.0, 10.0])
    # N / (K n): 100 / 180 and 100 / 20.
    assert weights("inverse", counts) == pytest.approx([100 / 180, 5.0])
    assert weights("none", counts).tolist() == [1.0, 1.0]


def test_weights_by_the_effective_number() -> None:
    counts = np.array([90.0, 10.0])
    kept = 0.99
    numbers = [(1 - kept**90) / (1 - kept), (1 - kept**10) / (1 - kept)]
    found = weights("effective", counts)
    assert found[1] / found[0] == pytest.approx(numbers[0] / numbers[1])
    # 59.53 and 9.56 instead of 90 and 10: the rare class gains less than by the inverse.
    assert numbers == pytest.approx([59.53, 9.562], rel=1e-3)
    assert (found * counts).sum() == pytest.approx(100.0)


def test_both_sides_of_a_label_and_of_a_cut() -> None:
    assert both_sides([3, 8], 8).tolist() == [[3.0, 5.0], [8.0, 0.5]]
    assert below_and_above([5, 3, 2]).tolist() == [[5.0, 5.0], [8.0, 2.0]]
    sides = weights("inverse", both_sides([2, 5], 10))
    assert sides == pytest.approx(np.array([[10 / 4, 10 / 16], [1.0, 1.0]]))


def test_uneven_classes_are_drawn_equally_often_unless_something_else_sees_to_it() -> None:
    origins: dict[str, str] = {}
    assert resolved(Imbalance(), facts(90, 10), origins).sampling == "balanced"
    assert "{'c0': 90, 'c1': 10}" in origins["loop.imbalance.sampling"]
    assert origins["loop.imbalance.focal"] == "default"
    assert resolved(Imbalance(), facts(60, 50), {}).sampling == "none"
    assert resolved(Imbalance(), facts(90, 10, multilabel=True), {}).sampling == "none"
    assert resolved(Imbalance(weights="inverse"), facts(90, 10), origins).sampling == "none"
    assert "see to it" in origins["loop.imbalance.sampling"]
    assert resolved(Imbalance(adjustment=1.0), facts(90, 10), {}).sampling == "none"
    assert resolved(Imbalance(sampling="none"), facts(90, 10), {}).sampling == "none"
    found = resolved(Imbalance(smoothing=0.0, mixup=0.2), facts(5, 5), origins)
    assert (found.smoothing, found.mixup, found.weights) == (0.0, 0.2, "none")
    assert origins["loop.imbalance.mixup"] == "recipe"


def test_nothing_is_made_up_for_twice() -> None:
    for wrong in ({"weights": "inverse"}, {"adjustment": 1.0}):
        with pytest.raises(RecipeError, match="neither weights nor adjustment"):
            Imbalance(sampling="balanced", **wrong)
    # Weights and offset go by what the root leaves uneven.
    how = Imbalance(sampling="sqrt", weights="inverse", adjustment=2.0)
    found, offset = in_loss(how, (900, 100, 1000))
    assert found == pytest.approx([1000 / 1500, 2.0])
    assert offset == pytest.approx([2 * math.log(0.75), 2 * math.log(0.25)])


def test_several_labels_and_an_order() -> None:
    how = Imbalance(weights="inverse", adjustment=1.0)
    found, offset = in_loss(how, (2, 5, 10), multilabel=True)
    assert found == pytest.approx(np.array([[2.5, 0.625], [1.0, 1.0]]))
    assert offset == pytest.approx(np.log([[0.2, 0.8], [0.5, 0.5]]))
    found, offset = in_loss(how, (2, 5, 3, 10), order=(1, 2, 0))
    # In order 5, 3, 2: cuts of 5 and 5, of 8 and 2; the offset stays by class.
    assert found == pytest.approx(np.array([[1.0, 1.0], [0.625, 2.5]]))
    assert offset == pytest.approx(np.log([0.2, 0.5, 0.3]))
    assert in_loss(Imbalance(), (2, 5, 7)) == (None, None)
    assert in_loss(how, ()) == (None, None)
