from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.metrics.assurance import FEWEST, band_of, bands
from isocenter.metrics.resample import wilson


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes and calibrated probabilities of the second one."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p).astype(int), p


def test_bands_hold_all_cases_once_and_what_they_say_is_counted(binary, scored) -> None:
    truth, p = drawn(200, 0)
    found = bands(scored(binary(truth, p), resamples=5))
    assert len(found) == 5 and sum(b.n for b in found) == 200 and all(b.n == 40 == b.groups for b in found)
    sure, right = np.maximum(p, 1 - p), (p > 0.5) == truth
    for band in found:
        inside = (sure >= band.least) & (sure <= band.most)
        assert inside.sum() == 40 and band.right == pytest.approx(right[inside].mean())
        assert (band.low, band.high) == pytest.approx(wilson(right[inside].sum(), 40, 0.95))
    assert [b.least for b in found] == sorted(b.least for b in found) and found[-1].right > found[0].right


def test_the_interval_holds_for_new_cases_as_often_as_it_says(binary, scored) -> None:
    held = []
    for seed in range(30):
        for band in bands(scored(binary(*drawn(100, seed)), resamples=5)):
            # Of calibrated probabilities the share of right decisions is the mean confidence.
            held.append(band.low <= (band.least + band.most) / 2 <= band.high)
    assert np.mean(held) > 0.88


def test_cases_of_one_patient_count_once(binary, scored) -> None:
    truth, p = np.tile([1, 0], 20), np.tile([0.9, 0.1], 20)
    apart = bands(scored(binary(truth, p), resamples=5))
    several = bands(scored(binary(truth, p, groups=[f"g{i // 4}" for i in range(40)]), resamples=5))
    assert [b.n for b in several] == [b.n for b in apart] == [40], "equal confidences stay together"
    assert several[0].groups == 10 and several[0].low < apart[0].low


def test_too_few_several_labels_and_what_is_no_classification(binary, classified, scored) -> None:
    assert bands(scored(binary([1, 0] * 9, [0.9, 0.1] * 9), resamples=5)) == ()
    assert bands(scored(classified([(1, 0), (1, 1)] * 20, [(0.7, 0.2), (0.6, 0.9)] * 20), resamples=5)) == ()
    assert len(bands(scored(binary([1, 0] * 10, [0.9, 0.1] * 10), resamples=5))) == 1 and FEWEST == 20


def test_no_answer_is_the_least_sure_and_wrong(binary, scored) -> None:
    [band] = bands(scored(binary([1] * 20, [0.9] * 19 + [None]), resamples=5))
    assert band.least == 0 and band.right == pytest.approx(0.95)


def test_a_new_answer_finds_its_band_in_what_a_bundle_keeps(binary, scored) -> None:
    found = bands(scored(binary(*drawn(100, 1)), resamples=5))
    kept = json.loads(json.dumps([b.as_json() for b in found]))
    for band in found:
        again = band_of(band.least, kept)
        assert again is not None and again.right == pytest.approx(band.right, abs=1e-6) and again.n == band.n
    top = band_of(1.0, kept)
    assert top is not None and top.n == found[-1].n
    assert band_of(found[0].least - 0.01, kept) is None and band_of(0.9, []) is None
