from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from isocenter import nets
from isocenter.data import Case, Cases, Entry, Plan, Watch, merged
from isocenter.errors import InputError, RecipeError, ResourceError
from isocenter.fit import fitted, memory
from isocenter.infer import engine
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.segment.unet import UNet

QUICK = {"study.epochs": 2, "study.steps": 3, "study.batch_size": 2, "width": 4}


def made(cases: Cases, task: str = "segment", recipe: object = None, **watch: object) -> tuple[dict, dict]:
    recipe = recipe or merged(UNet() if task == "segment" else Cnn(), QUICK)
    return fitted(recipe, cases.split("train"), cases.split("val"), task=task, watch=Watch(**watch))


def digest(state: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(
        b"".join(k.encode() + np.ascontiguousarray(state[k]).tobytes() for k in sorted(state))
    ).hexdigest()


def test_what_comes_out_is_complete_and_json(discs) -> None:
    about, state = made(discs())
    json.dumps(about, allow_nan=False)
    assert {"recipe", "plan", "network", "classes", "history", "vector", "origins", "fingerprint", "scheme"} <= set(
        about
    )
    assert {"network.onnx", "vector/input", "vector/output"} <= set(state)
    assert state["network.onnx"].dtype == np.uint8
    plan = Plan.from_json(about["plan"])
    answer = engine(state["network.onnx"].tobytes())(state["vector/input"])
    assert np.abs(answer - state["vector/output"]).max() <= plan.tolerance
    weights = {k.removeprefix("weights/"): v for k, v in state.items() if k.startswith("weights/")}
    assert not any("aux" in k for k in weights)
    rebuilt = nets.build(about["network"], weights)(torch.from_numpy(state["vector/input"])).detach().numpy()
    assert np.abs(rebuilt - state["vector/output"]).max() < 1e-5


def test_the_same_seed_gives_the_same_bytes(discs) -> None:
    a, b = made(discs(), seed=4)[1], made(discs(), seed=4)[1]
    assert digest(a) == digest(b)
    assert digest(a) != digest(made(discs(), seed=5)[1])


def test_classify_gets_temperature_and_threshold(pictures) -> None:
    about, _ = made(pictures(), "classify")
    plan = Plan.from_json(about["plan"])
    assert plan.temperature > 0
    assert len(plan.thresholds) == 2
    assert plan.positive == "sick"
    assert sum(plan.thresholds) == pytest.approx(1.0)


def test_several_labels_at_once(pictures) -> None:
    base = pictures()
    x = [c.image().pixels() for c in base]
    y = np.stack([np.arange(len(x)) % 2, np.arange(len(x)) % 3 == 0], 1).astype(int)
    cases = Cases.from_arrays(x, y, classes=["corner", "third"], splits=[e.split for e in base.entries])
    about, _ = made(cases, "classify")
    plan = Plan.from_json(about["plan"])
    assert plan.multilabel
    assert plan.thresholds == ()


def test_an_edited_plan_is_used(discs, tmp_path) -> None:
    made(discs(), folder=tmp_path)
    values = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    values["study"]["epochs"] = 1
    values["plan"]["largest"] = True
    about, _ = made(discs(), plan=values)
    assert len(about["history"]) == 1
    assert about["plan"]["largest"] is True
    values["plan"]["classes"] = ["background", "square"]
    with pytest.raises(RecipeError, match="for other data: classes"):
        made(discs(), plan=values)


def test_a_budget_is_written_into_the_plan(discs, tmp_path) -> None:
    recipe = merged(UNet(), {k: v for k, v in QUICK.items() if k != "study.epochs"})
    about, _ = made(discs(), recipe=recipe, minutes=0.05, folder=tmp_path)
    values = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert values["origins"]["study.epochs"].startswith("--time")
    # The plan repeats without the clock.
    again, _ = made(discs(), recipe=recipe, plan=values)
    shorter = min(len(about["history"]), len(again["history"]))
    assert about["history"][:shorter] == again["history"][:shorter]


def test_a_network_of_ones_own(discs) -> None:
    own = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    before = {k: v.clone() for k, v in own.state_dict().items()}
    recipe = merged(UNet(), {k: v for k, v in QUICK.items() if k != "width"})
    recipe = UNet(network=own, study=recipe.study)
    about, state = made(discs(), recipe=recipe)
    assert about["network"]["name"] == "given"
    assert "Sequential" in about["network"]["class"]
    json.dumps(about)
    assert all(bool((own.state_dict()[k] == v).all()) for k, v in before.items())
    assert engine(state["network.onnx"].tobytes())(np.zeros((1, 1, 8, 8), np.float32)).shape == (1, 2, 8, 8)


@pytest.mark.parametrize(
    ("network", "match"),
    [
        (nn.Conv2d(1, 3, 3, padding=1), r"another shape.*\(1, 3.*background, disc"),
        (nn.Conv2d(1, 2, 3), "another shape"),
        (nn.Conv2d(4, 2, 1), "cannot take such images"),
        (nn.Flatten(), "another shape"),
    ],
)
def test_a_network_of_ones_own_that_does_not_fit_is_refused_before_it_is_trained(discs, network, match) -> None:
    with pytest.raises(RecipeError, match=match):
        made(discs(), recipe=UNet(network=network, study=merged(UNet(), {"study.epochs": 1}).study))


def test_nothing_to_validate_on_is_refused(discs) -> None:
    cases = discs().split("train")
    with pytest.raises(InputError, match="nothing to validate on"):
        fitted(merged(UNet(), QUICK), cases, cases.subset([]), task="segment", watch=Watch())


def test_an_edited_plan_may_not_be_inexact(pictures, tmp_path) -> None:
    recipe = merged(Cnn(), {k: v for k, v in QUICK.items() if k != "width"} | {"network": "resnet18", "width": 8})
    made(pictures(), "classify", recipe, folder=tmp_path)
    values = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert values["loop"]["precision"] == "fp32"
    values["loop"]["precision"] = "bf16"
    with pytest.raises(RecipeError, match="not exact on grids this small"):
        made(pictures(), "classify", recipe, plan=values)


def test_a_training_that_memory_cannot_hold_is_refused_before_it_starts(discs, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(memory, "TRIED", 2**12)
    made(discs(), folder=tmp_path)
    values = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    values["study"] |= {"batch_size": 4096, "patch": [4096, 4096]}
    with pytest.raises(ResourceError, match=r"needed .* GiB.*study.batch_size=2048"):
        made(discs(), plan=values)


def test_no_file_is_read_again_once_it_is_prepared(discs) -> None:
    reads: Counter[str] = Counter()
    cases = discs()

    def opened(entry: Entry) -> Case:
        case = entry.open()
        image, truth = case.image(), case.load_truth

        def pixels() -> np.ndarray:
            reads[f"{entry.id} image"] += 1
            return image.pixels()

        def labels() -> object:
            reads[f"{entry.id} truth"] += 1
            return truth()

        return replace(case, images={"image": image.replaced(pixels)}, load_truth=labels)

    seen = replace(cases, entries=tuple(replace(e, open=partial(opened, e)) for e in cases.entries))
    made(seen, recipe=merged(UNet(), {"study.steps": 3, "study.batch_size": 2, "width": 4}), minutes=0.01)
    # Train is read for the fingerprint and prepared once: for counting memory, probing and training. Val is prepared.
    expected = {f"{e.id} {what}": 2 if e.split == "train" else 1 for e in cases.entries for what in ("image", "truth")}
    assert all(reads[name] <= most for name, most in expected.items()), reads
    assert set(reads) == set(expected)


# One process imports torch; the trainings are its children, so that twenty kills cost little.
SCRIPT = """
import hashlib, os, signal, sys, time
from pathlib import Path
import numpy as np
from isocenter.data import Cases, Watch, merged
from isocenter.fit import fitted, loop
from isocenter.tasks.segment.unet import UNet

loop.EVERY = 0.0  # a checkpoint after every step: many kills fall into a save
rng = np.random.default_rng(0)
y = [np.pad(np.ones((5, 5), np.uint8), ((3 + i % 3, 8 - i % 3), (4, 7))) for i in range(6)]
x = [m + rng.normal(0, 0.3, m.shape).astype(np.float32) for m in y]
cases = Cases.from_arrays(x, y, task="segment", classes=["square"], splits=["train"] * 4 + ["val"] * 2)
cases = cases.without_truth([0])
recipe = merged(UNet(), {"study.epochs": 8, "study.steps": 5, "study.batch_size": 2, "width": 4,
                         "form.pretraining.epochs": 4})

def trained(folder, say):
    report = lambda p: os.write(say, b".")
    watch = Watch(folder=folder, resume=True, report=report)
    _, state = fitted(recipe, cases.split("train"), cases.split("val"), task="segment", watch=watch)
    parts = [k.encode() + np.ascontiguousarray(state[k]).tobytes() for k in sorted(state)]
    return hashlib.sha256(b"".join(parts)).hexdigest()

def child(folder):
    listen, say = os.pipe()
    pid = os.fork()
    if not pid:
        sha = trained(folder, say)
        (folder / "sha").write_text(sha)
        os._exit(0)
    os.close(say)
    return pid, listen

whole, cut = Path(sys.argv[1]) / "whole", Path(sys.argv[1]) / "cut"
# Warms torch as well: the children inherit its compiled kernels.
listen, say = os.pipe()
expected = trained(whole, say)
kills = 0
while kills < 20:
    pid, listen = child(cut)
    for _ in range(2 + int(rng.integers(2))):
        os.read(listen, 1)
    time.sleep(float(rng.uniform(0, 0.02)))
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    os.close(listen)
    if not os.WIFSIGNALED(status):
        break
    kills += 1
os.waitpid(child(cut)[0], 0)
print(kills, expected == (cut / "sha").read_text())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_twenty_kills_resume_to_the_same_bytes(tmp_path: Path) -> None:
    run = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    out = subprocess.run(run, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert out.returncode == 0, out.stderr
    kills, same = out.stdout.split()
    assert int(kills) >= 10
    assert same == "True"
