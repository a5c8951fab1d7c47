from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import MissingFileError, UnreadableError
from isocenter.verbs import verb
from isocenter.verbs._record import FILE, PASSING, PRIVATE, machine, outcome, read_record, stripped, versions
from isocenter.verbs.compare import compare
from isocenter.verbs.evaluate import evaluate


@pytest.fixture(scope="module")
def evaluated(squares: Cases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record") / "run"
    evaluate("segment/histogram", squares, out=folder, threads=1, seed=3, settings={"bins": 128})
    return folder


def test_the_record_says_what_was_asked_and_found(evaluated: Path) -> None:
    record = read_record(evaluated)
    asked = record["arguments"]
    assert record["format"] == 1 and record["verb"] == "evaluate" and record["created"]
    assert asked["method"] == "segment/histogram" and asked["seed"] == 3 and asked["threads"] == 1
    assert asked["settings"] == {"bins": 128} and asked["origins"] == {"bins": "settings"}
    assert record["in_memory"] == ["data"] and asked["data"] is None and len(record["pixels"]) == 8
    assert record["data"]["splits"]["train"]["subjects"] == 6 and record["data"]["cases"] == 24
    assert record["methods"]["histogram"]["recipe"]["bins"] == 128
    assert len(record["outcome"]["cases"][""]) == 8
    assert record["result"]["metrics"]["dice"]["square"]["n"] == 8
    assert record["versions"] == versions() and record["machine"] == machine() and record["folder"] == str(evaluated)


def test_it_lies_in_the_part_that_stays_at_home(evaluated: Path) -> None:
    assert (evaluated / PRIVATE / FILE).is_file() and (evaluated / PRIVATE / ".gitignore").read_text() == "*\n"
    public = [p for p in evaluated.rglob("*") if p.is_file() and PRIVATE not in p.parts]
    assert public and not any(p.name == FILE for p in public)


def test_it_is_found_from_the_page_and_from_the_bundle(evaluated: Path, squares: Cases, tmp_path: Path) -> None:
    assert read_record(evaluated / "report.html")["verb"] == "evaluate"
    iso.train("segment", squares, method="histogram", out=tmp_path / "h.bundle", threads=1)
    record = read_record(tmp_path / "h.bundle")
    assert record["verb"] == "train" and record["arguments"]["method"] == "histogram"
    assert record["outcome"]["weights"].keys() == {"state.safetensors"} and record["outcome"]["cases"]["val"]


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="run its command again"):
        read_record(tmp_path)
    place = tmp_path / PRIVATE / FILE
    place.parent.mkdir()
    for text, why in (("{", "not JSON"), ("[]", "no record"), ('{"format": 99}', "newer")):
        place.write_text(text)
        with pytest.raises(UnreadableError, match=why):
            read_record(tmp_path)


@pytest.mark.parametrize("name", ["evaluate", "compare", "train"])
def test_every_argument_of_a_verb_is_recorded(name: str, sizes: Cases, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "evaluate": {"method": iso.train("classify", sizes, method="linear", threads=1).method.object},
                             "compare": {"task": "classify", "methods": ["linear"]},
                             "train": {"task": "classify", "method": "linear"}}[name]
    verb(name)(data=sizes, out=tmp_path / "run", threads=1, **given)
    folder = tmp_path / ("run.report" if name == "train" else "run")
    record = read_record(folder)
    wanted = {p.name for p in inspect.signature(verb(name)).parameters.values() if p.kind is not p.VAR_KEYWORD}
    assert wanted - set(PASSING) <= set(record["arguments"])
    if name == "evaluate":
        assert record["in_memory"] == ["method", "data"] and record["arguments"]["method"] is None


def test_a_comparison_keeps_the_records_of_every_method(sizes: Cases, tmp_path: Path) -> None:
    made = compare("classify", sizes, methods=["linear", "mlp"], out=tmp_path / "run", threads=1,
                   settings={"mlp.hidden.layers": 1})
    record = read_record(tmp_path / "run")
    assert record["methods"].keys() == record["outcome"]["cases"].keys() == {"linear", "mlp"}
    assert record["arguments"]["settings"] == {"mlp.hidden.layers": 1}
    assert record["outcome"] == json.loads(json.dumps(outcome(made)))


def test_clocks_and_places_are_no_part_of_the_outcome() -> None:
    assert stripped({"value": 1, "seconds": 2.0, "trials": [{"seconds": 1, "score": 3}]}) == {
        "value": 1, "trials": [{"score": 3}]}


def test_paths_are_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from isocenter.verbs._record import _arguments

    (tmp_path / "set").mkdir()
    (tmp_path / "x.bundle").mkdir()
    monkeypatch.chdir(tmp_path)
    found, memory = _arguments({"data": "set", "settings": {"on": {"use": "x.bundle"}, "name": "set"}, "threads": 1})
    assert found["data"] == str(tmp_path / "set") and found["settings"]["on"] == {"use": str(tmp_path / "x.bundle")}
    assert found["settings"]["name"] == "set" and memory == []
    _, memory = _arguments({"data": np.zeros(3), "settings": {"network": object()}, "threads": 1})
    assert memory == ["data", "settings network"]
