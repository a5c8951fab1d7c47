"""What starting up costs, and what it must not import."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest


def run(*code: str) -> str:
    return subprocess.run([sys.executable, *code], capture_output=True, text=True, check=True).stdout


def best_seconds(*arguments: str) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def test_import_is_light() -> None:
    heavy = "numpy torch scipy pandas nibabel pydicom skimage onnxruntime matplotlib"
    out = run("-c", f"import sys, isocenter; print([m for m in '{heavy}'.split() if m in sys.modules])")
    assert out.strip() == "[]"


def test_import_takes_at_most_150_ms() -> None:
    assert best_seconds("-c", "import isocenter") - best_seconds("-c", "pass") <= 0.15


def test_help_takes_at_most_400_ms() -> None:
    # Process start included; the margin is for a machine that does other things at the same time.
    assert best_seconds("-m", "isocenter", "--help") <= 0.4


@pytest.mark.parametrize("layer", ["io", "layouts", "metrics", "inspect", "infer", "bundle", "report", "verbs"])
def test_layers_do_not_import_torch(layer: str) -> None:
    out = run("-c", f"import sys, isocenter.{layer}; print('torch' in sys.modules)")
    assert out.strip() == "False"
