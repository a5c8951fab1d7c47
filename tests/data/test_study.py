"""Shared recipe values stay small and described."""

import dataclasses

import pytest

from isocenter.data import (
    After,
    Augment,
    Before,
    Intensity,
    Pretraining,
    Spatial,
    Study,
    knobs,
    merged,
    pretraining_of,
)
from isocenter.tasks.segment.deeplab import DeepLab
from isocenter.tasks.segment.fcn import FCN
from isocenter.tasks.segment.unet import UNet


@pytest.mark.parametrize("cls", [After, Augment, Before, Intensity, Spatial, Study])
def test_at_most_seven_fields_each_with_text_and_left_to_the_plan(cls: type) -> None:
    assert len(dataclasses.fields(cls)) <= 7
    for k in knobs(cls):
        # No plan hardens a network by itself: it costs accuracy.
        assert k.text and (k.default is None or "adversarial." in k.name)


def test_pretraining_is_asked_for_in_the_recipe_or_in_its_form() -> None:
    assert len(dataclasses.fields(Pretraining)) <= 7 and all(k.text for k in knobs(Pretraining))
    assert pretraining_of(merged(UNet(), {"form.pretraining.epochs": 3})) == Pretraining(epochs=3)
    assert pretraining_of(merged(DeepLab(), {"pretraining.share": 0.7})).share == 0.7
    assert pretraining_of(FCN()) == pretraining_of(object()) == Pretraining() and not Pretraining().epochs
