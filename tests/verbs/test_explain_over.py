"""Explanations over a split: intervals, the centre beside, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Cases, NotEvaluated, Probabilities
from isocenter.errors import NotFoundError, UsageError
from isocenter.verbs._explain_over import explain_over


@dataclass(frozen=True)
class Corner:
    """Says "square" as far as the brightest quarter of the image is bright; it has no inside."""

    def predict(self, case: Case) -> Probabilities:
        pixels = case.image().pixels().astype(float)
        p = float(np.clip((np.quantile(pixels, 0.95) - np.median(pixels)) / 120, 0, 1))
        return Probabilities(("square", "nothing"), (p, 1 - p))


PATCH = {"occlusion.patch": 6, "occlusion.stride": 6}


def test_methods_side_by_side_with_interval_and_the_centre(squares: Cases) -> None:
    made = explain_over(
        Corner(), squares, methods=["occlusion", "centre"], split="test", settings=PATCH | {"target": "square"}
    )
    assert list(made.scores) == ["occlusion", "centre"] and made.exit_code == 0
    for scores in made.scores.values():
        assert {k: v["all"].n for k, v in scores.metrics.items()} == {
            "deletion": 8, "insertion": 8, "pointing_game": 8, "completeness": 0, "deletion_gain": 8,
            "insertion_gain": 8, "iou_same_size": 8, "randomised": 0,
        }  # fmt: skip
        value = scores.metrics["deletion"]["all"]
        assert value.low <= value.value <= value.high
    occlusion, centre = (made.scores[n].metrics["pointing_game"]["all"].value for n in ("occlusion", "centre"))
    assert occlusion > centre
    assert {(t.a, t.b, t.metric) for t in made.tests} == {
        ("occlusion", "centre", "pointing_game"), ("occlusion", "centre", "iou_same_size"),
    }  # fmt: skip
    text = "\n".join(made.lines())
    assert "8 cases" in text and "occlusion - centre" in text and "completeness" not in text
    document = json.loads(json.dumps(made.as_json(), allow_nan=False))
    assert set(document["methods"]) == {"occlusion", "centre"} and len(document["tests"]) == len(made.tests)


def test_cases_without_an_answer_are_said(squares: Cases) -> None:
    class Shy(Corner):
        def predict(self, case: Case) -> Any:
            return NotEvaluated("too dark") if case.id[-1] in "13579" else super().predict(case)

    lines = explain_over(Shy(), squares, methods=["occlusion"], split="test", checks=False, settings=PATCH).lines()
    assert lines[0].endswith("8 cases") and "4 of 8 cases have no answer to explain: " in lines[1]
    assert "too dark" in lines[1]


def test_without_places_there_is_no_pointing_game(sizes: Cases) -> None:
    made = explain_over(Corner(), sizes, methods=["centre"], split="val", checks=False)
    assert made.scores["centre"].metrics["pointing_game"]["all"].value is None and made.tests == ()


def test_without_checks_only_what_the_truth_says(squares: Cases) -> None:
    made = explain_over(Corner(), squares, methods=["centre"], split="val", checks=False)
    metrics = made.scores["centre"].metrics
    assert metrics["deletion"]["all"].value is None and metrics["iou_same_size"]["all"].n == 4


def test_a_refused_case_is_a_problem_and_the_rest_goes_on(squares: Cases) -> None:
    def broken() -> Case:
        raise NotFoundError("gone")

    entries = (replace(squares.entries[12], open=broken), *squares.entries[13:])
    some = replace(squares, entries=entries)
    made = explain_over(Corner(), some, methods=["centre"], split="val", checks=False)
    assert len(made.problems) == 1 and made.exit_code == 3
    assert made.scores["centre"].metrics["pointing_game"]["all"].n == 3
    assert any(line.startswith("refused:") for line in made.lines())
    with pytest.raises(NotFoundError, match="gone"):
        explain_over(Corner(), replace(squares, entries=entries[:1]), methods=["centre"], split="val")


@pytest.mark.parametrize(
    ("named", "error", "match"),
    [
        ({"methods": []}, UsageError, "no method is named"),
        ({"methods": ["grad-cam"]}, UsageError, r"no gradients.*occlusion"),
        ({"methods": ["occluson"]}, NotFoundError, "Did you mean occlusion"),
        ({"methods": ["centre"], "settings": {"patch": 3}}, NotFoundError, "no method knows this setting"),
        ({"methods": ["centre"], "split": "tset"}, NotFoundError, "Did you mean test"),
    ],
)
def test_what_is_refused(squares: Cases, named: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        explain_over(Corner(), squares, **named)
