from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import InputError, MissingFileError, OutputError, UsageError
from isocenter.verbs._record import FILE, PRIVATE
from isocenter.verbs.compare import compare
from isocenter.verbs.evaluate import evaluate
from isocenter.verbs.reproduce import Difference, Reproduction, _epochs, repeatable, reproduce
from isocenter.verbs.reproduce import hints as hints_of
from isocenter.verbs.train import train


def on_disk(cases: Cases, folder: Path) -> Path:
    """The cases as pictures, masks and a table."""
    rows = ["image,mask,label,subject,split"]
    for i, case in enumerate(cases):
        truth = case.truth()
        mask = truth.labels if hasattr(truth, "labels") else np.zeros(case.image().shape, np.uint8)
        for kind, pixels in (("images", case.image().pixels()), ("masks", np.asarray(mask) * 255)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            iso.write(iso.Image.from_array(pixels.astype(np.uint8)), folder / kind / f"{i:02d}.png")
        size = "large" if i // 2 % 2 else "small"
        rows.append(f"images/{i:02d}.png,masks/{i:02d}.png,{size},{case.subject},{case.split}")
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(squares: Cases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_disk(squares, tmp_path_factory.mktemp("set") / "squares")


@pytest.fixture
def evaluated(place: Path, tmp_path: Path) -> Path:
    evaluate("segment/histogram", place, out=tmp_path / "run", threads=1)
    return tmp_path / "run"


def rewritten(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Another record in the same place."""
    path = run / PRIVATE / FILE
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_an_evaluation_is_equal(evaluated: Path) -> None:
    found = reproduce(evaluated)
    assert isinstance(found, Reproduction) and found.equal and found.exit_code == 0 and found.compared > 100
    assert found.folder == evaluated.with_name("run.again") and (found.folder / "report.html").is_file()
    assert found.lines()[0].startswith("equal: ") and found.lines()[-1] == f"next: isocenter paper {evaluated}"
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["equal"] is True
    with pytest.raises(OutputError, match="--overwrite"):
        reproduce(evaluated)
    assert reproduce(evaluated, overwrite=True).equal


def test_a_comparison_is_equal(place: Path, tmp_path: Path) -> None:
    compare("classify", place, methods=["linear", "mlp"], out=tmp_path / "run", threads=1, seed=2, target="label",
            settings={"mlp.hidden.layers": 1})
    found = reproduce(tmp_path / "run", out=tmp_path / "other")
    assert found.equal and found.folder == tmp_path / "other"


def test_a_training_is_equal_to_the_last_bit_of_its_network(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="pip install 'isocenter[train]'")
    small = {"study.epochs": 1, "study.steps": 2, "network": "small", "width": 4}
    train("classify", place, method="cnn", out=tmp_path / "c.bundle", threads=1, settings=small, target="label")
    found = reproduce(tmp_path / "c.bundle")
    assert found.equal, found.lines()
    kept = [json.loads((r / PRIVATE / FILE).read_text())["outcome"]["weights"] for r in (found.run, found.folder)]
    assert kept[0] == kept[1] and "network.onnx" in kept[0]


def test_a_changed_input_is_told_and_refused_unless_asked(squares: Cases, tmp_path: Path) -> None:
    place = on_disk(squares, tmp_path / "set")
    evaluate("segment/histogram", place, out=tmp_path / "run", threads=1)
    pixels = np.zeros((24, 24), np.uint8)
    iso.write(iso.Image.from_array(pixels), place / "images" / "20.png", overwrite=True)
    with pytest.raises(InputError, match="1 file of 49 changed") as refusal:
        reproduce(tmp_path / "run")
    assert refusal.value.exit_code == 1 and "20.png" in refusal.value.where and not (tmp_path / "run.again").exists()
    found = reproduce(tmp_path / "run", anyway=True)
    assert found.exit_code == 3 and found.differences and found.inputs
    assert any("20.png holds other bytes" in line for line in found.lines())
    assert "input file changed" in found.hints[0] and found.lines()[-1].endswith("--json")
    told = next(d for d in found.differences if d.where == "result metrics dice foreground value")
    assert told.by == told.now - told.recorded < 0


def test_another_version_is_told(evaluated: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["versions"]["numpy"] = "1.0.0"
        record["outcome"]["result"]["metrics"]["dice"]["foreground"]["value"] = 0.5

    rewritten(evaluated, change)
    found = reproduce(evaluated)
    assert found.exit_code == 3 and [d.where for d in found.differences] == ["result metrics dice foreground value"]
    assert found.differences[0].recorded == 0.5 and [d.where for d in found.circumstances] == ["version numpy"]
    assert any("pip install numpy==1.0.0" in h for h in found.hints)
    assert any(line.startswith("circumstance: version numpy: was 1.0.0, now ") for line in found.lines())


def test_hints_name_the_machine_the_clock_or_say_that_nothing_is_known(evaluated: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["machine"] |= {"family": "another", "cores": 0}
        record["outcome"]["cases"][""][0]["case"] = "another"

    rewritten(evaluated, change)
    hints = " ".join(reproduce(evaluated).hints)
    assert "another processor" in hints and "another number of cores" in hints
    record = {"arguments": {"time": "1m", "device": "auto"}, "versions": {}}
    assert "time budget" in hints_of(record, {}, ())[0] and "--device cpu" in hints_of(record, {}, ())[1]
    assert "nothing recorded has changed" in hints_of({"arguments": {}}, {}, ())[0]


def test_a_time_budget_becomes_its_epochs() -> None:
    method = {"plan": {"study": {"epochs": 7}}, "bundle": None}
    record = {"verb": "compare", "methods": {"cnn": method, "linear": {"plan": {}, "bundle": None}}}
    assert _epochs(record) == {"cnn.study.epochs": 7}
    assert _epochs({"verb": "train", "methods": {"cnn": method}}) == {"study.epochs": 7}


def test_what_was_given_in_memory_is_refused_with_a_remedy(squares: Cases, tmp_path: Path) -> None:
    evaluate("segment/histogram", squares, out=tmp_path / "run", threads=1)
    with pytest.raises(InputError, match="run the verb on that folder"):
        reproduce(tmp_path / "run")
    with pytest.raises(MissingFileError):
        reproduce(tmp_path)
    with pytest.raises(UsageError, match="not known"):
        repeatable({"verb": "conjure"})


def test_nothing_foreign_is_replaced(evaluated: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(OutputError):
        reproduce(evaluated, out=tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").is_file()


def test_a_search_is_equal(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="pip install 'isocenter[tune]'")
    from isocenter.verbs.tune import tune

    tune("classify", place, method="linear", out=tmp_path / "run", trials=3, threads=1, target="label",
         settings={"size": 1, "texture": False}, over=("size=1..24", "penalty=0.0001..10"))
    found = reproduce(tmp_path / "run")
    assert found.equal, found.lines()
    assert found.verb == "tune" and (found.folder / "tuned.bundle").is_dir()


def test_lines_name_the_first_differences_and_count_the_rest(tmp_path: Path) -> None:
    many = tuple(Difference(f"value {i}", i, i + 0.5, 0.5) for i in range(30))
    found = Reproduction(tmp_path / "run", tmp_path / "again", "evaluate", 100, many, {"a.png": "is gone"})
    lines = found.lines()
    assert lines[0] == "different: 30 of 100 values of evaluate are not as they were"
    assert lines[1] == "  value 0: was 0, now 0.5 (by +0.5)" and any("and 18 more" in line for line in lines)
    assert "input: a.png is gone since" in lines and len(found.as_json()["differences"]) == 30
