from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import OutputError, RecipeError, ResourceError, UsageError
from isocenter.verbs import tune as verb
from isocenter.verbs._recipe import settings_of
from isocenter.verbs.tune import DEFAULT, STORE, TUNED, tune

pytest.importorskip("optuna", reason="pip install 'isocenter[tune]'")
OVER = ("size=1..24", "penalty=0.0001..10")
# The mean of a standardised picture says nothing: the first trial can be beaten.
BLIND = {"size": 1, "texture": False}


@pytest.fixture(scope="module")
def found(sizes: Cases, tmp_path_factory: pytest.TempPathFactory) -> verb.Tuned:
    return tune("classify", sizes, method="linear", out=tmp_path_factory.mktemp("tune") / "run", trials=10, threads=1,
                settings=BLIND, over=OVER)


def test_the_best_on_val_is_kept(found: verb.Tuned) -> None:
    scores = [t.score for t in found.trials]
    assert len(scores) == 10 and found.metric == ("auc", "all")
    assert found.trials[found.best].score == max(s for s in scores if s is not None)
    bundle = iso.load(found.folder / TUNED)
    assert found.best > 0 and bundle.about["recipe"]["size"] == found.values["size"]
    assert not [p.name for p in found.folder.iterdir() if p.name.startswith("trial-")], "checkpoints are gone"


