"""Kill -9 at 20 random instants of a short training: every one must resume to the bytes of the uninterrupted run."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from isocenter import io
from isocenter.files import sha256
from isocenter.simulate import cohort

KILLS = 20
SETTINGS = (
    "width=6", "depth=2", "study.epochs=6", "study.steps=15", "study.batch_size=4", "study.patch=[48,48]",
)  # fmt: skip


def run() -> list[str]:
    """One line a kill that differs, and the count."""
    with tempfile.TemporaryDirectory() as folder:
        data, place = written(Path(folder) / "data"), Path(folder)
        start = time.perf_counter()
        train(data, place / "whole.bundle").wait()
        duration = time.perf_counter() - start
        wanted = digests(place / "whole.bundle")
        draw = random.Random(0)
        bad = []
        for i in range(KILLS):
            out = place / f"killed-{i}.bundle"
            process = train(data, out)
            time.sleep(draw.uniform(0.0, duration))
            process.send_signal(signal.SIGKILL)
            process.wait()
            code = train(data, out, "--resume").wait()
            if code or digests(out) != wanted:
                bad.append(f"  kill {i}: exit {code}, other bytes")
        return [f"kill -9 and resume: {KILLS - len(bad)} of {KILLS} gave the bytes of the whole run", *bad]


def written(folder: Path) -> Path:
    """A small simulated cohort on disk."""
    folder.mkdir()
    rows = ["image,mask,subject,split"]
    for case in cohort(24, seed=0, shape=(64, 64)):
        io.write(case.image(), folder / f"{case.id}.nii.gz")
        io.write(case.truth(), folder / f"{case.id}-mask.nii.gz")
        rows.append(f"{case.id}.nii.gz,{case.id}-mask.nii.gz,{case.subject},{case.split}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def train(data: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """The command line, started."""
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    command = [
        sys.executable,
        "-m",
        "isocenter",
        "train",
        "segment",
        str(data),
        "-o",
        str(out),
        "--threads",
        "1",
        *words,
    ]
    return subprocess.Popen([*command, "--quiet", *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def digests(bundle: Path) -> dict[str, str]:
    """sha256 of every file of a bundle."""
    return {str(p.relative_to(bundle)): sha256(p) for p in sorted(bundle.rglob("*")) if p.is_file()}
