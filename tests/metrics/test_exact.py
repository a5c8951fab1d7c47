"""Wilcoxon, McNemar and Holm against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isocenter.metrics.exact import holm, mcnemar, wilcoxon


def test_wilcoxon_by_hand() -> None:
    # Ranks 1 to 5, only rank 1 negative: two of 32 signs are as extreme on either side.
    assert wilcoxon(np.array([-1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(4 / 32)
    assert wilcoxon(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(2 / 32)


@pytest.mark.parametrize("n", [12, 80])
def test_wilcoxon_equals_scipy(n: int) -> None:
    d = np.random.default_rng(n).normal(0.2, 1, n)
    assert wilcoxon(d) == pytest.approx(stats.wilcoxon(d, method="exact" if n <= 50 else "asymptotic").pvalue)


def test_wilcoxon_leaves_zeros_out_and_counts_ties_as_ties() -> None:
    d = np.array([0.0, 0.0, 1.0, 2.0, 3.0, -4.0])
    assert wilcoxon(d) == wilcoxon(d[2:])
    assert wilcoxon(np.zeros(5)) == 1.0 and wilcoxon(np.zeros(0)) is None
    # 0.3 - 0.2 and 0.2 - 0.1 differ in the last bit only.
    tied = np.array([0.3 - 0.2, 0.2 - 0.1, -(0.4 - 0.3), 0.5, 0.6, 0.7, 0.8])
    assert wilcoxon(tied) == pytest.approx(stats.wilcoxon(tied.round(9), method="asymptotic").pvalue)


@pytest.mark.parametrize(("b", "c", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 6, 2 / 64), (1, 9, 22 / 1024)])
def test_mcnemar_by_hand(b: int, c: int, p: float) -> None:
    x = np.array([True] * b + [False] * c + [True] * 4 + [False] * 3)
    y = np.array([False] * b + [True] * c + [True] * 4 + [False] * 3)
    assert mcnemar(x, y) == pytest.approx(p) == pytest.approx(mcnemar(y, x))
    if b + c:
        assert mcnemar(x, y) == pytest.approx(stats.binomtest(b, b + c).pvalue)


def test_holm_by_hand() -> None:
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, and never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02] and holm([]) == [] and holm([None, None]) == [None, None]
    assert holm([None, 0.02, 0.04]) == pytest.approx([None, 0.04, 0.04])
