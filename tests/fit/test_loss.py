from __future__ import annotations

import pytest

from isocenter.data import merged
from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.loss import loss_name
from isocenter.fit.planning import plan
from isocenter.tasks.segment.fcn import FCN
from isocenter.tasks.segment.unet import Form, UNet


def test_the_recipe_decides_wherever_it_says_so(discs) -> None:
    found = fingerprint(discs(), "segment")
    for recipe in (UNet(form=Form(loss="tversky+focal")), FCN(loss="tversky + focal")):
        origins: dict[str, str] = {}
        assert loss_name(recipe, found, origins) == "tversky+focal"
        assert origins == {"loop.loss": "recipe"}


def test_the_usual_loss_stands_in_the_plan(discs) -> None:
    made = plan(UNet(), fingerprint(discs(), "segment"))
    assert made.loop.loss == "dice+cross_entropy"
    assert made.origins["loop.loss"].startswith("fingerprint: regions hold 1")
    assert "px across" in made.origins["loop.loss"]


def test_an_unknown_loss_is_refused_before_anything_is_trained(discs) -> None:
    with pytest.raises(RecipeError, match="Did you mean boundary"):
        plan(merged(UNet(), {"form.loss": "dice+boundry"}), fingerprint(discs(), "segment"))
