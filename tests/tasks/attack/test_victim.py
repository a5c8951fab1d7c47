"""What an attack is shown, and what cannot be attacked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from isocenter.data import Boxes, Case, Cases, Image, NotEvaluated, Probabilities, Segmentation
from isocenter.errors import InputError, LabelError, RecipeError
from isocenter.tasks.attack._victim import aimed, differentiable, victim, wrong
from isocenter.tasks.segment.histogram import Histogram


def test_scores_at_the_image_are_what_prediction_decides(classifier: Any, classified: Cases) -> None:
    for case in classified.split("test"):
        found = victim(classifier, case, name="pgd")
        assert found.span == (0.0, 255.0) and found.whole
        assert float(found.x.min()) >= 0 and float(found.x.max()) <= 1
        label = found.inside.classes[int(found.answers(found.x)[0].argmax())]
        assert (label,) == found.before.decision
        assert found.aim == case.truth()


def test_without_a_truth_the_answer_is_the_aim(classifier: Any, classified: Cases) -> None:
    case = replace(classified.split("test")[0], load_truth=None)
    found = victim(classifier, case, name="pgd")
    assert found.aim == found.before and not wrong(found.before, found.aim)


def test_labels_reach_the_networks_numbers_and_its_grid(segmenter: Any, outlined: Cases) -> None:
    case = outlined.split("test")[0]
    truth = case.truth()
    labels = np.where(truth.labels == 1, 1, 0).astype(np.uint8)
    labels[0] = 255
    other = Segmentation(labels, ("background", "foreground"), truth.geometry)
    found = victim(segmenter, replace(case, load_truth=lambda: other), name="pgd")
    aim = found.truth()
    assert aim.shape[1:] == found.answers(found.x).shape[2:] and aim.dtype == torch.int64
    assert int((aim == 1).sum()) == pytest.approx(int((labels == 1).sum()), abs=2)
    assert int((aim == 255).sum()) >= 24


def test_what_a_file_keeps_stays_in_the_budget(classifier: Any, classified: Cases) -> None:
    found = victim(classifier, classified.split("test")[0], name="pgd")
    x = (found.x + 0.011 * torch.randn(found.x.shape)).clamp(0, 1)
    kept = found.stored(norm="linf", radius=2.6 / 255)(x)
    levels = (kept - found.x) * 255
    assert float((levels - levels.round()).abs().max()) < 1e-3
    assert float(levels.abs().max()) == pytest.approx(2, abs=1e-3)
    made = found.perturbed(levels[0].numpy().round(), method="pgd", norm="linf", epsilon=2.6 / 255, queries=3.0)
    assert made.largest == 2 and made.checks == {"queries": 3.0} and made.unit == "grey levels"


def test_a_class_that_the_network_does_not_know(classifier: Any, classified: Cases) -> None:
    strange = Probabilities.truth(("bright", "striped"), ["striped"])
    found = victim(classifier, replace(classified[0], load_truth=lambda: strange), name="pgd")
    with pytest.raises(LabelError, match="striped"):
        found.truth()


def test_only_networks_have_gradients_and_the_way_out_is_named() -> None:
    with pytest.raises(RecipeError, match="square, which takes any predictor"):
        differentiable(Histogram(), "pgd")
    with pytest.raises(RecipeError, match="of="):
        differentiable(None, "pgd")


def test_a_network_that_hides_its_input_is_refused(classifier: Any, classified: Cases) -> None:
    class Hidden:
        def opened(self) -> Any:
            return replace(classifier.opened(), through=None)

        def predict(self, case: Case) -> Any:
            return classifier.predict(case)

    with pytest.raises(RecipeError, match="square"):
        victim(Hidden(), classified[0], name="pgd")


def test_images_that_cannot_be_seen(classifier: Any) -> None:
    volume = Case.of(Image.from_array(np.zeros((3, 24, 24), np.uint8)))
    with pytest.raises(InputError, match="2 axes"):
        victim(classifier, volume, name="pgd")
    broken = Case.of(Image.from_array(np.full((24, 24), np.nan)))
    assert isinstance(victim(classifier, broken, name="pgd"), NotEvaluated)


def test_answers_of_other_kinds_are_not_attacked(classified: Cases) -> None:
    case = classified[0]
    boxes = Boxes(np.zeros((0, 2, 2)), np.zeros(0, np.uint8), ("a",), case.image().geometry)
    with pytest.raises(LabelError, match="Boxes"):
        aimed(case, boxes, name="pgd")
