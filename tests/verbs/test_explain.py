from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Attribution, Case, Cases, Image, NotEvaluated
from isocenter.errors import NotFoundError, OutputError, RecipeError, UsageError
from isocenter.verbs._method import Method
from isocenter.verbs.explain import explain, outside_of, usual


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, sizes: Cases) -> Path:
    """A small network that tells large squares from small ones."""
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("network") / "sizes.bundle"
    settings = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 4}
    iso.train("classify", sizes, method="cnn", settings=settings, out=out, threads=1)
    return out


def test_a_map_on_the_cases_own_grid_and_its_files(network: Path, discs_folder: Path, tmp_path: Path) -> None:
    path = discs_folder / "images" / "case00.png"
    made = explain(network, path, out=tmp_path / "out", threads=1)
    assert isinstance(made.found, Attribution) and made.found.values.shape == (48, 48)
    assert sorted(f.suffix for f in made.files) == [".html", ".json", ".npy", ".png"]
    assert all(f.is_file() for f in made.files)
    document = json.loads(json.dumps(made.as_json(), allow_nan=False))
    assert document["target"] in ("large", "small") and document["kind"] == "grad-cam"
    assert json.loads((tmp_path / "out" / "case00_grad-cam.json").read_text()) == document
    assert set(document["checks"]) == {"answer", "deletion", "deletion_random", "insertion", "insertion_random",
                                       "randomised"}
    assert len(document["curves"]["deletion"]["shares"]) == len(document["curves"]["deletion"]["answers"])
    page = (tmp_path / "out" / "case00_grad-cam.report" / "report.html").read_text()
    assert "Weights drawn anew" in page and "case00" not in page
    assert "src=" not in page and "<script" not in page
    assert any("deletion: area" in line for line in made.lines())
    with pytest.raises(OutputError):
        explain(network, path, out=tmp_path / "out")


def test_without_checks_the_map_alone(network: Path, sizes: Cases) -> None:
    made = explain(network, sizes[0], checks=False, threads=1)
    assert made.as_json()["checks"] == {} and made.said == ""


def test_any_method_is_explained_by_occlusion(squares: Cases, tmp_path: Path) -> None:
    case = squares[0]
    made = explain("segment/histogram", case, method="occlusion", settings={"patch": 6, "stride": 6}, out=tmp_path)
    assert made.found.target == "foreground" and "randomised" not in made.found.checks
    numbers = made.as_json()["checks"]
    assert numbers["pointing_game"] == 1.0 and numbers["iou_same_size"] > 0.1, "the case knows its mask"
    page = (tmp_path / f"{case.id}_occlusion.report" / "report.html").read_text()
    assert "the highest pixel lies in the truth" in page and "outline of the truth" in page


def test_unasked_each_method_is_explained_by_what_suits_it(network: Path, sizes: Cases) -> None:
    assert explain(network, sizes[0], checks=False, threads=1).method == "gradients"
    assert explain("segment/histogram", sizes[0], checks=False, threads=1).method == "occlusion"
    own = {m: usual(Method("x", "classify", m, object())) for m in ("fusion", "attributes", "autoencoder", "voxels")}
    assert own == {"fusion": "modalities", "attributes": "attributes", "autoencoder": "reconstruction",
                   "voxels": "weights"}


def test_a_mask_in_a_file_is_the_truth(network: Path, discs_folder: Path) -> None:
    path, mask = discs_folder / "images" / "case00.png", discs_folder / "masks" / "case00.png"
    made = explain(network, path, truth=mask, checks=False, threads=1)
    assert set(made.as_json()["checks"]) == {"pointing_game", "iou_same_size"}
    assert any("pointing game" in line for line in made.lines())


def test_settings_of_the_explanation(network: Path, sizes: Cases) -> None:
    made = explain(iso.load(network), sizes[0], settings={"kind": "integrated-gradients", "target": "small"})
    assert isinstance(made.found, Attribution) and made.found.target == "small"
    assert made.found.completeness is not None and made.found.completeness < 0.1 and made.files == ()
    assert np.isfinite(made.found.values).all()


def test_an_image_outside_the_envelope_has_no_answer_to_explain(squares: Cases) -> None:
    class Narrow:
        def refused(self, image: Image) -> NotEvaluated | None:
            return NotEvaluated("another modality") if image.pixels().max() > 200 else None

    asked = Method("m", "classify", "m", object(), envelope=Narrow())
    bright = Case.of(Image.from_array(np.full((4, 4), 255, np.uint8)))
    assert outside_of(asked, bright).reason == "another modality"
    assert outside_of(asked, Case.of(Image.from_array(np.zeros((4, 4), np.uint8)))) is None
    assert outside_of(asked, Case("facts", {})) is None
    assert outside_of(Method("m", "classify", "m", object()), bright) is None


def test_what_cannot_be_explained(network: Path, disc_bundle: Path, sizes: Cases) -> None:
    with pytest.raises(UsageError, match=r"no gradients.*occlusion.*shapley"):
        explain("segment/histogram", sizes[0], method="gradients")
    with pytest.raises(UsageError, match="must be trained first"):
        explain("classify/cnn", sizes[0])
    for typo, meant in (("gradints", "gradients"), ("integrated", "integrated-gradients"), ("grad-cem", "grad-cam")):
        with pytest.raises(NotFoundError, match=f"no explanation.*Did you mean {meant}"):
            explain(network, sizes[0], method=typo)
    with pytest.raises(RecipeError, match="Did you mean target"):
        explain(network, sizes[0], settings={"taget": "small"})


def test_boxes_and_objects_are_not_explained(tmp_path):
    from isocenter.simulate import cohort

    case = cohort(8, seed=0, kind="cells", task="instances", shape=(32, 32))[0]
    with pytest.raises(UsageError, match="only answers that are classes"):
        iso.explain("instances/watershed_split", case, out=tmp_path / "why")
    assert not (tmp_path / "why").exists()
