from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from isocenter.data import Cases, merged
from isocenter.fit import memory
from isocenter.fit.feed import BUDGET_MB, Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.fitting import builder
from isocenter.fit.memory import Live, answer_mb, answering, counted, learning, tried
from isocenter.fit.planning import plan
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet


def shelf_of(cases: Cases, task: str = "segment", **settings: object) -> tuple[object, Shelf]:
    recipe = merged(UNet() if task == "segment" else Cnn(), {"width": 8, **settings})
    scheme = plan(recipe, fingerprint(cases, task))
    return builder(recipe, scheme), Shelf(cases, scheme)


def test_living_tensors_are_counted_and_dead_ones_are_not() -> None:
    with Live() as live:
        a = torch.zeros(1000)
        b = a + 1
        del a
        c = b * 2
        c.add_(1)
        assert c.view(10, 100).shape == (10, 100)
        assert live.now == 8000
        del b, c
    assert (live.now, live.peak) == (0, 8000)


def test_what_was_there_before_is_not_counted() -> None:
    known = torch.zeros(1000)
    with Live([known]) as live:
        assert known.view(10, 100).sum() == 0
    assert live.peak < 100


def test_what_is_kept_for_the_way_back_is_counted() -> None:
    weight = torch.ones(1000, requires_grad=True)
    with Live([weight]) as live:
        value = (weight.exp().exp()).sum()
        assert live.now >= 8000
        value.backward()
    assert live.peak >= 12000
    assert weight.grad is not None


@pytest.mark.parametrize("rank", [2, 3])
def test_a_batch_is_told_from_two_and_three_samples(discs, rank: int) -> None:
    cases = discs(rank=rank).split("train")
    build, shelf = shelf_of(cases, **{"study.batch_size": 5})
    grid = shelf.scheme.study.patch
    assert grid is not None
    assert learning(build, shelf) == pytest.approx(memory._passed(build, shelf, grid, 5), rel=0.1)


def test_a_large_patch_is_told_from_a_smaller_one(discs, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = discs(size=96).split("train")
    build, shelf = shelf_of(cases, **{"study.batch_size": 2, "depth": 2})
    whole = learning(build, shelf)
    monkeypatch.setattr(memory, "TRIED", 96 * 48)
    assert learning(build, shelf) == pytest.approx(whole, rel=0.15)


def test_an_answer_is_told_by_its_window(discs) -> None:
    build, shelf = shelf_of(discs(size=64).split("train"))
    small = answering(build, shelf.scheme)
    wide = replace(shelf.scheme, plan=replace(shelf.scheme.plan, patch=(128, 128)))
    assert answering(build, wide) == pytest.approx(4 * small, rel=0.1)


def test_the_whole_names_its_parts(discs) -> None:
    build, shelf = shelf_of(discs().split("train"))
    few, many = (counted(build, shelf, n=n, n_valid=2).estimate for n in (4, 4000))
    assert few["memory_mb"] % 10 == 0
    case = few["case_mb"]
    assert few["held_mb"] == pytest.approx(6 * case, abs=0.1)
    assert many["memory_mb"] - few["memory_mb"] == pytest.approx(3996 * case, abs=10.1)
    assert counted(build, shelf, n=10**9, n_valid=0).estimate["held_mb"] == BUDGET_MB
    assert counted(build, shelf, n=4, n_valid=2).estimate == few


def test_what_stays_read_is_part_of_it(discs, monkeypatch: pytest.MonkeyPatch) -> None:
    build, shelf = shelf_of(discs().split("train"))
    monkeypatch.setattr(memory, "kept", lambda cases: 100 << 20)
    more = counted(build, shelf, n=4, n_valid=2).estimate["memory_mb"]
    monkeypatch.setattr(memory, "kept", lambda cases: 0)
    assert more - counted(build, shelf, n=4, n_valid=2).estimate["memory_mb"] == pytest.approx(100, abs=10.1)


def test_answers_that_are_kept_on_val_are_part_of_it(discs) -> None:
    plan_ = shelf_of(discs().split("train"))[1].scheme.plan
    assert answer_mb(plan_, 10.0) == 0
    # One float32 channel and its int32 numbers; classes, depth and two offsets.
    objects = replace(plan_, task="instances", head="contours", settings={"outputs": 5})
    assert answer_mb(objects, 8.0) == 20.0


@pytest.mark.parametrize("task", ["segment", "classify"])
def test_counting_leaves_nothing_behind(discs, pictures, task: str) -> None:
    cases = (discs() if task == "segment" else pictures()).split("train")
    build, shelf = shelf_of(cases, task)
    state = torch.random.get_rng_state()
    made = counted(build, shelf, n=len(cases), n_valid=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert replace(made, estimate={}) == replace(shelf.scheme, estimate={})
    assert 0 < len(shelf.held) < len(cases)


def test_grids_are_halved_along_their_longest_axis() -> None:
    assert tried((256, 256), (32, 32)) == (256, 256)
    assert tried((4096, 512), (32, 32)) == (512, 512)
    assert tried((10**6, 64), ()) == (3906, 64)
    assert tried((4096, 4096), (4096, 4096)) == (4096, 4096)


# The child measures itself: what the kernel tells of a child's peak begins with that of the parent.
SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from isocenter.data import Cases, Watch, merged
from isocenter.fit import fitted

task, settings = sys.argv[1], json.loads(sys.argv[2])
if task == "segment":
    from isocenter.tasks.segment.unet import UNet as Method
    y = np.zeros((6, 256, 256), np.uint8)
    y[:, 64:192, 64:192] = 1
    truth = {"classes": ["square"]}
else:
    from isocenter.tasks.classify.cnn import Cnn as Method
    y, truth = ["a", "b"] * 3, {}
x = np.random.default_rng(0).normal(size=(6, 256, 256)).astype(np.float32)
cases = Cases.from_arrays(x, y, task=task, splits=["train"] * 4 + ["val"] * 2, **truth)
recipe = merged(Method(), settings)
about, _ = fitted(recipe, cases.split("train"), cases.split("val"), task=task, watch=Watch(threads=1))
[peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(json.dumps([about["scheme"]["estimate"]["memory_mb"], int(peak) / 1024]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("segment", {"study.batch_size": 8, "depth": 4}),
        ("classify", {"study.batch_size": 16, "network": "resnet18"}),
    ],
)
def test_the_estimate_is_right_within_30_percent(task: str, settings: dict[str, object]) -> None:
    asked = json.dumps({"study.epochs": 1, "study.steps": 1, **settings})
    run = subprocess.run([sys.executable, "-c", SCRIPT, task, asked], capture_output=True, text=True, check=True)
    said, peak = json.loads(run.stdout.splitlines()[-1])
    assert said == pytest.approx(peak, rel=0.3)
    assert said > 1.3 * memory.BASE_MB
