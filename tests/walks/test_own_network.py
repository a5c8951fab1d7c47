"""A network of one's own: as ``module:Class`` and as an nn.Module; only ONNX and weights enter the bundle."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Probabilities, Segmentation
from isocenter.errors import IsocenterError

Run = Callable[..., CompletedProcess[str]]
CODE = '''
"""Networks that isocenter does not know."""
import torch

SECRET = "this line stands in the code alone"


class Dense(torch.nn.Module):
    def __init__(self, channels, outputs):
        super().__init__()
        self.body = torch.nn.Sequential(
            torch.nn.Conv2d(channels, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, outputs, 1)
        )

    def forward(self, x):
        return self.body(x)


class Pooled(Dense):
    def forward(self, x):
        return self.body(x).mean((2, 3))

'''
TINY = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "study.patch": [48, 48]}
TASKS = [("segment", "unet", "Dense"), ("classify", "cnn", "Pooled")]
each_task = pytest.mark.parametrize(("task", "method", "network"), TASKS, ids=[t[0] for t in TASKS])
each_way = pytest.mark.parametrize("way", ["module:Class", "object"])


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module with networks of one's own, importable in this test alone."""
    pytest.importorskip("torch")
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "own_networks.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    import importlib

    module = importlib.import_module("own_networks")
    yield importlib.reload(module)
    sys.modules.pop("own_networks", None)


def handed(own: Any, network: str, way: str, outputs: int = 2) -> Any:
    return f"own_networks:{network}" if way == "module:Class" else getattr(own, network)(1, outputs)


@each_task
@each_way
def test_it_is_trained_scored_and_answers_without_its_code(
    own: Any, discs_folder: Path, tmp_path: Path, task: str, method: str, network: str, way: str
) -> None:
    bundle = tmp_path / "own.bundle"
    settings = {**TINY, "network": handed(own, network, way)}
    iso.train(task, discs_folder, method=method, out=bundle, settings=settings, threads=1)
    scores = iso.evaluate(bundle, discs_folder, threads=1)
    assert scores.engine == "onnxruntime" and len(scores.cases) == 6
    files = {p.name for p in bundle.iterdir()}
    assert {"network.onnx", "state.safetensors", "bundle.json"} <= files
    assert not [f for f in files if f.endswith((".py", ".pt", ".pth", ".pkl"))]
    held = b"".join(p.read_bytes() for p in bundle.iterdir())
    assert b"this line stands in the code alone" not in held and b"def forward" not in held
    # Elsewhere, where neither the code nor torch can be imported.
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import isocenter as iso\n"
        "found = iso.predict(sys.argv[1], sys.argv[2], threads=1)\n"
        "print(type(found).__name__, 'own_networks' in sys.modules)"
    )
    image = discs_folder / "images" / "case23.png"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(bundle), str(image)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    wanted = "Segmentation" if task == "segment" else "Probabilities"
    assert done.returncode == 0 and done.stdout.split() == [wanted, "False"], done.stderr
    # The same answer as here.
    kind = Segmentation if task == "segment" else Probabilities
    assert isinstance(iso.predict(bundle, image, threads=1), kind)


@each_task
def test_gradients_need_the_code_again(
    own: Any, discs_folder: Path, tmp_path: Path, task: str, method: str, network: str
) -> None:
    image = discs_folder / "images" / "case23.png"
    named, given = tmp_path / "named.bundle", tmp_path / "given.bundle"
    for bundle, way in ((named, "module:Class"), (given, "object")):
        settings = {**TINY, "network": handed(own, network, way)}
        iso.train(task, discs_folder, method=method, out=bundle, settings=settings, threads=1)
    found = iso.explain(named, image, threads=1).found
    assert found.values.shape == (48, 48) and np.isfinite(found.values).all()
    with pytest.raises(IsocenterError, match=r"handed over as an object and is not in the bundle.*module:Class"):
        iso.explain(given, image, threads=1)


def test_on_the_command_line(own: Any, here: Run, discs_folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "own.bundle"
    done = here(
        "train", "segment", discs_folder, "-o", bundle, "--set", "network=own_networks:Dense", "--epochs", 1,
        "--steps", 2, "--patch", "48,48", "--batch-size", 2, "--threads", 1,
    )
    assert done.returncode == 0, done.stderr
    about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))["about"]
    assert about["recipe"]["network"] == "own_networks:Dense" and about["network"]["name"] == "own_networks:Dense"
    exported = here("export", bundle, "-o", tmp_path / "own.onnx")
    assert exported.returncode == 0, exported.stderr
    needs = json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))
    assert "disc" in json.dumps(needs)
    import onnxruntime

    session = onnxruntime.InferenceSession((tmp_path / "own.onnx").read_bytes())
    name = session.get_inputs()[0].name
    [logits] = session.run(None, {name: np.zeros((1, 1, 48, 48), np.float32)})
    assert logits.shape == (1, 2, 48, 48)


@pytest.mark.parametrize(
    ("network", "part"),
    [
        ("own_networks:Nothing", "Nothing"),
        ("no_such_module:Net", "no_such_module"),
        ("resnet19", "resnet18"),
    ],
)
def test_what_is_no_network_is_refused_and_nothing_stays(
    own: Any, here: Run, discs_folder: Path, tmp_path: Path, network: str, part: str
) -> None:
    task, method = ("classify", "cnn") if network == "resnet19" else ("segment", "unet")
    done = here(
        "train", task, discs_folder, "--method", method, "-o", tmp_path / "x.bundle", "--set", f"network={network}",
        "--epochs", 1, "--steps", 2, "--patch", "48,48", "--batch-size", 2, "--threads", 1,
    )
    assert done.returncode in (1, 2) and part in done.stderr and "Traceback" not in done.stderr
    assert "fault of isocenter" not in done.stderr
    assert not (tmp_path / "x.bundle").exists()
