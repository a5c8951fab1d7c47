"""What the metrics know: directions, ranges, values per case, the cases worth drawing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from isocenter.data import CaseScore, Score, Scores
from isocenter.report import Run, extremes
from isocenter.report.percase import alias, case_values, is_share, lead_target, lower_is_better, metric_of


def scores(values: list[float | None], key: str = "dice", task: str = "segment") -> Scores:
    cases = tuple(CaseScore(f"c{i}", f"g{i}", {key: {"values": {"lung": v}}}) for i, v in enumerate(values))
    return Scores(task, "unet", "test", {key: {"all": Score(0.5, 0.4, 0.6, len(values))}}, cases, len(values))


def test_directions_and_ranges_come_from_the_metrics() -> None:
    assert is_share("segment", "dice") and not is_share("segment", "hd95")
    assert lower_is_better("segment", "hd95") and lower_is_better("classify", "brier")
    assert metric_of("segment", "no_such_metric") is None
    assert not lower_is_better("segment", "no_such_metric")
    assert metric_of("classify", "auc_answered") is not None


def test_values_are_in_the_order_of_cases_and_none_where_a_case_does_not_enter() -> None:
    assert case_values(scores([0.5, None, 0.9]), "dice", "all") == [0.5, None, 0.9]


def test_a_metric_of_whole_sets_has_no_values_per_case(classified: Callable[..., Run]) -> None:
    assert case_values(classified().scores[0], "auc", "all") is None
    assert extremes(classified().scores[0]) == {}


def test_worst_median_and_best_are_distinct_cases() -> None:
    assert extremes(scores([0.5, 0.1, None, 0.9, 0.7, 0.6])) == {"worst": "c1", "median": "c5", "best": "c3"}
    assert extremes(scores([0.5])) == {"worst": "c0"}
    assert extremes(scores([0.5, 0.6])) == {"worst": "c0", "best": "c1"}
    assert extremes(scores([None])) == {}


def test_for_distances_the_largest_is_worst() -> None:
    assert extremes(scores([1.0, 9.0, 4.0], "hd95"))["worst"] == "c1"


def test_equal_values_give_the_same_cases_every_time() -> None:
    assert extremes(scores([0.5, 0.5, 0.5])) == {"worst": "c0", "median": "c1", "best": "c2"}


@pytest.mark.parametrize(
    ("targets", "positive", "lead"),
    [
        (["lung", "all"], None, "all"),
        (["lung", "all"], "lung", "lung"),
        (["lung", "foreground"], None, "foreground"),
        (["lung"], None, "lung"),
        (["lung"], "liver", "lung"),
        ([], None, "all"),
    ],
)
def test_the_leading_target(targets: list[str], positive: str | None, lead: str) -> None:
    assert lead_target({t: Score(1.0, 1.0, 1.0, 1) for t in targets}, positive) == lead


def test_all_is_called_by_the_class_that_it_stands_for() -> None:
    a, b = Score(0.9, 0.8, 1.0, 9), Score(0.7, 0.6, 0.8, 9)
    assert alias({"normal": b, "sick": a, "all": a}, "all") == "sick"
    assert alias({"normal": a, "sick": a, "all": a}, "all") == "sick"
    assert alias({"x": a, "y": a, "all": a}, "all") == "all"
    assert alias({"x": b, "y": b, "all": a}, "all") == "all"
    assert alias({"x": b}, "x") == "x"


def test_methods_are_read_at_a_target_that_all_have():
    from isocenter.data import Score, Scores
    from isocenter.report.percase import lead_target, shared_targets

    def made(**values):
        return Scores("segment", "m", "test", {"dice": {t: Score(v, None, None, 3) for t, v in values.items()}}, (), 3)

    network, classical = made(all=0.4, organ=0.8, foreground=0.7), made(foreground=0.5)
    assert lead_target(shared_targets([network, classical], "dice")) == "foreground"
    assert lead_target(shared_targets([network], "dice")) == "all"
    assert shared_targets([], "dice") == {}
