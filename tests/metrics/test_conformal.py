from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.errors import InputError, UsageError
from isocenter.metrics.conformal import FEWEST, conformal, covered, nonconformity

CLASSES = ("a", "b", "c")


def drawn(n: int, seed: int, *, sure: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities, which are `sure` times too sharp."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 3)) + np.array([1.0, 0.0, -1.0])
    p, q = (np.exp(f * logits) / np.exp(f * logits).sum(1, keepdims=True) for f in (1.0, sure))
    return (p.cumsum(1) > rng.random((n, 1))).argmax(1), q


@pytest.fixture
def made(classified, scored):
    def scores(n: int, seed: int, **more):
        truth, p = drawn(n, seed, **more)
        return scored(classified(truth, p, classes=CLASSES, only=("auc",)), only=("auc",), resamples=5)

    return scores


@pytest.mark.parametrize("kind", ["lac", "aps"])
@pytest.mark.parametrize("sure", [1.0, 4.0])
def test_the_coverage_is_at_least_what_was_asked_for(made, kind, sure) -> None:
    found = [covered(conformal(made(200, s, sure=sure), 0.9, kind=kind), made(200, 100 + s, sure=sure), resamples=5)
             for s in range(12)]
    mean = np.mean([f["coverage"]["all"].value for f in found])
    assert mean >= 0.88 and (kind == "aps" or mean <= 0.93)
    one = found[0]["coverage"]["all"]
    assert one.n == 200 and one.low < one.value < one.high and found[0]["size"]["all"].value > 1


def test_the_limit_has_the_rank_of_split_conformal(made) -> None:
    scores = made(120, 0)
    sets = conformal(scores, 0.9)
    truth, p = drawn(120, 0)
    own = np.sort(1 - p[np.arange(120), truth])
    assert sets.limits["a"] == pytest.approx(own[int(np.ceil(121 * 0.9)) - 1]) and sets.n == 120
    assert covered(sets, scores, resamples=5)["coverage"]["all"].value >= 0.9


def test_class_by_class_the_rare_one_is_covered_too(made) -> None:
    many = made(3000, 1, sure=3.0)
    new = made(1500, 2, sure=3.0)
    plain, each = (covered(conformal(many, 0.9, by_class=b), new, resamples=5)["coverage"] for b in (False, True))
    assert plain["c"].value < 0.85 < 0.87 < each["c"].value
    assert each["a"].value == pytest.approx(0.9, abs=0.04)


def test_sets_of_one_row() -> None:
    p = np.array([[0.6, 0.3, 0.1]])
    assert nonconformity(p, "lac").tolist() == [[0.4, 0.7, 0.9]]
    assert nonconformity(p, "aps")[0] == pytest.approx([0.6, 0.9, 1.0])


def test_aps_always_names_a_class_and_lac_may_name_none(made) -> None:
    scores = made(200, 3)
    sure, open_ = conformal(scores, 0.2, kind="aps"), conformal(scores, 0.2)
    p = np.full((1, 3), 1 / 3)
    assert sure.sets(p).sum() == 1 and open_.sets(p).sum() == 0
    assert covered(open_, scores, resamples=5)["empty"]["all"].value > 0


def test_few_calibration_cases_are_refused_with_the_number(made) -> None:
    with pytest.raises(InputError, match=f"at least {FEWEST}"):
        conformal(made(99, 0), 0.9)
    with pytest.raises(InputError, match="at least 999"):
        conformal(made(200, 0), 0.999)
    with pytest.raises(InputError, match="calibration cases of b"):
        conformal(made(300, 0), 0.9, by_class=True)


def test_refusals(made, classified, scored) -> None:
    for coverage, kind in ((1.0, "lac"), (0.0, "lac"), (0.9, "raps")):
        with pytest.raises(UsageError):
            conformal(made(100, 0), coverage, kind=kind)
    several = scored(classified([(1, 0)] * 4, [(0.5, 0.5)] * 4, only=("auc",)), only=("auc",), resamples=5)
    with pytest.raises(InputError, match="several labels"):
        conformal(several, 0.9)
    truth, p = drawn(20, 0)
    other = scored(classified(truth, p, classes=("x", "y", "z"), only=("auc",)), only=("auc",), resamples=5)
    with pytest.raises(InputError, match="other classes"):
        covered(conformal(made(100, 0), 0.9), other)


def test_no_answer_is_not_covered(made, classified, scored) -> None:
    silent = scored(classified([0, 0], [None, (0.9, 0.05, 0.05)], classes=CLASSES, only=("auc",)), only=("auc",),
                    resamples=5)
    found = covered(conformal(made(100, 0), 0.9), silent, resamples=5)
    assert found["coverage"]["all"].value == 0.5 and found["empty"]["all"].value == 0.5


def test_it_is_plain_values(made) -> None:
    json.dumps(conformal(made(100, 0), 0.95).as_json(), allow_nan=False)
