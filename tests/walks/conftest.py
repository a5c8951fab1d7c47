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


TINY = {
    "network": "small",
    "width": 4,
    "study.epochs": 1,
    "study.steps": 2,
    "study.batch_size": 2,
    "study.patch": [32, 32],
}


@pytest.fixture(scope="session")
def trained_classifier(discs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a tiny network that has hardly learnt whether a disc is big."""
    pytest.importorskip("torch")
    import isocenter as iso

    bundle = tmp_path_factory.mktemp("tiny") / "tiny.bundle"
    iso.train("classify", discs_folder, method="cnn", out=bundle, settings=TINY, threads=1)
    return bundle


@pytest.fixture(scope="session")
def trained_segmenter(discs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a tiny U-Net that has hardly learnt where the disc is."""
    pytest.importorskip("torch")
    import isocenter as iso

    settings = {k: v for k, v in TINY.items() if k != "network"} | {"depth": 2}
    bundle = tmp_path_factory.mktemp("tiny") / "tiny.bundle"
    iso.train("segment", discs_folder, method="unet", out=bundle, settings=settings, threads=1)
    return bundle
