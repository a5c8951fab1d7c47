"""Shares of facts, feature maps and exciting patches as values, words and files."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import isocenter as iso
from isocenter.data import Case, Cases, Image, Probabilities
from isocenter.data.findings.contributions import Contributions
from isocenter.data.findings.feature_maps import FeatureMaps
from isocenter.errors import OutputError, UsageError
from isocenter.verbs._explanation_other import document, excite, files_of, grid_of, told
from isocenter.verbs.explain import explain


@dataclass(frozen=True)
class ByAge:
    def predict(self, case: Case) -> Probabilities:
        p = float(np.clip((case.facts.get("age") or 0) / 100, 0, 1))
        return Probabilities(("ill", "well"), (p, 1 - p))


def aged(age: float) -> Case:
    return Case("p1", {"image": Image.from_array(np.zeros((4, 4)))}, facts={"age": age, "crp": 3.0})


SHARES = Contributions({"age": 0.2, "crp": -0.3}, "ill", 0.4, 0.3, "shapley", {"age": 0.01, "crp": 0.02})
MAPS = FeatureMaps(np.random.default_rng(0).random((3, 5, 6)).astype(np.float32), (7, 2, 4), "layer4", 8)


def test_facts_in_words_and_values():
    assert document(SHARES)["contributions"] == {"age": 0.2, "crp": -0.3}
    lines = told(SHARES)
    assert lines[0] == "ill: 0.400 without these facts, 0.300 with them"
    text = "\n".join(lines)
    assert text.index("crp") < text.index("age") and "0.02" in text
    assert "exact" in "\n".join(told(Contributions({"age": 0.1}, "ill", 0.4, 0.5, "shapley")))
    files = files_of(SHARES, aged(1.0))
    assert list(files) == ["p1_shapley.json", "p1_shapley.svg"] and json.loads(files["p1_shapley.json"])["base"] == 0.4
    assert b"<svg" in files["p1_shapley.svg"]


def test_attributes_in_words():
    lines = told(Contributions({"oval (0.20)": -0.25, "spiculated (0.90)": 1.5}, "ill", 0.5, 1.75, "attributes"))
    assert lines[0] == "ill: log-odds 0.500 at the mean of train, 1.750 with these attributes"
    assert "log-odds" in lines[1] and lines[2].startswith("spiculated (0.90)") and "before calibration" in lines[-1]
    assert "fact" not in "\n".join(lines)


def test_modalities_in_words():
    lines = told(Contributions({"CT": -0.5, "PET": 1.5}, "ill", 0.0, 2.0, "drop-one"))
    assert lines[0] == "ill: log-odds 2.000 with all of them" and "each taken away alone" in lines[-1]
    assert "standard error" not in "\n".join(lines) and "modality" in lines[1]


def test_maps_in_words_and_files():
    assert document(MAPS) == {"kind": "feature maps", "layer": "layer4", "channels": [7, 2, 4], "total": 8}
    assert told(MAPS)[0].startswith("layer layer4: 3 of 8 channels")
    files = files_of(MAPS, aged(1.0))
    assert np.array_equal(np.load(io.BytesIO(files["p1_features.npy"])), MAPS.values)
    assert min(Pillow.open(io.BytesIO(files["p1_features.png"])).size) > 100
    volume = FeatureMaps(np.random.default_rng(0).random((2, 3, 5, 6)).astype(np.float32), (0, 1), "x", 2)
    case = Case.of(Image.from_array(np.random.default_rng(1).random((9, 10, 12))))
    assert Pillow.open(io.BytesIO(grid_of(volume, case))).size[0] > 300


def test_facts_by_the_verb(tmp_path: Path):
    made = explain(ByAge(), aged(60.0), method="shapley", out=tmp_path)
    assert made.found.items == pytest.approx({"age": 0.6, "crp": 0.0}) and made.found.target == "ill"
    assert made.as_json()["base"] == 0.0 and sorted(f.suffix for f in made.files) == [".html", ".json", ".svg"]
    page = made.files[-1].read_text(encoding="utf-8")
    assert made.files[-1].parent.name == "p1_shapley.report" and "What added to ill?" in page
    assert "+0.600" in page and "0.000 + 0.600 = 0.600" in page
    assert any("age" in line for line in made.lines())
    with pytest.raises(OutputError):
        explain(ByAge(), aged(60.0), method="shapley", out=tmp_path)
    empty = explain(ByAge(), Case("p2", {}), method="shapley", out=tmp_path)
    assert "no facts" in empty.as_json()["not_evaluated"] and empty.files == ()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, sizes: Cases) -> Path:
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("network") / "sizes.bundle"
    settings = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 4, "width": 4}
    iso.train("classify", sizes, method="cnn", settings=settings, out=out, threads=1)
    return out


def test_maps_and_patches_of_a_network(network: Path, sizes: Cases, tmp_path: Path):
    made = explain(network, sizes[0], method="features", settings={"most": 3}, out=tmp_path, threads=1)
    assert len(made.found.channels) == 3 and len(made.files) == 4 and all(f.is_file() for f in made.files)
    page = made.files[-1].read_text(encoding="utf-8")
    assert all(f"channel {c}" in page for c in made.found.channels) and sizes[0].id not in page
    found = excite(network, sizes, split="val", settings={"most": 3}, out=tmp_path / "excited", threads=1)
    document_ = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert len({row["channel"] for row in document_["patches"]}) == 3 and len(document_["patches"]) == 3 * 4
    assert all(f.is_file() for f in found.files) and "val" in found.lines()[0]
    values = [p.value for p in next(iter(found.patches.values()))]
    assert values == sorted(values, reverse=True)
    bare = excite(network, sizes, split="val", settings={"most": 1}, threads=1)
    assert bare.files == () and len(bare.patches) == 1


def test_what_has_no_inside_is_refused(squares: Cases):
    with pytest.raises(UsageError, match=r"no gradients.*occlusion"):
        excite("segment/histogram", squares)
    with pytest.raises(UsageError, match="no gradients"):
        explain("segment/histogram", squares[0], method="features")
