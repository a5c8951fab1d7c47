"""Maps of weights as an explanation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Attribution, Case, Cases, Image, NotEvaluated
from isocenter.errors import NotFoundError, RecipeError
from isocenter.tasks.classify.linear import Linear
from isocenter.tasks.classify.voxels import FittedVoxels, Voxels
from isocenter.tasks.explain.weights import Weights


@pytest.fixture(scope="module")
def cases() -> Cases:
    x = np.random.default_rng(0).normal(100, 5, (24, 8, 9))
    x[1::2, 2:5, 3:6] += 10
    return Cases.from_arrays(list(x), np.arange(24) % 2, splits=["train"] * 16 + ["val"] * 8, classes=["no", "yes"])


@pytest.fixture(scope="module")
def fitted(cases: Cases) -> FittedVoxels:
    return Voxels(permutations=0).fit(cases.split("train"), cases.split("val"))


@pytest.mark.parametrize("kind", ["weights", "pattern", "contribution"])
def test_a_map_lies_on_the_cases_own_grid(cases: Cases, fitted: FittedVoxels, kind: str) -> None:
    found = Weights(of=fitted, kind=kind, target="yes").predict(cases[1])
    assert isinstance(found, Attribution) and found.method == kind
    assert found.values.shape == (8, 9)
    inside = found.values[2:5, 3:6].mean()
    assert inside > 3 * np.abs(np.delete(found.values, slice(2, 5), axis=0)).mean()


def test_it_answers_no_other_grid_and_no_unknown_class(cases: Cases, fitted: FittedVoxels) -> None:
    assert isinstance(Weights(of=fitted).predict(Case.of(Image.from_array(np.zeros((8, 10))))), NotEvaluated)
    with pytest.raises(NotFoundError, match="yes"):
        Weights(of=fitted, target="yess").predict(cases[0])


def test_methods_without_weights_on_voxels_are_refused(cases: Cases) -> None:
    with pytest.raises(RecipeError, match="voxels"):
        Weights()
    linear = Linear(size=4).fit(cases.split("train"), cases.split("val"))
    with pytest.raises(RecipeError, match="occlusion"):
        Weights(of=linear)


def test_from_training_to_the_map_on_disk(cases: Cases, tmp_path: Path) -> None:
    made = iso.train("classify", cases, method="voxels", settings={"permutations": 19}, out=tmp_path / "v.bundle")
    assert any("p = 0.05 by 19 permutations" in line for line in made.notes)
    seen = iso.explain(tmp_path / "v.bundle", cases[1], method="weights", settings={"kind": "pattern"},
                       out=tmp_path / "why", checks=False)
    assert seen.found.method == "pattern" and any(f.suffix == ".npy" for f in seen.files)
