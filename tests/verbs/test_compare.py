from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import Case, Cases, Segmentation
from isocenter.errors import InputError, LeakageError, RecipeError, UsageError
from isocenter.verbs.compare import compare


class Bright:
    name = "bright"

    def predict(self, case: Case) -> Segmentation:
        image = case.image()
        return Segmentation((image.pixels() > 110).astype(np.uint8), ("background", "square"), image.geometry)


class Empty:
    name = "empty"

    def predict(self, case: Case) -> Segmentation:
        image = case.image()
        return Segmentation(np.zeros(image.shape, np.uint8), ("background", "square"), image.geometry)


def test_objects_and_names_stand_in_one_table(squares: Cases) -> None:
    made = compare("segment", squares, methods=[Empty(), Bright(), "histogram"], threads=1)
    assert list(made.methods) == ["empty", "bright", "histogram"] and made.best in ("bright", "histogram")
    first = next(t for t in made.tests if (t.a, t.b) == ("empty", "bright"))
    assert first.difference is not None and first.difference < -0.9
    assert json.dumps(made.as_json(), allow_nan=False)
    assert made.taken["histogram"].seconds is not None and made.taken["bright"].seconds is None
    assert any("named before test was opened" in line for line in made.lines())


def test_best_is_chosen_before_test_is_answered(squares: Cases) -> None:
    asked: list[str] = []

    class Noting(Bright):
        name = "noting"

        def predict(self, case: Case) -> Segmentation:
            asked.append(case.split)
            return super().predict(case)

    compare("segment", squares, methods=[Noting(), Empty()])
    assert asked == ["val"] * 4 + ["test"] * 8


def test_a_case_that_one_refuses_leaves_the_table(squares: Cases) -> None:
    class Picky(Bright):
        name = "picky"

        def predict(self, case: Case) -> Segmentation:
            if case.id.endswith("23"):
                raise InputError("not this one")
            return super().predict(case)

    made = compare("segment", squares, methods=[Bright(), Picky()])
    assert {len(s.cases) for s in made.methods.values()} == {7} and made.exit_code == 3


def test_settings_concern_one_method_or_all_that_have_the_field(squares: Cases) -> None:
    made = compare("segment", squares, methods=["histogram", Bright()], settings={"histogram.levels": 3}, threads=1)
    assert made.predictors["histogram"].object.levels == 3
    made = compare("segment", squares, methods=["histogram", Bright()], settings={"levels": 4}, threads=1)
    assert made.predictors["histogram"].object.levels == 4
    with pytest.raises(RecipeError, match="Did you mean levels"):
        compare("segment", squares, methods=["histogram", Bright()], settings={"histogram.levls": 4})
    with pytest.raises(RecipeError, match=r"Did you mean histogram\.levels"):
        compare("segment", squares, methods=["histogram", Bright()], settings={"histogrm.levels": 4})


def test_folds_choose_inside_each_fold(squares: Cases) -> None:
    made = compare("segment", squares, methods=["histogram", Empty()], folds=3, threads=1)
    assert made.split == "3 folds" and len(made.methods["empty"].cases) == 24 and made.best == "histogram"
    assert any("inside each fold: histogram 3 of 3" in n for n in made.notes)
    assert "best on val, named inside each fold before its test part: histogram" in made.lines()


def test_leakage_is_refused_before_anything_is_learnt(squares: Cases) -> None:
    mixed = squares.with_splits(["train", "test"] * 12)
    with pytest.raises(LeakageError):
        compare("segment", mixed, methods=[Bright()])
    made = compare("segment", mixed, methods=[Bright()], allow="leakage", because="for a test")
    assert "leakage allowed: for a test" in made.notes


def test_unsplit_data_are_divided_and_that_is_said(squares: Cases) -> None:
    made = compare("segment", squares.with_splits([""] * 24), methods=[Bright()], seed=2)
    assert any("unsplit" in n and "seed 2" in n for n in made.notes)


def test_a_report_with_every_method(squares: Cases, tmp_path: Path) -> None:
    made = compare("segment", squares, methods=[Bright(), Empty()], out=tmp_path / "r")
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert made.report == tmp_path / "r" / "report.html" and "bright" in page and "empty" in page


