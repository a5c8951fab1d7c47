"""Methods whose recipe is all there is, written down and back."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from isocenter.data import Before, knob
from isocenter.errors import RecipeError
from isocenter.tasks._settled import Settled
from isocenter.tasks.detect.clusters import Clusters
from isocenter.tasks.detect.region_growing import RegionGrowing
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.threshold import Threshold


@dataclass(frozen=True)
class Level(Settled):
    """A level in a channel."""

    level: float = knob(0.5, "the level", low=0.0, high=1.0)
    before: Before = knob(Before, "channel")


@pytest.mark.parametrize(
    "made",
    [Level(0.25, Before(channel="red")), Clusters(reach=4.0, bright=False), RegionGrowing(apart=0.7),
     Histogram(levels=3), Threshold(at=2.0)],
)  # fmt: skip
def test_it_comes_back_as_its_recipe(made: Settled) -> None:
    said = json.loads(json.dumps(made.about))
    assert set(said) == {"recipe"}
    assert made.state() == {}
    again = type(made).from_state(said, made.state())
    assert type(again) is type(made)
    assert again == made


def test_a_recipe_that_no_method_has_is_refused() -> None:
    with pytest.raises(RecipeError, match="unknown field"):
        Level.from_state({"recipe": {"levle": 0.1}}, {})
    with pytest.raises(RecipeError, match="out of range"):
        Level.from_state({"recipe": {"level": 2.0}}, {})