def test_everything_stands_in_the_folder(found: verb.Tuned) -> None:
    assert found.report is not None and found.report.parent == found.folder
    page = found.report.read_text(encoding="utf-8")
    assert "Search" in page and "the recipe as it was asked" in page and "What mattered" in page
    with (found.folder / "trials.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [int(r["trial"]) for r in rows] == list(range(10))
    assert {"size", "penalty", "score", "seconds"} <= set(rows[0])
    read = settings_of(found.folder / "recipe.json").values
    assert read["texture"] is False and all(read[k] == v for k, v in found.values.items())
    assert {TUNED, DEFAULT, STORE, "recipe.json"} <= {p.name for p in found.folder.iterdir()}


def test_the_document_and_the_lines(found: verb.Tuned) -> None:
    document = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert document["best"] == found.best and len(document["trials"]) == 10 and document["split"] == "val"
    lines = found.lines()
    [kept] = [line for line in lines if line.startswith("kept")]
    assert not re.search(r"= 0\.0+(,|$)", kept), "small settings keep their digits"
    assert any("chosen here: it flatters" in line for line in lines)
    assert lines[-1] == f"next: isocenter predict {found.folder / TUNED} INPUT -o OUT"


def test_what_it_gained_is_measured_once_on_test(sizes: Cases, tmp_path: Path) -> None:
    made = tune("classify", sizes, method="linear", out=tmp_path / "run", trials=3, threads=1, over=["size=8,16"],
                settings=BLIND)
    assert made.best > 0 and made.gain is not None
    assert list(made.gain.methods) == ["tuned", "default"] and made.gain.split == "test"
    assert {(t.a, t.b) for t in made.gain.tests} == {("tuned", "default")}
    assert "on test, once:" in made.lines()


def test_an_envelope_is_drawn_for_what_is_kept_alone(
    sizes: Cases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, drawn = verb.gated, []
    monkeypatch.setattr(verb, "gated", lambda made, options: drawn.append(made) or real(made, options))
    made = tune("classify", sizes, method="linear", out=tmp_path / "run", trials=6, threads=1, over=OVER,
                settings=BLIND)  # fmt: skip
    better = [t for i, t in enumerate(made.trials) if t.score > max([u.score for u in made.trials[:i]], default=-1)]
    assert len(drawn) == len(better) < 6
    assert all("envelope" in iso.load(made.folder / name).about for name in (DEFAULT, TUNED))


def test_nothing_beats_the_recipe_as_it_was_asked(sizes: Cases, tmp_path: Path) -> None:
    made = tune("classify", sizes, method="linear", out=tmp_path / "run", trials=1, threads=1)
    assert made.best == 0 and made.gain is None and made.values == {}
    assert any("nothing beat" in n for n in made.notes)
    assert iso.load(made.folder / TUNED).predict(sizes[0]) == iso.load(made.folder / DEFAULT).predict(sizes[0])


def test_a_trial_that_fails_is_listed(sizes: Cases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = verb.learnt, []

    def once(*given, **named):  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) == 2:
            raise ResourceError("too large for this machine")
        return real(*given, **named)

    monkeypatch.setattr(verb, "learnt", once)
    made = tune("classify", sizes, method="linear", out=tmp_path / "run", trials=3, threads=1, over=OVER)
    assert [t.score is None for t in made.trials] == [False, True, False]
    assert "too large" in made.trials[1].lack


def test_a_search_ends_with_its_time(sizes: Cases, tmp_path: Path) -> None:
    made = tune("classify", sizes, method="linear", out=tmp_path / "run", time="1s", threads=1, over=OVER, trials=500)
    assert 1 <= len(made.trials) < 500


KILLED = """
import sys
import isocenter as iso
from isocenter.faces.cli import main
sys.exit(main(sys.argv[1:]))
"""

# Each trial takes its time, so that the kill falls into the middle of one.
SLOW = """
import time
from isocenter.fit.tuning import Search
proposed = Search.proposed
def slowly(self, dimensions):
    found = proposed(self, dimensions)
    time.sleep(20)
    return found
Search.proposed = slowly
""" + KILLED


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_and_resumed_is_the_same_search(discs_folder: Path, tmp_path: Path) -> None:
    words = ["tune", "classify", str(discs_folder), "--method", "linear", "--trials", "5", "--threads", "1", "--quiet",
             "--over", "size=2..24", "--over", "penalty=0.0001..10"]  # fmt: skip
    settings = {"env": {**os.environ, "OMP_NUM_THREADS": "1"}, "cwd": tmp_path, "capture_output": True, "check": False}
    with subprocess.Popen([sys.executable, "-c", SLOW, *words, "-o", "b"], cwd=tmp_path,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:  # fmt: skip
        store, until = tmp_path / "b.part" / "search.json", time.monotonic() + 60
        while time.monotonic() < until and not (store.is_file() and "dimensions" in store.read_text(encoding="utf-8")):
            time.sleep(0.02)
        time.sleep(0.5)
        child.send_signal(signal.SIGKILL)
    assert not (tmp_path / "b").exists()
    refused = subprocess.run([sys.executable, "-c", KILLED, *words, "-o", "b"], **settings)  # type: ignore[call-overload]
    assert refused.returncode == 1 and b"--resume" in refused.stderr
    for name, more in (("a", []), ("b", ["--resume"])):
        done = subprocess.run([sys.executable, "-c", KILLED, *words, "-o", name, *more], **settings)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr
    tables = []
    for name in ("a", "b"):
        with (tmp_path / name / "trials.csv").open(encoding="utf-8-sig") as file:
            tables.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)])
    assert tables[0] == tables[1] and len(tables[0]) == 5
    same = [(tmp_path / name / "recipe.json").read_bytes() for name in ("a", "b")]
    assert same[0] == same[1]


def test_refusals(sizes: Cases, squares: Cases, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(UsageError, match="nothing to learn"):
        tune("segment", squares, method="unlabelled", out=out)
    with pytest.raises(RecipeError, match="unknown field"):
        tune("classify", sizes, method="linear", out=out, over=["sizes"])
    with pytest.raises(UsageError, match="too few trials"):
        tune("classify", sizes, method="linear", out=out, trials=0)
    with pytest.raises(UsageError, match="once a trial"):
        tune("classify", sizes, method="linear", out=out, seeds=2)
    assert not out.exists() and not out.with_name("run.part").exists()
    out.mkdir()
    with pytest.raises(OutputError, match="exists"):
        tune("classify", sizes, method="linear", out=out)
    with pytest.raises(OutputError, match="holds no search"):
        tune("classify", sizes, method="linear", out=out, overwrite=True)
    assert out.is_dir()
