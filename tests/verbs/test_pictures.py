from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Case, Cases, Geometry, Image, NotEvaluated, Probabilities, Segmentation, Value, Values
from isocenter.verbs._method import resolve
from isocenter.verbs._pictures import curves_of, picture, pictures_of, plane_spacing, samples_of, shown


def truth(labels: np.ndarray, names: tuple[str, ...] = ("background", "a", "b")) -> Segmentation:
    return Segmentation(labels, names, Geometry(labels.shape))


def test_the_slice_that_says_most_is_drawn() -> None:
    array = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((5, 6, 7), np.uint8)
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[3, 2:4, 2:4] = 1
    image = Image.from_array(array, spacing=(3.0, 2.0, 1.0))
    case = Case("x", {"image": image}, load_truth=lambda: truth(labels))
    drawn = picture(case, truth(labels))
    assert drawn is not None and (drawn.image == 3).all() and drawn.spacing == (2.0, 1.0) and drawn.truth.sum() == 4


def test_answers_are_numbered_as_the_truth_numbers_them() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[0], labels[1] = 1, 2
    case = Case("x", {"image": Image.from_array(labels)}, load_truth=lambda: truth(labels))
    swapped = truth(labels, ("background", "b", "a"))
    drawn = picture(case, swapped)
    assert drawn is not None and drawn.prediction[0, 0] == 2 and drawn.prediction[1, 0] == 1
    union = picture(case, truth((labels > 0).astype(np.uint8), ("background", "foreground")))
    assert union is not None and set(np.unique(union.prediction)) == {0, 1}


def test_colour_photographs_stay_in_colour() -> None:
    array = np.zeros((3, 4, 5), np.uint8)
    assert shown(array, Image.from_array(array, axes="cyx")).shape == (4, 5, 3)
    assert shown(array.astype(np.float32), Image.from_array(array, axes="cyx")).shape == (4, 5)
    assert plane_spacing(Image.from_array(array, axes="cyx")) is None


def test_films_are_not_drawn_and_no_answer_is_said() -> None:
    film = Case("x", {"image": Image.from_array(np.zeros((2, 4, 4), np.uint8), axes="tyx")})
    assert picture(film, NotEvaluated("why")) is None
    case = Case("x", {"image": Image.from_array(np.zeros((4, 4), np.uint8))})
    drawn = picture(case, NotEvaluated("why"))
    assert drawn is not None and "why" in drawn.text


def test_numbers_are_said_beside_the_truth() -> None:
    image = Image.from_array(np.zeros((4, 4), np.uint8))
    case = Case("x", {"image": image}, load_truth=lambda: Values.truth("age", 63.0, "years"))
    for answer, words in (
        (Values({"age": Value(60.0, "years", 50.0, 70.0)}), "age: truth 63.00; answer 60.00 (50.00 to 70.00) years"),
        (Values({"age": Value(60.0)}), "age: truth 63.00; answer 60.00"),
        (Values({"weight": Value(80.0)}), "age: truth 63.00; no answer"),
    ):
        drawn = picture(case, answer)
        assert drawn is not None and drawn.text == words


def test_worst_median_and_best(squares: Cases, sizes: Cases) -> None:
    for task, cases in (("segment/histogram", squares), ("classify/linear", sizes)):
        method = resolve(task)
        trained = iso.train(method.task, cases, method=method.method, threads=1)
        scores = iso.evaluate(trained, cases)
        drawn = pictures_of(trained.method, scores, cases=cases)
        assert [p.rank for p in drawn] == ["worst", "median", "best"] and len({p.case for p in drawn}) == 3
        assert all(p.text for p in drawn)
    assert curves_of(scores, sizes)[0].roc is not None
    assert pictures_of(method, scores, cases=sizes) == (), "nobody has learnt yet"


def test_curves_are_for_classes(squares: Cases) -> None:
    assert curves_of(iso.evaluate("segment/histogram", squares, threads=1), squares) == ()


def test_a_certain_answer_is_worded() -> None:
    case = Case("x", {"image": Image.from_array(np.zeros((4, 4), np.uint8))},
                load_truth=lambda: Probabilities.truth(("a", "b"), ["a"]))
    drawn = picture(case, Probabilities(("a", "b"), (0.25, 0.75)))
    assert drawn is not None and drawn.text == "truth: a; answer: b (0.750)"


def test_augmented_samples(squares: Cases) -> None:
    pytest.importorskip("torch")
    settings = {"study.epochs": 1, "study.steps": 1, "study.patch": [16, 16], "width": 4, "study.batch_size": 2}
    trained = iso.train("segment", squares, settings=settings, threads=1)
    drawn = samples_of(trained.method, squares, seed=0)
    assert len(drawn) == 16 and all(p.image.shape == (16, 16) and p.truth is not None for p in drawn)
    assert samples_of(resolve("segment/histogram"), squares, seed=0) == ()
    films = replace(squares, entries=tuple(
        replace(e, open=lambda: Case.of(Image.from_array(np.zeros((2, 16, 16)), axes="tyx"))) for e in squares.entries
    ))
    assert samples_of(trained.method, films, seed=0) == ()


def test_cases_are_chosen_at_the_target_that_the_table_leads_with():
    from isocenter.data import CaseScore, Score, Scores
    from isocenter.verbs._pictures import _case_text, _worth_drawing

    def one(name, organ, lesion, union):
        values = {"organ": organ, "lesion": lesion}
        return CaseScore(name, name, {"dice": {"values": values, "union": union}})

    cases = (one("a", 0.9, 0.1, 0.95), one("b", 0.8, 0.8, 0.80), one("c", 0.7, 0.7, 0.90))
    dice = {t: Score(0.5, None, None, 3) for t in ("organ", "lesion", "foreground", "all")}
    scores = Scores("segment", "m", "test", {"dice": dice}, cases, 3)
    assert _worth_drawing(scores)["worst"] == "a" and _worth_drawing(scores, "foreground")["worst"] == "b"
    assert _case_text(scores, "b", "foreground") == "dice 0.8" or _case_text(scores, "b", "foreground") == "dice 0.800"
