from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Case, Cases, NotEvaluated, Segmentation
from isocenter.errors import LabelError, LeakageError, NotFoundError, UsageError
from isocenter.verbs.evaluate import Evaluation, evaluate


class Bright:
    """A person's own method, handed over as an object."""

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        image = case.image()
        labels = (image.pixels() > 110).astype(np.uint8)
        return Segmentation(labels, ("background", "square"), image.geometry)


class Shy(Bright):
    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        return NotEvaluated("too shy") if int(case.id[-2:]) % 2 else super().predict(case)


def test_an_object_in_python(squares: Cases) -> None:
    scores = iso.evaluate(Bright(), squares, threads=1)
    assert isinstance(scores, Evaluation) and scores.split == "test" and scores.n_subjects == 4
    assert scores.metrics["dice"]["square"].value > 0.95
    assert json.loads(json.dumps(scores.as_json(), allow_nan=False))["data"] == "squares"


def test_other_splits_and_all(squares: Cases) -> None:
    assert len(evaluate(Bright(), squares, split="val").cases) == 4
    assert len(evaluate(Bright(), squares, split="all").cases) == 24
    with pytest.raises(NotFoundError):
        evaluate(Bright(), squares, split="holdout")


def test_no_answer_counts_as_empty_or_is_reported(squares: Cases) -> None:
    wrong = evaluate(Shy(), squares)
    beside = evaluate(Shy(), squares, abstain="report")
    assert wrong.metrics["dice"]["square"].value == pytest.approx(0.5, abs=0.03)
    assert beside.metrics["dice_answered"]["square"].value > 0.95
    assert beside.metrics["coverage"]["all"].value == 0.5
    with pytest.raises(UsageError, match="wrong or report"):
        evaluate(Shy(), squares, abstain="ignore")


def test_a_classical_method_reads_its_fields_off_train_alone(squares: Cases) -> None:
    asked: list[str] = []

    def noting(cases: Cases) -> Cases:
        # Pixels are looked at before, for copies; truths are read by what learns and by what scores.
        def opened(entry):  # type: ignore[no-untyped-def]
            case = entry.open()
            return lambda: replace(case, load_truth=lambda: (asked.append(entry.split), case.truth())[1])

        return replace(cases, entries=tuple(replace(e, open=opened(e)) for e in cases.entries))

    made = evaluate("segment/histogram", noting(squares), threads=1)
    assert any("read its fields off train" in n for n in made.notes)
    assert "val" not in asked and asked.index("test") > asked.index("train")
    assert "train" not in asked[asked.index("test") :]
    with pytest.raises(UsageError, match="learns from train"):
        evaluate("segment/histogram", squares, split="all")


def test_without_train_it_is_used_as_it_is_or_refused(squares: Cases, sizes: Cases) -> None:
    assert evaluate("segment/histogram", squares.split("test")).metrics["dice"]
    with pytest.raises(NotFoundError, match="no split 'train'"):
        evaluate("classify/linear", sizes.split("test"))


def test_a_bundle_never_meets_its_training_cases_again(squares: Cases, tmp_path: Path) -> None:
    iso.train("segment", squares, method="histogram", out=tmp_path / "h.bundle", threads=1)
    assert evaluate(tmp_path / "h.bundle", squares).metrics["dice"]["square"].value > 0.9
    for split in ("train", "val"):
        with pytest.raises(LeakageError, match="were studied"):
            evaluate(tmp_path / "h.bundle", squares, split=split)
    trained = iso.train("segment", squares, method="histogram", threads=1)
    with pytest.raises(LeakageError, match="were studied"):
        evaluate(trained, squares, split="train")
    # Under another name and in another split, the pixels are still the same.
    renamed = squares.split("train").with_splits(["test"] * 12)
    with pytest.raises(LeakageError):
        evaluate(tmp_path / "h.bundle", renamed)


def test_by_a_column(discs_folder: Path) -> None:
    made = evaluate("segment/histogram", discs_folder, by="eye", threads=1)
    assert {k: len(s.cases) for k, s in made.by.items()} == {"eye L": 3, "eye R": 3}
    assert "eye L: 3 cases, 3 subjects" in made.lines()
    with pytest.raises(NotFoundError, match="Did you mean eye"):
        evaluate("segment/histogram", discs_folder, by="eyes")


def test_a_column_that_is_not_there_is_refused_before_any_answer(squares: Cases) -> None:
    class Never(Bright):
        def predict(self, case: Case) -> Segmentation:
            raise AssertionError("it was asked")

    with pytest.raises(NotFoundError, match="no column 'sex' to score by"):
        evaluate(Never(), squares, by="sex")


def test_a_report(squares: Cases, tmp_path: Path) -> None:
    made = evaluate(Bright(), squares, out=tmp_path / "r")
    assert made.report == tmp_path / "r" / "report.html" and made.report.is_file()
    assert f"report: {made.report}" in made.lines()


def test_what_was_refused_is_an_exit_code(squares: Cases) -> None:
    class Picky(Bright):
        def predict(self, case: Case) -> Segmentation | NotEvaluated:
            if case.id.endswith("23"):
                raise LabelError("it will not")
            return super().predict(case)

    made = evaluate(Picky(), squares)
    assert made.exit_code == 3 and made.n_refused == 1 and len(made.cases) == 7
    assert any(line.startswith("refused: ") for line in made.lines())


def test_what_train_gave_can_be_evaluated_with_a_report(sizes: Cases, tmp_path: Path) -> None:
    made = iso.train("classify", sizes, method="linear", threads=1)
    found = iso.evaluate(made, sizes, out=tmp_path / "report", threads=1)
    assert found.report is not None and found.report.is_file()


@pytest.mark.parametrize(("name", "rival"), [("threshold", "histogram"), ("histogram", "morphology")])
def test_the_next_command_names_a_rival_worth_its_time(discs_folder: Path, name: str, rival: str) -> None:
    made = evaluate(f"segment/{name}", discs_folder, threads=1)
    assert made.lines()[-1] == f"next: isocenter compare segment {discs_folder} --methods {name},{rival}"


def test_every_rival_is_a_method_of_its_task() -> None:
    from isocenter import catalog
    from isocenter.verbs.evaluate import RIVALS

    assert all(set(names) <= set(catalog.methods(task)) and len(names) > 1 for task, names in RIVALS.items())
