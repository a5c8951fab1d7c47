from __future__ import annotations

from pathlib import Path

import isocenter as iso
from isocenter.data import Cases
from isocenter.inspect import fingerprint
from isocenter.report import write_report
from isocenter.verbs._method import resolve
from isocenter.verbs._report import comparison_run, evaluation_run, training_run


def test_a_comparison_holds_every_method_and_what_made_it(squares: Cases, tmp_path: Path) -> None:
    made = iso.compare("segment", squares, methods=["histogram", "morphology"], threads=1)
    test = squares.split("test")
    run = comparison_run(made, cases=squares, test=test, command="isocenter compare")
    assert [m.name for m in run.methods] == ["histogram", "morphology"] and run.chosen == made.best
    assert run.data is not None and run.data.splits["test"] == {"cases": 8, "subjects": 4}
    assert set(run.made["inputs"]) == {e.id for e in test.entries} and run.made["versions"]["numpy"]
    assert {e.subject for e in squares.entries} <= set(run.identifiers)
    assert all(m.pictures and m.plan for m in run.methods)
    page = write_report(run, tmp_path / "r").read_text(encoding="utf-8")
    assert "histogram" in page and "p11" not in page, "subjects are codes"


def test_an_evaluation_and_a_training(sizes: Cases, tmp_path: Path) -> None:
    trained = iso.train("classify", sizes, method="linear", threads=1)
    learnt = training_run(trained, command="isocenter train")
    assert learnt.made["inputs"] == fingerprint(sizes.split("val")), "as examined before the training"
    page = write_report(learnt, tmp_path / "t")
    assert "chosen" in page.read_text(encoding="utf-8")
    scores = iso.evaluate(trained, sizes)
    run = evaluation_run(scores, trained.method, cases=sizes, test=sizes.split("test"))
    page = write_report(run, tmp_path / "e")
    text = page.read_text(encoding="utf-8")
    assert "AUC" in text and len(text) < 15_000_000


def test_a_method_of_nobody_we_know(sizes: Cases, tmp_path: Path) -> None:
    scores = iso.evaluate("classify/linear", sizes, threads=1)
    method = resolve("classify/linear")
    run = evaluation_run(scores, method, cases=sizes, test=sizes.split("test"))
    assert write_report(run, tmp_path / "e").is_file()


def test_a_method_that_learnt_nothing_is_drawn_too(squares: Cases) -> None:
    test = squares.split("test")
    scores = iso.evaluate("segment/histogram", test, threads=1)
    run = evaluation_run(scores, resolve("segment/histogram"), cases=squares, test=test)
    assert [p.rank for p in run.methods[0].pictures] == ["worst", "median", "best"]
