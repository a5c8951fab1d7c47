"""The command line in this process: the same words and the same answers, without a start each time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from isocenter.faces import cli


@pytest.fixture
def here(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """As `command`, in this process."""

    def run(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        line = [*map(str, words)]
        if cwd is not None:
            monkeypatch.chdir(cwd)
        monkeypatch.setattr("sys.argv", ["isocenter", *line])
        capfd.readouterr()
        code = cli.main(line)
        said = capfd.readouterr()
        return subprocess.CompletedProcess(line, code, said.out, said.err)

    return run
