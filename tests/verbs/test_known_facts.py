from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases, Image
from isocenter.verbs._known_facts import ignored_facts, known_facts, with_known_facts
from isocenter.verbs._method import Method, resolve


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 small pictures from two scanners, one of which adds to every value."""
    there = tmp_path_factory.mktemp("sites")
    rows = ["image,label,subject,split,scanner"]
    for i in range(48):
        pixels = np.random.default_rng(i).integers(0, 90, (12, 12)) + 60 * (i % 2) + 40 * (i // 2 % 2)
        iso.write(Image.from_array(pixels.astype(np.uint8)), there / f"{i}.png")
        split = "train" if i < 24 else "val" if i < 36 else "test"
        rows.append(f"{i}.png,{('benign', 'malignant')[i % 2]},p{i},{split},{'AB'[i // 2 % 2]}")
    (there / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return there


@pytest.fixture(scope="module")
def bundle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A linear classifier that takes out what the scanner adds."""
    out = tmp_path_factory.mktemp("bundle") / "sites.bundle"
    settings = {"before.site": "scanner", "size": 4, "penalty": 1.0}
    made = iso.train("classify", folder, method="linear", facts=["scanner"], out=out, settings=settings, threads=1)
    assert made.lines()[-1].endswith(f"{folder} --facts scanner --split test")
    return out


def test_a_bundle_knows_its_facts_and_those_of_its_members(bundle: Path) -> None:
    method = resolve(bundle)
    assert known_facts(method) == ("scanner",)
    fused = SimpleNamespace(about={"modalities": {"facts": {"age": {}, "crp": {}}}})
    whole = SimpleNamespace(about={}, members=(method.object, fused, method.object))
    assert known_facts(Method("whole", "classify", "ensemble", whole)) == ("scanner", "age", "crp")
    assert known_facts(resolve("classify/linear")) == ()


def test_facts_that_a_bundle_learnt_from_are_read_without_being_named(folder: Path, bundle: Path) -> None:
    found, named = (iso.evaluate(bundle, folder, threads=1, **o) for o in ({}, {"facts": ["scanner"]}))
    assert found.metrics == named.metrics and len(found.cases) == 12
    note = "sites learnt from facts: scanner read from the columns of that name"
    assert note in found.notes and note not in named.notes
    both = iso.compare("classify", folder, methods=[bundle, "linear"], settings={"linear.size": 4}, threads=1)
    assert note in both.notes and both.methods["sites"].metrics["auc"] == found.metrics["auc"]


def test_a_column_that_the_table_lacks_is_said(folder: Path, bundle: Path) -> None:
    bare = [line.rpartition(",")[0] for line in (folder / "table.csv").read_text(encoding="utf-8").splitlines()]
    table = folder / "bare.csv"
    table.write_text("\n".join(bare) + "\n", encoding="utf-8")
    cases = _read(table)
    same, said = with_known_facts(cases, [resolve(bundle)], table, {})
    table.unlink()
    assert same is cases and said == (
        "sites learnt from facts: the table has no column scanner, so missing in every case",)


def test_what_a_person_or_the_set_says_stands(folder: Path, bundle: Path) -> None:
    cases, method = _read(folder), resolve(bundle)
    said: list[tuple[Any, Any]] = [(folder, {"facts": ["label"]}), (cases, {})]
    assert all(with_known_facts(cases, [method], data, how) == (cases, ()) for data, how in said)
    (folder / "cases.json").write_text(json.dumps({"format": 1, "table": "table.csv", "facts": ["scanner"]}))
    declared = _read(folder)
    (folder / "cases.json").unlink()
    assert with_known_facts(declared, [method], folder, {}) == (declared, ())


def test_facts_that_are_not_looked_at_are_said(folder: Path, bundle: Path, tmp_path: Path) -> None:
    method = resolve(bundle)
    assert ignored_facts(method, {"scanner": "A"}) == () and ignored_facts(resolve("classify/linear"), {"x": 1}) == ()
    [said] = ignored_facts(method, {"scaner": "A", "age": 3})
    assert said.startswith("scaner, age were not used: sites learnt from other facts. Did you mean scanner?")
    given = [f"image={folder / '40.png'}", "scanner=A", "age=61"]
    made = iso.predict(bundle, given, out=tmp_path / "out", outside="answer", threads=1)
    assert made.notes == ("age was not used: sites learnt from other facts. Known: scanner",)
    assert f"note: {made.notes[0]}" in made.lines() and made.as_json()["notes"] == list(made.notes)


def _read(data: Path) -> Cases:
    from isocenter.layouts import read

    return read(data, task="classify")
