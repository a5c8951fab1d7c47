from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from isocenter import bundle
from isocenter.verbs.models import Models, models


def test_shipped_bundles_are_listed(disc_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(disc_bundle, tmp_path / "discs")
    monkeypatch.setattr(bundle.reading, "SHIPPED", tmp_path)
    found = models()
    assert found.items["discs"]["task"] == "segment" and found.items["discs"]["classes"] == ["background", "disc"]
    assert json.dumps(found.as_json()) and found.lines()[-1] == "next: isocenter predict discs IMAGE -o OUT"


def test_each_says_what_it_is_for_and_is_small() -> None:
    found = models()
    assert {"blood-cells", "chest-lungs", "chest-pneumonia", "nuclei", "retina-vessels"} <= set(found.items)
    for name, item in found.items.items():
        assert len(item["text"]) > 20 and item["licence"] and item["megabytes"] <= 5, name
        assert any(name in line and item["text"] in line for line in found.lines())


def test_none_is_said() -> None:
    assert "no bundle" in Models({}).lines()[0]
