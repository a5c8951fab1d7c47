"""The plan is a file: written with the bundle, edited, handed back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]
TINY = (
    *("--set", "width=4", "--set", "depth=2", "--epochs", 2, "--steps", 2, "--patch", "32,32", "--batch-size", 2),
    *("--threads", 1, "--quiet"),
)


@pytest.fixture
def planned(here: Run, discs_folder: Path, tmp_path: Path) -> Path:
    """A bundle of a tiny network."""
    pytest.importorskip("torch")
    bundle = tmp_path / "first.bundle"
    done = here("train", "segment", discs_folder, "-o", bundle, *TINY)
    assert done.returncode == 0, done.stderr
    return bundle


def plan_in(bundle: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bundle / "plan.json").read_text(encoding="utf-8"))
    return found


def test_it_says_what_was_done_and_why(planned: Path) -> None:
    plan = plan_in(planned)
    assert plan["format"] == 1 and plan["plan"]["classes"] == ["background", "disc"]
    assert plan["study"]["epochs"] == 2 and plan["study"]["steps"] == 2 and plan["study"]["batch_size"] == 2
    assert plan["plan"]["normalisation"]["kind"] in ("rescale", "standardise", "window", "percentile")
    assert plan["origins"] and all(isinstance(v, str) for v in plan["origins"].values())


def test_the_same_plan_gives_the_same_weights(here: Run, planned: Path, discs_folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.bundle"
    plan = planned / "plan.json"
    done = here("train", "segment", discs_folder, "-o", again, "--plan", plan, "--threads", 1, "--quiet")
    assert done.returncode == 0, done.stderr
    for name in ("state.safetensors", "network.onnx"):
        assert (again / name).read_bytes() == (planned / name).read_bytes(), name
    assert plan_in(again)["study"] == plan_in(planned)["study"]


def test_an_edited_plan_is_what_is_done(here: Run, planned: Path, discs_folder: Path, tmp_path: Path) -> None:
    plan = plan_in(planned)
    plan["study"]["epochs"] = 1
    plan["study"]["augment"]["spatial"]["flip"] = []
    edited = tmp_path / "edited.json"
    edited.write_text(json.dumps(plan), encoding="utf-8")
    bundle = tmp_path / "edited.bundle"
    done = here("train", "segment", discs_folder, "-o", bundle, "--plan", edited, "--threads", 1, "--quiet")
    assert done.returncode == 0, done.stderr
    about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))["about"]
    assert len(about["history"]) == 1 and plan_in(bundle)["study"]["augment"]["spatial"]["flip"] == []
    # An edited plan does not break the seal of the bundle that it was taken from.
    assert here("evaluate", planned, discs_folder, "--quiet", "--threads", 1).returncode == 0


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"epoks": 1}, "epochs"),
        ({"format": 99}, "99"),
        (None, "not a JSON file"),
        ([], "a plan is a JSON object"),
        ("gone", "no such plan"),
    ],
)
def test_what_is_no_plan(
    here: Run, planned: Path, discs_folder: Path, tmp_path: Path, change: Any, part: str
) -> None:
    edited = tmp_path / "edited.json"
    plan = plan_in(planned)
    if change == "gone":
        edited = tmp_path / "nowhere.json"
    elif change is None:
        edited.write_text("{", encoding="utf-8")
    elif change == []:
        edited.write_text("[]", encoding="utf-8")
    elif "epoks" in change:
        edited.write_text(json.dumps({**plan, "study": {**plan["study"], **change}}), encoding="utf-8")
    else:
        edited.write_text(json.dumps({**plan, **change}), encoding="utf-8")
    done = here("train", "segment", discs_folder, "-o", tmp_path / "x.bundle", "--plan", edited, "--threads", 1)
    assert done.returncode == 1 and part in done.stderr, done.stderr
    assert not (tmp_path / "x.bundle").exists() and not (tmp_path / "x.bundle.part").exists()


@pytest.mark.parametrize(
    ("field", "off"),
    [
        ("study.augment.spatial.flip", "[]"),
        ("study.augment.spatial.rotation", "0,0"),
        ("study.augment.spatial.elastic", "0"),
        ("study.augment.intensity.gamma", "1,1"),
        ("study.augment.intensity.noise", "0"),
        ("after.mirror", "[]"),
    ],
)
def test_each_augmentation_can_be_switched_off(
    here: Run, discs_folder: Path, tmp_path: Path, field: str, off: str
) -> None:
    pytest.importorskip("torch")
    bundle = tmp_path / "off.bundle"
    done = here("train", "segment", discs_folder, "-o", bundle, *TINY, "--epochs", 1, "--set", f"{field}={off}")
    assert done.returncode == 0, done.stderr
    about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    assert about["origins"][field] == "--set"
    value: Any = about["about"]["scheme"]["plan"]["mirror"] if field == "after.mirror" else plan_in(bundle)
    for name in () if field == "after.mirror" else field.split("."):
        value = value[name]
    wanted = json.loads(f"[{off}]") if "," in off else json.loads(off)
    assert value == wanted