def test_nested_folds_choose_without_the_test_part(squares: Cases) -> None:
    """Inside each fold every other case is answered once; the row of what was chosen is the winner's."""
    asked: list[str] = []

    class Noting(Bright):
        name = "noting"

        def predict(self, case: Case) -> Segmentation:
            asked.append(case.id)
            return super().predict(case)

    made = compare("segment", squares, methods=[Empty(), Noting()], folds=3, inner=2, threads=1)
    assert list(made.methods) == ["empty", "noting", "chosen"] and made.best == "noting"
    assert made.methods["chosen"].metrics["dice"]["all"].value == made.methods["noting"].metrics["dice"]["all"].value
    assert made.notes[-1] == "chosen in 2 folds of the rest inside each fold: empty 0 of 3, noting 3 of 3"
    # Once for its test part, and twice more in the folds inside the two others.
    assert {asked.count(i) for i in asked} == {3} and len(set(asked)) == 24
    plain = compare("segment", squares, methods=[Empty(), Noting()], folds=3, threads=1)
    assert "chosen" not in plain.methods
    with pytest.raises(UsageError, match="inner folds lie inside folds"):
        compare("segment", squares, methods=[Empty(), Bright()], inner=3)
    with pytest.raises(UsageError):
        compare("segment", squares, methods=[Empty(), Bright()], folds=3, inner=1)


def test_a_val_that_training_leaves_alone_is_scored(squares: Cases) -> None:
    kept = squares.subset([i for i, e in enumerate(squares.entries) if e.split != "test"])
    made = compare("segment", kept, methods=[Empty(), "histogram"], split="val", val_from="train", threads=1)
    assert {c.case for c in made.methods["empty"].cases} == {e.id for e in kept.split("val").entries}
    assert made.split == "test" and made.best == "histogram" and "own val stands as test" in made.notes[0]


def test_one_method_under_two_names(squares: Cases) -> None:
    """Each name has its own settings; what is set for all reaches both; a name must fit a table."""
    made = compare(
        "segment", squares, methods=["dark=threshold", "bright=threshold"], threads=1,
        settings={"at": 110.0, "name": "square", "dark.below": True},
    )  # fmt: skip
    assert list(made.methods) == ["dark", "bright"]
    assert made.sets == {"dark": " --set at=110.0 --set name=square --set below=true",
                         "bright": " --set at=110.0 --set name=square"}
    after = replace(made, best="dark", place="DATA").lines()[-1]
    assert after == f"next: isocenter train segment DATA --method threshold{made.sets['dark']} -o BUNDLE"
    dark, bright = (s.metrics["dice"]["all"].value for s in made.methods.values())
    assert dark is not None and bright is not None and dark < 0.2 < 0.9 < bright
    with pytest.raises(UsageError, match="cannot stand in a table"):
        compare("segment", squares, methods=["a b=threshold"])
    with pytest.raises(RecipeError, match=r"no method here has a field 'dork\.at'"):
        compare("segment", squares, methods=["dark=threshold"], settings={"dork.at": 1.0})


def test_names_twice_or_none(squares: Cases) -> None:
    with pytest.raises(UsageError, match="every method once"):
        compare("segment", squares, methods=[Bright(), Bright()])
    with pytest.raises(UsageError, match="every method once"):
        compare("segment", squares, methods=[])


def test_one_method_has_no_best_and_no_test(squares: Cases) -> None:
    made = compare("segment", replace(squares), methods=[Bright()])
    assert made.best is None and made.tests == () and made.lines()


def test_the_next_command_is_one_that_can_be_run(
    squares: Cases, discs_folder: Path, disc_bundle: Path, tmp_path: Path
) -> None:
    known = compare("segment", discs_folder, methods=["histogram"], threads=1)
    train = f"next: isocenter train segment {discs_folder} --method histogram -o BUNDLE"
    assert known.lines()[-1] == train and replace(known, place="DATA").lines()[-1] != train
    assert compare("segment", squares, methods=[Bright()]).lines()[-1] == "next: isocenter methods segment"
    told = compare("segment", discs_folder, methods=["given"], settings={"given.column": "mask"}, threads=1)
    assert told.lines()[-1] == "next: isocenter methods segment"
    held = compare("segment", discs_folder, methods=[disc_bundle], threads=1)
    assert held.lines()[-1] == f"next: isocenter predict {disc_bundle} INPUT -o OUT"
