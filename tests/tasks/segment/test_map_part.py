from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Boxes
from isocenter.errors import BundleError
from isocenter.tasks.explain.centre import Centre
from isocenter.tasks.explain.occlusion import Occlusion
from isocenter.tasks.segment._map_part import arrays_of, known, plain_settings, read, told
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.locate import Locate


def test_an_explanation_and_what_it_explains_come_back():
    part = Occlusion(of=Histogram(levels=3, target=-1), patch=(4, 4), stride=2, fill="blur")
    again = read(json.loads(json.dumps(told(part))), arrays_of(part))
    assert again == part
    assert read(told(Centre()), arrays_of(Centre())) == Centre() and arrays_of(Centre()) == {}


def test_arrays_stand_under_what_is_explained():
    class Holds(Histogram):
        def state(self):
            return {"w": np.ones(2)}

    assert list(arrays_of(Occlusion(of=Holds()))) == ["of.w"]


@pytest.mark.parametrize("name", ["os:system", "isocenter.data:Boxes", "isocenter.tasks.explain.occlusion:nothing", ""])
def test_a_bundle_calls_nothing_but_ours(name):
    with pytest.raises(BundleError, match="no method of isocenter"):
        known(name)


def test_foreign_parts_are_not_written():
    class Mine:
        of = None

    with pytest.raises(BundleError):
        told(Mine())
    assert Boxes is not None


def test_the_recipe_without_its_part():
    settings = plain_settings(Locate(of=Centre(), height=0.5))
    assert settings["of"] is None and settings["height"] == 0.5
