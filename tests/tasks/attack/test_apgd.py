"""Steps that set their own length, on both losses."""

from __future__ import annotations

from typing import Any

import pytest

from isocenter.data import Cases, build
from isocenter.errors import RecipeError
from isocenter.tasks.attack.apgd import Apgd
from isocenter.tasks.attack.pgd import Pgd


@pytest.mark.parametrize("loss", ["ce", "dlr"])
def test_it_alters_what_pgd_alters(classifier: Any, classified: Cases, loss: str) -> None:
    for case in list(classified.split("test"))[:3]:
        other = Pgd(of=classifier, epsilon=2 / 255).predict(case)
        made = Apgd(of=classifier, epsilon=2 / 255, loss=loss).predict(case)
        assert made.altered >= other.altered and made.largest <= 2 and made.method == "apgd"


@pytest.mark.parametrize("loss", ["ce", "dlr"])
def test_regions_too(segmenter: Any, outlined: Cases, loss: str) -> None:
    made = Apgd(of=segmenter, epsilon=10 / 255, loss=loss, steps=6).predict(outlined.split("test")[0])
    assert (made.after.labels == made.aim.labels).mean() < (made.before.labels == made.aim.labels).mean()


def test_recipes_that_cannot_be(classifier: Any) -> None:
    with pytest.raises(RecipeError, match="Did you mean dlr"):
        build(Apgd, {"of": classifier, "loss": "dlrr"})
    with pytest.raises(RecipeError, match="range"):
        Apgd(of=classifier, epsilon=1.5)
