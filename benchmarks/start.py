"""What starting costs: import, help, and a 2D image answered by a bundle from process start to written mask."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROUNDS = 5


def run() -> list[str]:
    """Seconds of each, best and worst of five."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "eye.png"
        Image.fromarray(rng.integers(0, 255, (960, 999, 3), dtype=np.uint8)).save(picture)
        predict = ["-X", "importtime", "-m", "isocenter", "predict", "retina-vessels", str(picture), "--quiet", "-o"]
        first = subprocess.run([sys.executable, *predict, str(Path(folder) / "first")], capture_output=True, text=True)
        assert first.returncode == 0, first.stderr[-500:]
        assert not any(line.split("|")[-1].strip() == "torch" for line in first.stderr.splitlines()), (
            "torch was imported"
        )
        bare = [seconds([sys.executable, *predict[2:], str(Path(folder) / f"out{i}")]) for i in range(ROUNDS)]
        empty = min(seconds([sys.executable, "-c", "pass"]) for _ in range(ROUNDS))
        imported = [seconds([sys.executable, "-c", "import isocenter"]) - empty for _ in range(ROUNDS)]
        helped = [seconds([sys.executable, "-m", "isocenter", "--help"]) for _ in range(ROUNDS)]
    return [
        f"import isocenter          {said(imported)}  goal 0.15 s",
        f"isocenter --help          {said(helped)}  goal 0.4 s",
        f"predict 960 x 999 RGB     {said(bare)}  goal 2.5 s, torch not imported",
    ]


def seconds(command: list[str]) -> float:
    """Wall clock of one process."""
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - start


def said(times: list[float]) -> str:
    """Best and worst."""
    return f"{min(times):.2f} to {max(times):.2f} s (n = {len(times)})"
