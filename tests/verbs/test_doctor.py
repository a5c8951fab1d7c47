from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from isocenter import bundle
from isocenter.verbs.doctor import doctor


def test_versions_machine_and_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctor(threads=1)
    assert found.versions["numpy"] == version("numpy") and found.machine["threads"] == 1
    assert found.exit_code == 0 and "fit" in found.lines()
    assert json.dumps(found.as_json(), allow_nan=False)
    assert list(tmp_path.iterdir()) == [], "the write test leaves nothing"


def test_every_shipped_bundle_answers_its_vector(
    disc_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(disc_bundle, tmp_path / "discs")
    monkeypatch.setattr(bundle.reading, "SHIPPED", tmp_path)
    assert doctor(threads=1).bundles == {"discs": "answers as at its export; envelope: none: answers every image"}


def test_a_damaged_bundle_is_broken(disc_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(disc_bundle, tmp_path / "discs")
    network = tmp_path / "discs" / "network.onnx"
    data = bytearray(network.read_bytes())
    data[len(data) // 2] ^= 1
    network.write_bytes(data)
    monkeypatch.setattr(bundle.reading, "SHIPPED", tmp_path)
    found = doctor(threads=1)
    assert found.exit_code == 1 and found.bundles == {"discs": "fails"} and "sha256" in found.problems[0].what
