from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated, Segmentation
from isocenter.errors import LabelError
from isocenter.ops.staple import staple
from isocenter.tasks.segment._consensus import WAYS, consensus, correlation, overlap

NAMES = ("background", "a", "b")


@dataclass(frozen=True)
class Says:
    """A method that answers the same always."""

    labels: np.ndarray
    names: tuple[str, ...] = NAMES
    scores: np.ndarray | None = None

    def predict(self, case: Case) -> Segmentation:
        return Segmentation(self.labels, self.names, case.image().geometry, self.scores)


@dataclass(frozen=True)
class Silent:
    def predict(self, case: Case) -> NotEvaluated:
        return NotEvaluated("too dark")


@pytest.fixture
def case() -> Case:
    return Case.of(Image.from_array(np.zeros((4, 6))))


def labels(*rows: int) -> np.ndarray:
    return np.repeat(np.array(rows, np.uint8)[:, None], 6, axis=1)


def test_the_majority_wins_and_shares_are_votes(case: Case) -> None:
    said = [labels(0, 1, 1, 2), labels(0, 1, 2, 2), labels(0, 0, 2, 2)]
    found = consensus([Says(s) for s in said], case, combine="majority")
    assert found.answer.labels[:, 0].tolist() == [0, 1, 2, 2]
    assert found.answer.scores[:, 1, 0].tolist() == pytest.approx([1 / 3, 2 / 3, 0])


def test_the_mean_weighs_how_sure_each_is(case: Case) -> None:
    faint, sure = np.zeros((3, 4, 6), np.float32), np.zeros((3, 4, 6), np.float32)
    faint[0], faint[1] = 0.45, 0.55
    sure[0], sure[1] = 0.9, 0.1
    members = [Says(labels(1, 1, 1, 1), scores=faint)] * 2 + [Says(labels(0, 0, 0, 0), scores=sure)]
    assert consensus(members, case, combine="mean").answer.labels.max() == 0
    assert consensus(members, case, combine="majority").answer.labels.min() == 1
    spread = consensus(members, case, combine="mean").spread
    assert spread.shape == (4, 6)
    assert np.allclose(spread, np.std([0.55, 0.55, 0.1]), atol=1e-6)


def test_staple_is_that_of_the_labels(case: Case) -> None:
    said = [labels(0, 1, 1, 2), labels(0, 1, 2, 2), labels(0, 0, 1, 2)]
    found = consensus([Says(s) for s in said], case, combine="staple")
    assert np.array_equal(found.answer.scores, staple(said, 3).scores)
    assert np.array_equal(found.answer.labels, found.answer.scores.argmax(0))


@pytest.mark.parametrize("combine", WAYS)
def test_one_member_answers_for_all_and_expects_nothing(case: Case, combine: str) -> None:
    found = consensus([Says(labels(0, 1, 1, 2)), Silent()], case, combine=combine)
    assert found.answer.labels[:, 0].tolist() == [0, 1, 1, 2]
    assert not found.expected.items
    assert float(found.spread.max()) == 0.0


def test_expected_dice_is_the_mean_over_pairs(case: Case) -> None:
    found = consensus([Says(labels(*s)) for s in ((0, 1, 1, 0), (0, 1, 0, 0), (0, 0, 1, 0))], case, combine="mean")
    assert found.expected.items["a"].number == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert found.expected.items["b"].number == 1.0


def test_nobody_answers(case: Case) -> None:
    assert consensus([Silent()], case, combine="mean") == NotEvaluated("too dark")
    assert isinstance(consensus([], case, combine="mean"), NotEvaluated)


def test_other_regions_are_refused(case: Case) -> None:
    members = [Says(labels(0, 1, 1, 0)), Says(labels(0, 1, 1, 0), ("background", "x"))]
    with pytest.raises(LabelError, match="different regions"):
        consensus(members, case, combine="mean")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_region_without_a_name_is_the_only_one_of_the_others(case: Case, order: tuple[int, int]) -> None:
    named, nameless = ("background", "lesion"), ("background", "foreground")
    members = [Says(labels(0, 1, 1, 0), named), Says(labels(0, 0, 1, 0), nameless)]
    found = consensus([members[i] for i in order], case, combine="mean")
    assert found.answer.names == ("background", "lesion")
    assert found.answer.scores[1, :, 0].tolist() == [0, 0.5, 1, 0]
    assert found.expected.items["lesion"].number == pytest.approx(2 / 3)
    with pytest.raises(LabelError):
        consensus([members[1], Says(labels(0, 1, 2, 0))], case, combine="mean")


def test_overlap_of_nothing_with_nothing_is_one() -> None:
    none, some = np.zeros(4, bool), np.array([True, True, False, False])
    assert (overlap(none, none), overlap(none, some), overlap(some, some)) == (1.0, 0.0, 1.0)


def test_the_correlation_is_over_cases_that_can_be_judged() -> None:
    rng = np.random.default_rng(0)
    truths = [np.zeros((12, 12), np.uint8) for _ in range(8)]
    for t in truths:
        t[3:9, 3:9] = 1
    cases = Cases.from_arrays([np.zeros((12, 12))] * 8, truths, task="segment", classes=["a"])

    class Uneven:
        """Two readers who err the more, the later the case."""

        def consensus(self, case: Case):
            wrong = 0.06 * int(case.id.strip("abcdefghijklmnopqrstuvwxyz-_ ") or 0)
            truth = case.truth()
            said = [Says(np.where(rng.random((12, 12)) < wrong, 1 - truth.labels, truth.labels), truth.names)
                    for _ in range(2)]  # fmt: skip
            return consensus(said, case, combine="mean")

    found = correlation(Uneven(), cases)
    assert found["n"] == 8
    assert found["pearson"] > 0.6
    assert found["spearman"] > 0.6
    few = correlation(Uneven(), cases.subset([0, 1]))
    assert few == {"n": 2, "pearson": None, "spearman": None}
