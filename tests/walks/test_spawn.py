"""Worker processes that are spawned, as on macOS and Windows, import no more than they must and answer alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

CODE = """
import multiprocessing, sys
import numpy as np
import isocenter as iso

def answer(path):
    return iso.load(sys.argv[1]).predict(iso.read(path)).labels

if __name__ == "__main__":
    paths = sys.argv[3:]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        np.save(sys.argv[2], np.stack(pool.map(answer, paths)))
"""


def test_spawned_workers_answer_as_this_process_does(disc_bundle: Path, discs_folder: Path, tmp_path: Path) -> None:
    import isocenter as iso

    (tmp_path / "work.py").write_text(CODE, encoding="utf-8")
    paths = [discs_folder / "images" / f"case0{i}.png" for i in range(3)]
    line = [sys.executable, "-W", "error", "work.py", str(disc_bundle), "out.npy", *map(str, paths)]
    # The workers read their arguments from the same command line.
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    predictor = iso.load(disc_bundle)
    expected = np.stack([predictor.predict(iso.read(p)).labels for p in paths])
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected)
