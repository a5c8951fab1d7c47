from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isocenter import nets
from isocenter.bundle.tensors import packed
from isocenter.data import Cases, Watch, merged
from isocenter.errors import IsocenterError, RecipeError
from isocenter.simulate import cohort
from isocenter.tasks.segment.vgg_decoder import PATIENCE, VGGDecoder

QUICK = {"study.epochs": 6, "study.steps": 8, "study.batch_size": 4, "study.learning_rate": 0.01, "width": 8}


@pytest.fixture(scope="module")
def cases() -> Cases:
    return cohort(16, seed=1, shape=(48, 48))


def test_it_learns_and_comes_back_from_its_state(cases: Cases) -> None:
    found = merged(VGGDecoder(), QUICK).fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert max(row["score"] for row in found.about["history"]) > 0.4
    assert found.about["recipe"]["study"]["patience"] == PATIENCE
    again = VGGDecoder.from_state(found.about, found.state())
    for case in cases.split("test"):
        assert np.array_equal(again.predict(case).labels, found.predict(case).labels)


def test_it_stops_when_val_gets_no_better(cases: Cases) -> None:
    never = {"study.epochs": 9, "study.steps": 1, "study.batch_size": 2, "width": 4, "study.learning_rate": 1e-7}
    recipe = merged(VGGDecoder(), never | {"study.patience": 2})
    found = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch())
    assert "no better score" in found.about["stopped"]
    assert len(found.about["history"]) < 9


def test_a_frozen_encoder_keeps_the_weights_of_the_file(cases: Cases, tmp_path: Path) -> None:
    donor = nets.build({"name": "vgg_decoder", "rank": 2, "channels": 3, "outputs": 2, "width": 4, "seed": 9})
    published = {k: v.numpy() for k, v in donor.state_dict().items() if k.startswith("features.")}
    (tmp_path / "vgg.safetensors").write_bytes(packed(published))
    settings = {"weights": str(tmp_path / "vgg.safetensors"), "frozen": True, "width": 4, "study.epochs": 2,
                "study.steps": 2, "study.batch_size": 2}  # fmt: skip
    found = merged(VGGDecoder(), settings).fit(cases.split("train"), cases.split("val"), watch=Watch())
    state = found.state()
    for name, value in published.items():
        expected = value.sum(1, keepdims=True) if name == "features.0.weight" else value
        assert np.allclose(state[f"weights/{name}"], expected, atol=1e-6), name
    assert found.about["origins"]["network.weights"].startswith("recipe: sha256 ")


def test_what_cannot_be_is_refused(tmp_path: Path, cases: Cases) -> None:
    with pytest.raises(RecipeError, match="not frozen"):
        VGGDecoder(frozen=True)
    with pytest.raises(IsocenterError, match="no such file of weights"):
        VGGDecoder(weights=str(tmp_path / "none")).fit(cases.split("train"), cases.split("val"))
