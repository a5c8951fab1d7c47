from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.faces.arguments import Parser, everywhere
from isocenter.faces.cli import main
from isocenter.faces.commands import reproduce


def test_words_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(reproduce, "reproduce", lambda *given, **named: met.append((given, named)))
    parser = Parser("reproduce", "text", reproduce.EXAMPLES)
    reproduce.arguments(parser)
    everywhere(parser)
    reproduce.call(parser.parse_args(["runs/chest", "-o", "again", "--anyway"]), print)
    given, named = met[0]
    assert given == ("runs/chest",) and named["out"] == "again" and named["anyway"] and not named["overwrite"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of an evaluation on six pictures."""
    base = tmp_path_factory.mktemp("walk")
    rng = np.random.default_rng(0)
    rows = ["image,mask,subject,split"]
    for i in range(6):
        mask = np.zeros((16, 16), np.uint8)
        mask[4 : 8 + i % 3, 4:10] = 255
        pixels = np.clip(60 + 0.4 * mask + rng.normal(0, 5, mask.shape), 0, 255).astype(np.uint8)
        for kind, values in (("images", pixels), ("masks", mask)):
            (base / "set" / kind).mkdir(parents=True, exist_ok=True)
            iso.write(iso.Image.from_array(values), base / "set" / kind / f"{i}.png")
        rows.append(f"images/{i}.png,masks/{i}.png,p{i},{'train' if i < 3 else 'test'}")
    (base / "set" / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    words = ["evaluate", "segment/histogram", str(base / "set"), "-o", str(base / "run"), "--threads", "1", "--quiet"]
    assert main(words) == 0
    return base / "run"


def test_exit_codes_and_documents(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", str(run), "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("equal: ")
    assert main(["reproduce", str(run), "--quiet"]) == 1, "the folder of the repetition exists"
    assert "Name another with -o, or pass --overwrite" in capsys.readouterr().err
    place = run / "private" / "record.json"
    record = json.loads(place.read_text(encoding="utf-8"))
    record["outcome"]["result"]["n_subjects"] = 7
    place.write_text(json.dumps(record), encoding="utf-8")
    assert main(["reproduce", str(run), "--overwrite", "--json", "--quiet"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["equal"] is False and document["differences"] == [
        {"where": "result n_subjects", "recorded": 7, "now": 3, "by": -4}]


def test_a_run_without_a_record_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("reproduce", "paper"):
        assert main([verb, str(tmp_path)]) == 1
        line = capsys.readouterr().err
        assert "there is no record of a run here" in line and "run its command again" in line


def test_the_paper_of_the_same_run(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", str(run), "-o", str(tmp_path / "pack"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert sorted(document["files"]) == sorted(p.name for p in (tmp_path / "pack").iterdir())
    assert document["not_provided"]["CLAIM 2024"]["of"] == 44
