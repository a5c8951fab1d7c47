"""The JSON documents of evaluate and compare: the exact keys, plain numbers, no NaN, on stdout alone."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]
EVALUATE = {
    *("format", "task", "method", "split", "n_cases", "n_subjects", "n_refused", "interval", "metrics", "seconds"),
    *("peak_mb", "threads", "engine"),
}
ALSO = {"notes", "data", "by", "gaps", "trend", "certainty", "strata", "problems", "report"}
SCORE = {"value", "low", "high", "n", "unit", "flags"}
TEST = {"a", "b", "metric", "target", "difference", "low", "high", "p", "p_holm", "test", "flags"}
KEYS = {
    "segment": (
        *("dice", "jaccard", "precision", "recall", "specificity", "hd95", "assd", "nsd", "volume_error"),
        "false_volume",
    ),
    "classify": (
        *("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1", "average_precision", "brier"),
        *("log_loss", "ece"),
    ),
}
SHARES = {
    *("dice", "jaccard", "precision", "recall", "specificity", "nsd", "auc", "accuracy", "balanced_accuracy", "f1"),
    *("sensitivity", "average_precision", "brier", "ece"),
}


def strict(text: str) -> dict[str, Any]:
    """The one JSON document on stdout; fails on NaN, Infinity and on keys that stand twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), f"a key stands twice: {[k for k, _ in pairs]}"
        return dict(pairs)

    def refuse(word: str) -> float:
        raise AssertionError(f"not JSON: {word}")

    found: dict[str, Any] = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    return found


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def sound(score: dict[str, Any], metric: str) -> None:
    """One number: exact keys, interval around the value, null where undefined."""
    assert set(score) == SCORE and isinstance(score["n"], int) and isinstance(score["flags"], list)
    assert all(isinstance(f, str) for f in score["flags"])
    if score["value"] is None:
        assert score["low"] is None and score["high"] is None and "undefined" in score["flags"]
        return
    if score["low"] is None:
        assert {"one_subject", "unstable"} & set(score["flags"])
        return
    assert score["low"] <= score["value"] <= score["high"]
    if metric in SHARES:
        assert score["low"] >= 0 and score["high"] <= 1 and score["unit"] == ""
    if metric in ("hd95", "assd"):
        assert score["unit"] in ("mm", "px") and score["low"] >= 0


def checked(found: dict[str, Any], task: str) -> None:
    assert tuple(k for k in found["metrics"] if k != "ood_auroc") == KEYS[task]
    assert set(found["interval"]) == {"kind", "by", "level", "resamples"}
    assert found["interval"]["by"] == "group" and found["interval"]["level"] == 0.95
    for metric, targets in found["metrics"].items():
        assert targets and "all" in targets
        for score in targets.values():
            sound(score, metric)
    assert found["format"] == 1 and found["task"] == task and isinstance(found["n_refused"], int)
    assert found["seconds"] >= 0 and found["peak_mb"] > 0 and found["threads"] == 1
    assert all(not isinstance(v, float) or math.isfinite(v) for v in leaves(found))


