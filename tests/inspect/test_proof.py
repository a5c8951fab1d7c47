from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from isocenter.data import Cases
from isocenter.inspect import proofs
from isocenter.inspect.proof import distinguishable, hanley, wilson


def test_hanley_and_mcneil_agree_with_a_simulation() -> None:
    rng = np.random.default_rng(0)
    positive, negative, shift = 30, 60, 1.812  # binormal: AUC = Phi(shift / sqrt(2)) = 0.90
    truth = np.r_[np.ones(positive), np.zeros(negative)]
    scores = [roc_auc_score(truth, rng.standard_normal(90) + shift * truth) for _ in range(800)]
    assert np.mean(scores) == pytest.approx(0.90, abs=0.01)
    assert hanley(0.90, positive, negative) == pytest.approx(np.std(scores), rel=0.15)
    assert hanley(0.9, 0, 10) is None


def test_wilson_covers_what_it_says() -> None:
    from scipy.stats import binom

    for n in (10, 50, 300):
        hits = np.arange(n + 1)
        inside = [wilson(k / n, n)[0] <= 0.9 <= wilson(k / n, n)[1] for k in hits]
        assert 0.92 <= binom.pmf(hits, n, 0.9)[inside].sum() <= 0.99
    assert wilson(0.5, 0) == (0.0, 1.0)


def test_more_subjects_prove_more(labelled: Callable[..., Cases]) -> None:
    widths = []
    for n in (10, 100, 1000):
        lead, accuracy = proofs(labelled(["no", "yes"] * n), "classify")
        assert (lead.metric, lead.target, lead.n) == ("auc", "yes", 2 * n) and accuracy.metric == "accuracy"
        assert lead.low is not None and lead.high is not None
        widths.append(lead.high - lead.low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_a_patient_counts_once(labelled: Callable[..., Cases]) -> None:
    repeated = labelled(["no", "yes"] * 50, [str(i % 10) for i in range(100)])
    assert proofs(repeated, "classify")[0].n == 10


def test_dice_rests_on_the_spread_between_cases(labelled: Callable[..., Cases]) -> None:
    (proof,) = proofs(labelled(["a"] * 20), "segment")
    # t(19) = 2.093 for 95 %.
    assert proof.high == pytest.approx(2.093 * 0.1 / np.sqrt(20), rel=1e-3) and "20 subjects" in proof.text
    assert "0.047" in distinguishable([proof])


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_say_so(labelled: Callable[..., Cases], n: int) -> None:
    found = proofs(labelled(["a"] * n), "segment")
    assert "too few" in found[0].text and distinguishable(found) == ""


def test_one_class_alone_gives_no_auc(labelled: Callable[..., Cases]) -> None:
    lead, _ = proofs(labelled(["no", "yes"] + ["no"] * 9).subset(range(2, 11)), "classify")
    assert lead.low is None and "no interval" in lead.text and lead.as_json()["low"] is None


def test_other_tasks_have_none(labelled: Callable[..., Cases]) -> None:
    assert proofs(labelled(["a"] * 5), "detect") == ()
