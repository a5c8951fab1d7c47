"""One question to one predictor, as a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from isocenter.data import Attribution, Case, Geometry, Image, NotEvaluated, Probabilities, Segmentation
from isocenter.errors import InputError, NotFoundError
from isocenter.metrics.asked import asked, with_pixels


@dataclass(frozen=True)
class Says:
    answer: Any

    def predict(self, case: Case) -> Any:
        return self.answer(case) if callable(self.answer) else self.answer


def case(pixels: Any, axes: str | None = None) -> Case:
    return Case.of(Image.from_array(np.asarray(pixels), axes=axes))


def bright(case: Case) -> Segmentation:
    pixels = case.image().pixels()
    labels = (pixels > 5).astype(np.uint8) + (pixels > 50)
    return Segmentation(labels, ("background", "organ", "spot"), Geometry(pixels.shape))


def test_a_probability_is_the_answer():
    one = Says(Probabilities(("a", "b"), (0.3, 0.7)))
    question = asked(one, case(np.zeros((2, 2))))
    assert question.target == "b" and question.answer(case(np.zeros((2, 2)))) == 0.7
    assert asked(one, case(np.zeros((2, 2))), "a").answer(case(np.zeros((2, 2)))) == pytest.approx(0.3)
    assert asked(one, case(np.zeros((2, 2))), "not a").answer(case(np.zeros((2, 2)))) == pytest.approx(0.7)
    with pytest.raises(NotFoundError, match="no class 'not c'"):
        asked(one, case(np.zeros((2, 2))), "not c")
    with pytest.raises(NotFoundError, match="no class 'c'"):
        asked(one, case(np.zeros((2, 2))), "c")


def test_of_a_region_the_share_that_is_still_found():
    whole = case([[9, 9, 9, 9], [0, 0, 99, 0]])
    question = asked(Says(bright), whole)
    assert question.target == "organ" and question.region.sum() == 4
    assert question.answer(whole) == 1.0
    assert question.answer(case([[9, 0, 99, 9], [9, 9, 9, 9]])) == 0.5
    assert asked(Says(bright), whole, "spot").answer(case(np.zeros((2, 4)))) == 0.0


def test_no_answer_is_nothing():
    question = asked(Says(bright), case([[9, 0]]))
    silent = type(question)(Says(NotEvaluated("outside")), "organ", question.region)
    assert silent.answer(case([[9, 0]])) == 0.0
    assert asked(Says(NotEvaluated("outside")), case([[1, 1]])).reason == "outside"
    assert "no region" in asked(Says(bright), case([[0, 0]])).reason
    assert "no spot" in asked(Says(bright), case([[9, 0]]), "spot").reason


def test_other_findings_are_refused():
    map_ = Attribution(np.zeros((2, 2), np.float32), Geometry((2, 2)), "a", "x")
    with pytest.raises(InputError, match="only classes"):
        asked(Says(map_), case(np.zeros((2, 2))))


def test_other_pixels_take_the_images_own_type():
    image = case(np.zeros((3, 2, 2), np.uint8), "cyx")
    changed = with_pixels(image, np.full((3, 2, 2), 6.6))
    assert changed.image().pixels().dtype == np.uint8 and (changed.image().pixels() == 7).all()
    assert not image.image().pixels().any() and changed.image().axes == "cyx"
    two = Case("x", {"CT": case(np.zeros((2, 2))).image(), "PET": case(np.ones((2, 2))).image()}, lead="PET")
    assert (with_pixels(two, np.full((2, 2), 3.0)).image("PET").pixels() == 3).all()
    assert not with_pixels(two, np.full((2, 2), 3.0)).image("CT").pixels().any()


def test_an_envelope_refuses_the_image_but_not_its_changed_copies():
    @dataclass(frozen=True)
    class Enveloped:
        method: Any
        envelope: str = "of training"

        def predict(self, case: Case) -> Any:
            return NotEvaluated("outside") if case.image().pixels().max() > 8 else self.method.predict(case)

    inner = Says(Probabilities(("a", "b"), (0.3, 0.7)))
    assert asked(Enveloped(inner), case([[9.0, 1.0]])).reason == "outside"
    question = asked(Enveloped(inner), case([[1.0, 1.0]]))
    assert question.predictor is inner and question.answer(case([[9.0, 9.0]])) == 0.7
