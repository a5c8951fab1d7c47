"""No verb opens a socket, and none needs the folder that it is started in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Every way from Python to the network goes through these.
GUARD = """
import sys
def guard(event, arguments):
    if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        sys.stderr.write(f"NETWORK {event} {arguments}\\n")
        sys.stderr.flush()
        import os
        os._exit(77)
sys.addaudithook(guard)
"""


@pytest.fixture
def guarded(tmp_path: Path, repository: Path) -> dict[str, str]:
    """An environment in which the first step towards the network ends the process with code 77."""
    folder = tmp_path / "guard"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(repository / "src")])}


def test_the_guard_sees_a_connection(guarded: dict[str, str]) -> None:
    line = [sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 9), 1)"]
    done = subprocess.run(line, env={**os.environ, **guarded}, capture_output=True, text=True, check=False)
    assert done.returncode == 77 and "NETWORK" in done.stderr


ALL = """
import json, sys
from isocenter.faces.cli import main
for words in json.loads(sys.argv[1]):
    code = main(words)
    if code:
        sys.exit(f"{words} ended with {code}")
"""


def test_no_verb_opens_a_socket(guarded: dict[str, str], discs_folder: Path, disc_bundle: Path, tmp_path: Path) -> None:
    lines = [
        ("look", discs_folder), ("check", discs_folder), ("split", discs_folder, "-o", "s.csv"),
        ("train", "classify", discs_folder, "--method", "linear", "-o", "x.bundle"),
        ("predict", disc_bundle, discs_folder / "images" / "case00.png", "-o", "p"),
        ("evaluate", disc_bundle, discs_folder),
        ("compare", "segment", discs_folder, "--methods", f"histogram,{disc_bundle}", "-o", "r"),
        ("methods", "segment"), ("models",), ("doctor",), ("export", disc_bundle, "-o", "n.onnx"),
    ]
    # One process for all of them: the guard stays, and starting up costs once.
    words = json.dumps([[*map(str, line), "--threads", "1"] for line in lines])
    done = subprocess.run([sys.executable, "-c", ALL, words], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, **guarded, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr


def test_a_folder_with_names_like_ours_shadows_nothing(tmp_path: Path) -> None:
    for name in ("numpy", "inspect", "isocenter_trap"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n", encoding="utf-8")
    script = shutil.which("isocenter", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("the command is not installed beside this Python")
    line = [script, "methods", "segment"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "histogram" in done.stdout
