"""What folds say about labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.data import Case, Cases, CaseScore, Problem, Scores
from isocenter.errors import UnreadableError
from isocenter.report import write_report
from isocenter.verbs._report import training_run
from isocenter.verbs._suspects import CODE, DRAWN, NAMED, suspect_pictures, suspected
from isocenter.verbs.train import train


def answered(n: int, wrong: set[int]) -> Scores:
    """Cases of two classes, answered well; those of `wrong` bear the other label."""
    cases = []
    for i in range(n):
        truth = "a" if (i % 2 == 0) != (i in wrong) else "b"
        p = {"a": 0.9 - i / 1000, "b": 0.1 + i / 1000} if i % 2 == 0 else {"a": 0.2, "b": 0.8}
        record = {"truth": {c: int(c == truth) for c in "ab"}, "p": p}
        cases.append(CaseScore(f"case-{i}", f"s{i}", {"auc": record}))
    return Scores("classify", "cnn", "5 folds", {}, tuple(cases), n)


def test_contradicted_labels_are_named_with_what_was_given_and_answered() -> None:
    problems, notes = suspected(answered(40, {3, 8}))
    assert {p.where for p in problems} == {"case-3", "case-8"}
    first = problems[0]
    assert (first.where, first.code, first.severity) == ("case-8", "label-suspect", "note")
    assert first.got == "labelled b (0.11), answered a (0.89)"
    assert "2 of 40 labels" in notes[0]


def test_the_worst_are_named_and_all_are_counted() -> None:
    problems, notes = suspected(answered(200, set(range(0, 60, 2))))
    assert len(problems) == NAMED
    assert f"30 of 200 labels are contradicted; the {NAMED} most" in notes[0]


def test_nothing_to_say() -> None:
    assert suspected(None) == ((), ())
    assert suspected(replace(answered(20, set()), task="segment")) == ((), ())
    assert suspected(answered(20, set())) == ((), ("over the folds no label is contradicted",))
    unanswered = Scores("classify", "cnn", "5 folds", {}, (), 0)
    assert suspected(unanswered) == ((), ())


def flipped() -> Cases:
    """Bright and dark pictures, of which two bear each other's label."""
    rng = np.random.default_rng(0)
    y = np.arange(48) % 2
    x = rng.normal(0, 0.5, (48, 12, 12)).astype(np.float32)
    x[y == 1, :6] += 2
    names = np.where(y == 1, "bright", "dark")
    names[[4, 9]] = names[[9, 4]]
    return Cases.from_arrays(x, names.tolist(), splits=["train"] * 40 + ["val"] * 8)


def test_training_with_folds_finds_flipped_labels_and_draws_them(tmp_path: Path) -> None:
    cases = flipped()
    made = train("classify", cases, method="linear", folds=3, threads=1)
    suspects = [p.where for p in made.problems if p.code == "label-suspect"]
    assert {cases.entries[4].id, cases.entries[9].id} <= set(suspects[:3])
    assert any("labels are contradicted" in line for line in made.lines())
    assert "label-suspect" in {p["code"] for p in made.as_json()["problems"]}
    drawn = suspect_pictures(made.problems, cases)
    assert [p.case for p in drawn] == suspects[:DRAWN] and all("labelled" in p.text for p in drawn)
    assert np.array_equal(drawn[0].image, cases[int(drawn[0].case[-4:])].image().pixels())
    page = write_report(training_run(made), tmp_path / "report").read_text(encoding="utf-8")
    assert "Labels to look at again" in page and (tmp_path / "report" / "figures" / "suspect-1.svg").is_file()


def test_only_what_can_be_drawn_is_and_no_more_than_twelve() -> None:
    cases = flipped()

    def broken() -> Case:
        raise UnreadableError("torn")

    entries = tuple(replace(e, open=broken) if i == 1 else e for i, e in enumerate(cases.entries))
    doubted = [Problem(CODE, "note", "doubted", e.id, "labelled a, answered b") for e in entries[:20]]
    others = [Problem("leakage", "error", "shared", entries[0].id), Problem(CODE, "note", "doubted", "gone")]
    drawn = suspect_pictures([*others, *doubted], replace(cases, entries=entries))
    assert [p.case for p in drawn] == [e.id for i, e in enumerate(entries[:DRAWN]) if i != 1]
