"""What every test may ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Path of a real data set by its folder name; skips where it is absent (ISOCENTER_DATA names the folder)."""
    base = Path(os.environ.get("ISOCENTER_DATA") or ROOT.parent / "shared" / "data")

    def path(name: str) -> Path:
        if not (base / name).is_dir():
            pytest.skip(f"real data absent: {name} (set ISOCENTER_DATA to the folder that holds it)")
        return base / name

    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return ROOT


@pytest.fixture(scope="session")
def conv_network() -> Callable[..., bytes]:
    """Makes ONNX bytes of convolutions without torch: ``conv_network((weight, bias), ..., pool=False)``.

    Weights are (out, in, *kernel) with odd kernels; grids stay; a ReLU stands between layers; `pool` averages the grid
    away. The batch and the grid are free.
    """
    onnx = pytest.importorskip("onnx")
    from onnx import helper, numpy_helper

    def make(*layers: tuple[Any, Any], pool: bool = False) -> bytes:
        rank = np.ndim(layers[0][0]) - 2
        nodes, held, last = [], [], "input"
        for i, (weight, bias) in enumerate(layers):
            weight = np.asarray(weight, np.float32)
            held.append(numpy_helper.from_array(weight, f"w{i}"))
            held.append(numpy_helper.from_array(np.asarray(bias, np.float32), f"b{i}"))
            half = [k // 2 for k in weight.shape[2:]]
            nodes.append(helper.make_node("Conv", [last, f"w{i}", f"b{i}"], [f"c{i}"], pads=half * 2))
            last = f"c{i}"
            if i + 1 < len(layers):
                nodes.append(helper.make_node("Relu", [last], [f"r{i}"]))
                last = f"r{i}"
        if pool:
            nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
            nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
            last = "flat"
        free = [f"s{i}" for i in range(rank)]
        given = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["n", np.shape(layers[0][0])[1], *free])
        out = ["n", np.shape(layers[-1][0])[0], *([] if pool else free)]
        answer = helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, out)
        graph = helper.make_graph(nodes, "network", [given], [answer], held)
        opset = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    """Numbers that are the same in every run."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `isocenter WORDS...` as people do, in a process of its own; one thread, quick to fail.

    ``cwd``, ``env`` (added to the environment) and ``timeout`` in seconds may be given.
    """

    def run(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None, timeout: float = 120) -> Any:
        line = [sys.executable, "-W", "error", "-m", "isocenter", *map(str, words)]
        with_threads = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src"), **(env or {})}
        return subprocess.run(
            line, capture_output=True, text=True, encoding="utf-8", errors="replace", cwd=cwd or ROOT, env=with_threads,
            timeout=timeout, check=False,
        )

    return run


@pytest.fixture(scope="session")
def discs() -> Callable[..., Path]:
    """Makes a folder of small pictures with one bright disc each, its mask and a table: ``discs(folder)``.

    24 cases of 12 subjects, two each; 7 subjects train, 2 val, 3 test, or without `split` unsplit. The table also has a
    label ("big" or "small"), an `eye` and an `age`.
    """
    from PIL import Image

    def make(folder: Path, *, split: bool = True, size: int = 48, subjects: int = 12) -> Path:
        rng = np.random.default_rng(0)
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
        rows = ["image,mask,label,subject,eye,age" + (",split" if split else "")]
        y, x = np.mgrid[:size, :size]
        for i in range(2 * subjects):
            name, subject = f"case{i:02d}.png", i // 2
            centre = rng.uniform(0.35, 0.65, 2) * size
            radius = (0.12 if subject % 2 else 0.22) * size
            mask = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2
            picture = np.clip(60 + 90 * mask + rng.normal(0, 12, mask.shape), 0, 255)
            Image.fromarray(picture.astype(np.uint8)).save(folder / "images" / name)
            Image.fromarray((mask * 255).astype(np.uint8)).save(folder / "masks" / name)
            part = "train" if subject < subjects - 5 else "val" if subject < subjects - 3 else "test"
            label = "small" if subject % 2 else "big"
            row = f"images/{name},masks/{name},{label},p{subject:02d},{'LR'[i % 2]},{40 + subject}"
            rows.append(row + (f",{part}" if split else ""))
        (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        labels = {"background": 0, "disc": 255}
        truth = {"segment": {"column": "mask", "labels": labels}, "classify": {"column": "label", "positive": "big"}}
        about = {"format": 1, "table": "manifest.csv", "subject": "subject", "truth": truth}
        (folder / "cases.json").write_text(json.dumps(about), encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def discs_folder(discs: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `discs` made. Read only: tests that change it make their own."""
    return discs(tmp_path_factory.mktemp("discs") / "discs")


@pytest.fixture(scope="session")
def disc_bundle(conv_network: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose network calls bright pixels "disc", made without torch."""
    from isocenter.bundle import write
    from isocenter.data import Normalisation, Plan
    from isocenter.infer import engine
    from isocenter.tasks.segment._fitted import FittedSegmenter

    plan = Plan("segment", 2, 1, ("background", "disc"), normalisation=Normalisation("rescale"), patch=(64, 64),
                divisor=(1, 1))
    # Between 60 and 150 of 255: a pixel is disc from 0.41 on.
    onnx = conv_network((np.array([0.0, 40.0]).reshape(2, 1, 1, 1), np.array([0.0, -16.4])))
    question = np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    arrays = {"network.onnx": np.frombuffer(onnx, np.uint8), "vector/input": question,
              "vector/output": engine(onnx, threads=1)(question)}
    about = {"recipe": {}, "plan": plan.as_json(), "network": {"name": "test:Net"}, "classes": ["background", "disc"],
             "history": [], "vector": {}}
    folder = tmp_path_factory.mktemp("bundle") / "disc.bundle"
    made = {"isocenter": "0.1.0", "codes": {"background": 0, "disc": 255}}
    write(FittedSegmenter(about, arrays), folder, task="segment", method="unet", made=made, fingerprint={}, origins={})
    return folder
