"""Learning what a sequence is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Cases, Plan, merged
from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.sequence import QUESTION
from isocenter.infer.plans import flaws
from isocenter.tasks.classify.rnn import Rnn


def volumes(shape: tuple[int, ...] = (40, 20, 24), n: int = 8) -> Cases:
    rng = np.random.default_rng(0)
    return Cases.from_arrays(rng.normal(size=(n, *shape)), np.arange(n) % 2)


@pytest.mark.parametrize(
    ("median", "slices", "size"),
    [((40, 20, 24), None, (32, 20, 24)), ((6, 192, 96), None, (6, 96, 48)), ((6, 20, 24), 12, (12, 20, 24)),
     ((1, 20, 24), None, (2, 20, 24))],
)
def test_slices_and_their_plane(median: tuple[int, ...], slices: int | None, size: tuple[int, ...]) -> None:
    facts = replace(fingerprint(volumes((4, 20, 24)), "classify", head="sequence"), median=median, largest=median)
    scheme = plan(merged(Rnn(), {"slices": slices}), facts)
    assert scheme.plan.size == size and scheme.plan.spacing is None and scheme.study.patch == size
    assert scheme.plan.kind == "sequence" and scheme.plan.task == "classify" and flaws(scheme.plan) == []
    assert Plan.from_json(scheme.plan.as_json()) == scheme.plan


def test_spacing_of_the_recipe_wins() -> None:
    facts = fingerprint(volumes((6, 20, 24)), "classify", head="sequence")
    made = plan(merged(Rnn(), {"before.spacing": [2.0, 1.0, 1.0]}), facts)
    assert made.plan.spacing == (2.0, 1.0, 1.0) and made.plan.size is None


def test_the_network_is_that_of_the_recipe() -> None:
    facts = fingerprint(volumes((6, 20, 24)), "classify", head="sequence")
    scheme = plan(merged(Rnn(), {"cell": "lstm", "pooling": "max", "hidden": 8}), facts)
    assert {k: scheme.network[k] for k in ("name", "cell", "pooling", "hidden", "outputs")} == {
        "name": "recurrent", "cell": "lstm", "pooling": "max", "hidden": 8, "outputs": 2}
    assert scheme.loop.precision == "fp32"


def test_nothing_is_turned_out_of_its_slice() -> None:
    facts = fingerprint(volumes((6, 20, 24)), "classify", head="sequence")
    spatial = QUESTION.augment(facts, photo=False).spatial
    assert spatial.rotation == spatial.shear == (0.0, 0.0) and not spatial.flip


def test_images_of_two_axes_are_refused() -> None:
    facts = fingerprint(volumes((20, 24)), "classify", head="sequence")
    with pytest.raises(RecipeError, match="slices of volumes"):
        plan(Rnn(), facts)
