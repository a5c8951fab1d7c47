from __future__ import annotations

import pytest

from isocenter import catalog
from isocenter.metrics.registry import BY_TASK
from isocenter.report import paper_names
from isocenter.report.paper_names import CHINESE, method_name, metric_name, short_name


@pytest.mark.parametrize("table", ["TASKS", "METHODS", "NETWORKS", "METRICS", "MODALITIES", "SPLITS", "TESTS", "RULES"])
def test_both_languages_are_there(table: str) -> None:
    for key, names in getattr(paper_names, table).items():
        assert len(names) == 2 and all(n.strip() == n and n for n in names), key


def test_names_speak_of_methods_that_exist() -> None:
    for name in paper_names.METHODS:
        task, _, method = name.partition("/")
        assert method in catalog.methods(task), name


def test_the_metrics_of_the_usual_questions_have_names() -> None:
    for task in ("segment", "classify"):
        assert set(catalog.task(task).metrics) <= set(paper_names.METRICS), task
    assert {m for table in BY_TASK.values() for m in table} & {"dice", "auc"}


def test_what_nobody_named_stands_as_it_is() -> None:
    assert method_name("segment", "mine", CHINESE) == "方法 mine"
    assert method_name("classify", "given").startswith("findings")
    assert metric_name("my_metric") == "my metric" and short_name("hd95") == "95th-percentile Hausdorff distance"
