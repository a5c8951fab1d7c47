from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import InputError, MissingFileError, UsageError
from isocenter.verbs._gate import gate_lines, gate_of
from isocenter.verbs._method import resolve


@pytest.fixture(scope="module")
def folder(discs: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return discs(tmp_path_factory.mktemp("gate") / "discs", subjects=16)


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    """Of 26 images: its envelope has a limit."""
    out = folder.parent / "size.bundle"
    iso.train("classify", folder, method="linear", out=out, threads=1)
    return out


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise, an inverted picture below, a letter, and a torn file."""
    place = tmp_path_factory.mktemp("strange")
    rng = np.random.default_rng(0)
    for i in range(11):
        iso.write(iso.Image.from_array(rng.integers(0, 255, (48, 48), np.uint8)), place / f"noise{i}.png")
    iso.write(iso.Image.from_array(np.eye(48, dtype=np.uint8) * 200), place / "below" / "line.png")
    (place / "letter.txt").write_text("Dear colleague", encoding="utf-8")
    (place / "torn.png").write_bytes(b"torn")
    return place


def test_evaluate_says_how_well_other_images_are_told_apart(bundle: Path, folder: Path, strange: Path) -> None:
    made = iso.evaluate(bundle, folder, outside_data=strange, threads=1)
    assert made.gate["ood_auroc"].value == 1.0 and made.gate["ood_auroc"].n == 6 + 12
    assert made.gate["refused_outside"].value == 1.0 and made.gate["refused_outside"].n == 12
    told = json.loads(json.dumps(made.as_json(), allow_nan=False))["metrics"]
    assert told["ood_auroc"]["all"]["low"] < 1 == told["ood_auroc"]["all"]["value"] and "auc" in told
    assert any("12 other images" in note and "AUROC 1.000" in note for note in made.notes)
    text = "\n".join(made.lines())
    assert "the gate" in text and "refused of the split (falsely)" in text
    plain = iso.evaluate(bundle, folder, threads=1)
    assert plain.gate == {} and "ood_auroc" not in plain.as_json()["metrics"] and gate_lines(plain.gate) == []
    assert plain.metrics == made.metrics


def test_cases_and_lists_stand_for_a_folder(bundle: Path, folder: Path, strange: Path) -> None:
    method = resolve(str(bundle))
    from isocenter.layouts import read

    test = read(folder, task="classify").split("test")
    one, _ = gate_of(method, test, options={"outside_data": [strange / "noise0.png", strange / "noise1.png"]})
    assert one["refused_outside"].n == 2
    upset = Cases.from_arrays(255 - np.stack([c.image().pixels() for c in test]), ["a"] * len(test))
    two, _ = gate_of(method, test, options={"outside_data": upset})
    assert two["ood_auroc"].value == 1.0 and two["refused_outside"].n == len(test)
    same, _ = gate_of(method, test, options={"outside_data": test})
    assert same["ood_auroc"].value == 0.5


def test_what_cannot_be_told(bundle: Path, folder: Path, strange: Path, disc_bundle: Path) -> None:
    with pytest.raises(MissingFileError, match="another kind"):
        iso.evaluate(bundle, folder, outside_data=strange / "gone")
    with pytest.raises(InputError, match="tell apart"):
        iso.evaluate(bundle, folder, outside_data=strange / "letter.txt")
    with pytest.raises(UsageError, match="envelope"):
        iso.evaluate(disc_bundle, folder, outside_data=strange)
