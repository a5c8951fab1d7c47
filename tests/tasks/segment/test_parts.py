"""Methods that hold other methods, written down and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Cases, Image, NotEvaluated, Segmentation, Watch
from isocenter.errors import BundleError, RecipeError
from isocenter.tasks.segment import _parts
from isocenter.tasks.segment._start import Start
from isocenter.tasks.segment.genetic import Genetic
from isocenter.tasks.segment.graph_cut import GraphCut
from isocenter.tasks.segment.greedy import Greedy
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.region_growing import RegionGrowing
from isocenter.verbs.load import load


class Foreign:
    def predict(self, case: Case) -> NotEvaluated:
        return NotEvaluated("no")


def both(network: Any) -> RegionGrowing:
    return RegionGrowing(on=network, start=Start(region=Histogram(levels=2, target=1)), tolerance=2.5)


def test_parts_are_found_wherever_they_stand(disc_bundle: Path) -> None:
    network = load(disc_bundle)
    found = _parts.parts(both(network))
    assert found == {"on": network, "start.region": Histogram(levels=2, target=1)}
    assert _parts.parts(RegionGrowing()) == {}


def test_a_method_comes_back_with_its_parts(disc_bundle: Path) -> None:
    method = both(load(disc_bundle))
    about = json.loads(json.dumps(_parts.about(method)))
    arrays = _parts.state(method)
    assert "on.network.onnx" in arrays
    kept = json.dumps(about)
    again = _parts.restored(RegionGrowing, about, arrays)
    assert json.dumps(about) == kept, "what it was made from is left alone"
    assert again.start == method.start and again.tolerance == 2.5
    case = Case.of(Image.from_array(np.pad(np.full((20, 20), 200, np.uint8), 15, constant_values=40)))
    assert np.array_equal(again.predict(case).labels, method.predict(case).labels)


def test_a_bundle_carries_its_parts_whole(disc_bundle: Path, tmp_path: Path) -> None:
    method = both(load(disc_bundle))
    write(method, tmp_path / "grown", task="segment", method="region_growing")
    bundle = open_bundle(tmp_path / "grown")
    again = RegionGrowing.from_state(bundle.about["about"], state(bundle))
    case = Case.of(Image.from_array(np.pad(np.full((12, 12), 180, np.uint8), 9, constant_values=30)))
    assert again.predict(case).labels.sum() == method.predict(case).labels.sum() > 100
    assert load(tmp_path / "grown").tolerance == 2.5


def test_without_parts_the_recipe_is_all() -> None:
    method = RegionGrowing(tolerance=3.0, rule="seeds")
    assert set(_parts.about(method)) == {"recipe"} and _parts.state(method) == {}
    assert _parts.restored(RegionGrowing, _parts.about(method), {}) == method


@pytest.mark.parametrize("cls", [RegionGrowing, Greedy, GraphCut, Genetic])
def test_a_composed_method_is_written_down_with_its_parts_and_comes_back(cls: type[_parts.Composed]) -> None:
    made = cls(on=Histogram(levels=3, target=-1), name="lesion")
    assert made.about == _parts.about(made) and set(made.about["parts"]) == {"on"}
    again = cls.from_state(json.loads(json.dumps(made.about)), made.state())
    assert type(again) is cls and again == made


def test_a_part_of_another_programs_is_no_part_of_a_bundle() -> None:
    with pytest.raises(RecipeError, match="on: the part cannot be kept"):
        _parts.state(RegionGrowing(on=Foreign()))


@pytest.mark.parametrize("name", ["os:system", "isocenter.tasks.segment.unet:knob", "isocenter.verbs.load:load", 4])
def test_a_bundle_calls_nothing_but_methods_of_the_folder(name: Any) -> None:
    about = {"recipe": {}, "parts": {"on": {"class": name, "about": {}}}}
    with pytest.raises(BundleError, match="no method of isocenter"):
        _parts.restored(RegionGrowing, about, {})


@dataclass(frozen=True)
class Above:
    """Learns its level as the least value of train."""

    level: float | None = None

    def fit(self, train: Cases, valid: Cases, *, watch: Watch) -> Above:
        return replace(self, level=float(min(case.image().pixels().min() for case in train)))

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        image = case.image()
        return Segmentation((image.pixels() > self.level).astype(np.uint8), ("background", "x"), image.geometry)


def test_parts_that_learn_are_taught(disc_bundle: Path) -> None:
    train = Cases.from_arrays([np.eye(4) - i for i in range(3)], [np.eye(4, dtype=int)] * 3, task="segment")
    made = _parts.taught(RegionGrowing(on=Above(), start=Start(region=Above())), train, train, watch=Watch())
    assert made.on == made.start.region == Above(-2.0)
    network = RegionGrowing(on=load(disc_bundle))
    assert _parts.taught(network, train, train, watch=Watch()).on is network.on, "what is fitted is left alone"
