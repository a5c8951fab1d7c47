"""Charts of curves."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from isocenter.metrics import Confusion
from isocenter.report import Curves, Run
from isocenter.report.curves import (
    CORNERS,
    confusion_chart,
    fewer,
    history_keys,
    learning_chart,
    probability_chart,
    reliability_chart,
    roc_chart,
    threshold_text,
)


@pytest.fixture(scope="module")
def curves(classified: Callable[..., Run]) -> tuple[Curves, ...]:
    return classified().curves


def test_the_roc_has_a_line_a_band_and_an_operating_point_for_each_method(curves: tuple[Curves, ...]) -> None:
    text = roc_chart(list(enumerate(curves))).inline()
    assert text.count('class="curve') == text.count('class="band') == 2
    assert text.count("halo") == 2
    assert "threshold 0.42, chosen on val" in text
    assert "cnn  0.9" in text


def test_the_operating_point_lies_on_its_curve(curves: tuple[Curves, ...]) -> None:
    for c in curves:
        assert c.roc is not None and c.operating is not None
        fpr, sensitivity = c.operating
        assert (
            np.interp(fpr, c.roc.rate, c.roc.low) <= sensitivity <= np.max(c.roc.sensitivity[c.roc.rate <= fpr]) + 1e-9
        )


def test_without_roc_or_reliability_the_chart_is_empty() -> None:
    bare = Curves("reader")
    assert 'class="curve' not in roc_chart([(0, bare)]).inline()
    assert 'class="curve' not in reliability_chart([(0, bare)]).inline()


def test_long_curves_are_shortened_but_keep_their_ends() -> None:
    table = np.vstack([np.linspace(0, 1, 5000)] * 3)
    short = fewer(table)
    assert short.shape[1] <= CORNERS
    assert (short[0, 0], short[0, -1]) == (0, 1)


def test_reliability_shows_every_bin_with_its_interval(curves: tuple[Curves, ...]) -> None:
    c = curves[0]
    assert c.reliability is not None
    text = reliability_chart([(0, c)]).inline()
    assert text.count("<circle") == len(c.reliability.n)
    assert text.count("whisker") == len(c.reliability.n)


def test_confusion_counts_and_row_shares_are_printed() -> None:
    c = Curves("a", confusion=Confusion(("x", "y"), ("x", "y", "not evaluated"), np.array([[6, 2, 0], [1, 0, 3]])))
    text = confusion_chart(c).inline()
    for number in (">6<", ">2<", ">1<", ">3<", "75 % of row", "25 % of row", "not evaluated"):
        assert number in text
    assert confusion_chart(Curves("a")).width == 0


def test_confusion_of_many_classes_still_fits() -> None:
    names = tuple(f"class {i}" for i in range(30))
    c = Curves("a", confusion=Confusion(names, names, np.eye(30, dtype=int)))
    assert confusion_chart(c, size=320).width == 320


def test_history_columns_are_told_apart() -> None:
    rows = [{"epoch": 1, "loss": 1.0, "val_loss": 2.0, "score": 0.1, "learning_rate": 0.1, "note": "x", "best": True}]
    assert history_keys(rows) == (["loss", "val_loss"], ["score"])


def test_the_best_epoch_is_marked_with_its_score() -> None:
    history = [{"epoch": e, "score": s} for e, s in ((1, 0.2), (2, None), (3, 0.8), (4, 0.7))]
    text = learning_chart(history, ["score"], title="Score", best=True, size=(385, 250)).inline()
    assert "0.800 at 3" in text
    assert text.count('class="curve') == 2


def test_a_history_of_one_epoch_is_drawn() -> None:
    text = learning_chart([{"loss": 1.0}], ["loss"], title="Loss", best=False, size=(385, 250)).inline()
    assert "Epoch" in text


def test_probabilities_are_split_by_truth(curves: tuple[Curves, ...]) -> None:
    c = replace(curves[0], probabilities=(0.9, 0.2, 0.6), present=(True, False, True), threshold=0.5)
    text = probability_chart(c, 0, width=600).inline()
    assert len(re.findall(r"<title>0\.", text)) == 3
    assert "not pneumonia" in text and 'class="rule"' in text
    assert threshold_text(c) == "threshold 0.50, chosen on val"
