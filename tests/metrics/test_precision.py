"""What a split of n can prove, against the widths that come out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from isocenter.data import CaseScore, Scores, Task
from isocenter.errors import NotFoundError, UsageError
from isocenter.metrics import expected_width, summarise
from isocenter.metrics.ranking import auc_interval


@pytest.mark.parametrize("n", [15, 60, 300])
def test_width_of_a_mean_is_what_comes_out(segment: Task, overlaps: Callable[..., list[CaseScore]], n: int) -> None:
    x = 0.8 + 0.08 * np.random.default_rng(n).standard_normal(n)
    score = summarise(segment, overlaps(x), method="m", split="test").metrics["dice"]["all"]
    assert score.high - score.low == pytest.approx(expected_width("dice", n, float(x.std(ddof=1))), rel=0.12)


def test_width_of_a_share_is_what_comes_out(
    binary: Callable[..., list[CaseScore]], scored: Callable[..., Scores]
) -> None:
    score = scored(binary([1] * 50 + [0], [0.9] * 40 + [0.1] * 11)).metrics["sensitivity"]["all"]
    assert score.high - score.low == pytest.approx(expected_width("sensitivity", 50, 0.8))


@pytest.mark.parametrize(("n", "positives"), [(60, 0.5), (200, 0.2)])
def test_width_of_auc_is_what_comes_out(n: int, positives: float) -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    y = np.arange(n) < n * positives
    widths = [np.diff(auc_interval(rng.normal(size=n) + 1.4 * y, y, 0.95))[0] for _ in range(50)]
    expected = expected_width("auc", n, float(norm.cdf(1.4 / 2**0.5)), positives=positives)
    assert np.mean(widths) == pytest.approx(expected, rel=0.12)


def test_more_cases_prove_more_and_one_proves_nothing() -> None:
    for metric in ("dice", "auc", "accuracy", "hd95", "f1"):
        widths = [expected_width(metric, n) for n in (2, 10, 50, 400)]
        assert all(a > b > 0 for a, b in pairwise(widths)), metric
        assert expected_width(metric, 1) is None
    assert expected_width("auc", 10, positives=0.05) is None
    assert expected_width("dice", 50, level=0.99) > expected_width("dice", 50)


def test_published_sizes_agree() -> None:
    """A mean Dice of spread 3 points needs 100 to 200 cases for an interval 1 point wide (arXiv 2307.10926)."""
    assert expected_width("dice", 100, 0.03) > 0.01 > expected_width("dice", 200, 0.03)


def test_refusals() -> None:
    with pytest.raises(NotFoundError, match="dicee"):
        expected_width("dicee", 10)
    for metric, value in (("accuracy", 1.2), ("dice", -0.1)):
        with pytest.raises(UsageError):
            expected_width(metric, 10, value)
