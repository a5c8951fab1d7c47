"""Shared recipe values stay small and described."""

import dataclasses

import pytest

from isocenter.data import After, Augment, Before, Intensity, Spatial, Study, knobs


@pytest.mark.parametrize("cls", [After, Augment, Before, Intensity, Spatial, Study])
def test_at_most_seven_fields_each_with_text_and_left_to_the_plan(cls: type) -> None:
    assert len(dataclasses.fields(cls)) <= 7
    for k in knobs(cls):
        assert k.text and k.default is None
