"""Every key of every task has its metric, and a metric from elsewhere works like ours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from isocenter import catalog
from isocenter.data import Attribution, CaseScore, Geometry, NotEvaluated, Probabilities, Segmentation, Task
from isocenter.errors import LabelError, NotFoundError
from isocenter.metrics import METRICS, Metric, get, records, summarise


@pytest.mark.parametrize("name", ["segment", "classify", "regress", "detect", "instances", "explain", "attack"])
def test_every_key_of_a_task_has_a_metric_that_says_what_it_is(name: str) -> None:
    task = catalog.task(name)
    for key in task.metrics:
        metric = get(key, task)
        assert metric.key == key and metric.text and metric.better in ("higher", "lower")
        assert key in METRICS and METRICS[key].better == metric.better
        low, high = metric.range
        assert low in (0.0, -1.0, None) and (high is None or high > 0)


def test_tasks_that_share_a_key_have_their_own_metric() -> None:
    assert get("specificity", "segment") is not get("specificity", "classify")
    assert "pixel" not in get("specificity", "classify").text


def test_objects_share_keys_but_not_metrics() -> None:
    assert get("ap50", "detect") is not get("ap50", "instances")
    assert "COCO" in get("ap", "detect").text and "per image" in get("ap", "instances").text


def test_answered_only_and_coverage() -> None:
    assert get("dice_answered", "segment").text.endswith("(answered cases only)")
    assert METRICS["auc_answered"].better == "higher" and METRICS["coverage"] is get("coverage", "classify")


def test_unknown_keys_name_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="Did you mean dice"):
        get("dise", "segment")
    with pytest.raises(NotFoundError):
        get("dice", "classify")
    for key in ("nowhere.at.all:X", "math:nothing", "math:pi"):
        with pytest.raises(NotFoundError):
            get(key, "segment")


def test_a_metric_from_elsewhere(
    segment: Task, mask: Callable[..., Segmentation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lesions.py").write_text(
        "from isocenter.metrics import Metric, means\n"
        "def missed(region):\n"
        "    return float(region.counts[2])\n"
        "MISSED = Metric('missed', 'px', 'lower', (0.0, None), 'pixels missed', 'ours', missed, means, by_case=True)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    task = replace(segment, metrics=("dice", "lesions:MISSED"))
    cases = [CaseScore(f"c{i}", f"g{i}", records(task, mask([[0, 0], [0, 1]]), mask([[1, 1], [0, 1]])))
             for i in range(12)]
    s = summarise(task, cases, method="m", split="test", resamples=20)
    assert s.metrics["lesions:MISSED"]["all"].value == 2.0
    assert isinstance(get("lesions:MISSED", task), Metric)
    sys.modules.pop("lesions")


def test_findings_of_another_kind_are_refused(segment: Task, classify: Task, mask: Callable[..., Segmentation]) -> None:
    p = Probabilities.truth(("a", "b"), ["a"])
    for task, answer, truth in ((segment, p, mask([[0, 1]])), (segment, mask([[0, 1]]), None),
                                (classify, mask([[0, 1]]), p), (classify, p, NotEvaluated("x"))):
        with pytest.raises(LabelError, match="one kind"):
            records(task, answer, truth)


def test_explain_needs_no_truth() -> None:
    import numpy as np

    task = catalog.task("explain")
    a = Attribution(np.zeros((2, 2), np.float32), Geometry((2, 2)), "ill", "integrated-gradients", 0.003)
    assert records(task, a)["completeness"] == {"values": {"all": 0.003}}