@pytest.mark.parametrize(
    ("method", "task"),
    [("segment/histogram", "segment"), ("segment/morphology", "segment"), ("classify/linear", "classify")],
)
def test_evaluate(here: Run, discs_folder: Path, method: str, task: str) -> None:
    done = here("evaluate", method, discs_folder, "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    found = strict(done.stdout)
    assert set(found) == EVALUATE | ALSO
    checked(found, task)
    assert (found["n_cases"], found["n_subjects"], found["n_refused"]) == (6, 3, 0)
    # 3 subjects are few, and every number says so.
    known = [s for m in found["metrics"].values() for s in m.values() if s["value"] is not None]
    assert known and all("few_subjects" in s["flags"] for s in known)


def test_evaluate_one_subject(here: Run, discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(x for x in lines if ",p09," not in x and ",p10," not in x) + "\n", encoding="utf-8")
    found = strict(here("evaluate", "segment/histogram", folder, "--json", "--threads", 1).stdout)
    checked(found, "segment")
    score = found["metrics"]["dice"]["disc"]
    assert found["n_subjects"] == 1 and score["value"] > 0.9 and score["low"] is score["high"] is None
    assert "one_subject" in score["flags"] and score["n"] == 2


def test_evaluate_a_split_of_one_class(here: Run, discs: Callable[..., Path], tmp_path: Path) -> None:
    folder = discs(tmp_path / "discs")
    table = folder / "manifest.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    kept = [x for x in lines if not (x.endswith(",test") and ",small," in x)]
    table.write_text("\n".join(kept) + "\n", encoding="utf-8")
    done = here("evaluate", "classify/linear", folder, "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    found = strict(done.stdout)
    checked(found, "classify")
    auc = found["metrics"]["auc"]["all"]
    assert auc["value"] is None and "undefined" in auc["flags"], "one class has no ranking"
    assert found["metrics"]["accuracy"]["all"]["value"] is not None


@pytest.mark.parametrize("task", ["segment", "classify"])
def test_compare(here: Run, discs_folder: Path, tmp_path: Path, task: str) -> None:
    methods, given = ("histogram,morphology", "mask") if task == "segment" else ("linear", "label")
    done = here(
        "compare", task, discs_folder, "--methods", f"{methods},given", "--set", f"given.column={given}", "-o",
        tmp_path / "out", "--json", "--threads", 1,
    )
    assert done.returncode == 0, done.stderr
    found = strict(done.stdout)
    assert set(found) == {
        *("format", "task", "data", "split", "best", "chosen_on", "methods", "tests", "training", "problems", "notes"),
        "report",
    }
    assert list(found["methods"]) == [*methods.split(","), "given"]
    for name, scores in found["methods"].items():
        assert set(scores) == EVALUATE | {"notes"} and scores["method"] == name
        if name != "given" or task == "segment":
            checked(scores, task)
    names = set(found["methods"])
    assert found["tests"]
    for test in found["tests"]:
        assert set(test) == TEST and {test["a"], test["b"]} <= names and test["a"] != test["b"]
        assert test["p"] is None and test["p_holm"] is None and "few_subjects" in test["flags"]
        if test["difference"] is not None and test["low"] is not None:
            assert test["low"] <= test["difference"] <= test["high"]
    assert all(not isinstance(v, float) or math.isfinite(v) for v in leaves(found))


def test_compare_with_enough_patients_has_a_corrected_p(here: Run, discs_folder: Path, tmp_path: Path) -> None:
    done = here(
        "compare", "segment", discs_folder, "--methods", "histogram,morphology,given", "--set", "given.column=mask",
        "--folds", 3, "-o", tmp_path / "out", "--json", "--threads", 1,
    )
    found = strict(done.stdout)
    tests = [t for t in found["tests"] if t["p"] is not None]
    assert tests and all(0 <= t["p"] <= t["p_holm"] <= 1 for t in tests)
    assert all("few_subjects" not in t["flags"] for t in tests)


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "segment/histogram", "DATA", "--split", "holdout"),
        ("evaluate", "segment/nothing", "DATA"),
        ("compare", "segment", "DATA", "--methods", "histogram,histogram"),
        ("train", "segment", "DATA"),
        ("predict", "segment/histogram", "nowhere.png", "-o", "OUT"),
    ],
)
def test_a_refusal_is_a_document_too(here: Run, discs_folder: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    swapped = [{"DATA": str(discs_folder), "OUT": str(tmp_path / "out")}.get(w, w) for w in words]
    done = here(*swapped, "--json", cwd=tmp_path)
    assert done.returncode in (1, 2)
    found = strict(done.stdout)
    assert set(found) == {"format", "error"} and found["format"] == 1
    assert set(found["error"]) == {"code", "severity", "what", "where", "got", "wanted", "remedy"}
    assert found["error"]["what"] and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists() and not (tmp_path / "runs").exists()
