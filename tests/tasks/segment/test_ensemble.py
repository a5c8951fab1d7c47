from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import After, Cases, NotEvaluated, Segmentation, Values, Watch, build
from isocenter.errors import BundleError, RecipeError
from isocenter.simulate import cohort
from isocenter.tasks.segment.cascade import Cascade
from isocenter.tasks.segment.ensemble import Ensemble, FittedEnsemble
from isocenter.tasks.segment.histogram import Histogram
from isocenter.tasks.segment.morphology import Morphology
from isocenter.tasks.segment.unet import UNet

BRIEF = {"unet.study.epochs": 1, "unet.study.steps": 3, "unet.study.batch_size": 2, "unet.width": 4}


@pytest.fixture(scope="module")
def cases() -> Cases:
    return cohort(16, seed=0, kind="ultrasound", shape=(32, 32))


@pytest.fixture(scope="module")
def three(cases: Cases) -> FittedEnsemble:
    return build(Ensemble, BRIEF).fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))


def test_seeds_give_other_networks_and_one_answer(cases: Cases, three: FittedEnsemble) -> None:
    assert len(three.members) == 3
    weights = [m.state()["weights/head.weight"] for m in three.members]
    assert not np.array_equal(weights[0], weights[1])
    case = cases.split("test")[0]
    found = three.predict(case)
    assert found.names == ("background", "lesion")
    assert found.geometry == case.image().geometry
    mean = np.mean([m.scored(case).scores for m in three.members], axis=0)
    assert np.allclose(three.scored(case).scores, mean, atol=1e-6)
    assert np.array_equal(found.labels, mean.argmax(0))


def test_its_spread_is_the_uncertainty_and_quality_is_expected_dice(cases: Cases, three: FittedEnsemble) -> None:
    case = cases.split("test")[0]
    spread, quality = three.spread(case), three.quality(case)
    assert spread.shape == case.image().shape
    assert 0 < float(spread.max()) <= 0.5
    assert isinstance(quality, Values)
    assert 0 <= quality.items["lesion"].number <= 1
    assert three.about["quality"]["n"] == len(cases.split("val"))


def test_a_bundle_holds_every_member(cases: Cases, three: FittedEnsemble) -> None:
    about = json.loads(json.dumps(three.about))
    again = Ensemble.from_state(about, three.state())
    assert again.about == about
    for case in cases.split("test"):
        assert np.array_equal(again.predict(case).labels, three.predict(case).labels)
    assert {"member0.network.onnx", "member2.network.onnx"} <= set(three.state())


def test_a_cascade_and_an_ensemble_are_members_too(cases: Cases, three: FittedEnsemble) -> None:
    brief = {f"{s}.{k.removeprefix('unet.')}": v for s in ("coarse", "fine") for k, v in BRIEF.items()}
    cascade = build(Cascade, brief | {"side": 16}).fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))
    both = Ensemble(members=(cascade, three)).fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))
    again = Ensemble.from_state(json.loads(json.dumps(both.about)), both.state())
    case = cases.split("test")[0]
    assert np.array_equal(again.predict(case).labels, both.predict(case).labels)
    mean = (cascade.scored(case).scores + three.scored(case).scores) / 2
    assert np.allclose(both.scored(case).scores, mean, atol=1e-6)


def test_folds_stop_on_another_part_each(cases: Cases) -> None:
    recipe = build(Ensemble, BRIEF | {"folds": 2})
    found = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))
    assert len(found.members) == 2
    assert "quality" not in found.about
    with pytest.raises(RecipeError, match="more folds than groups"):
        build(Ensemble, BRIEF | {"folds": 20}).fit(cases.split("train"), cases.split("val"), watch=Watch())


def test_classical_methods_are_members_too(cases: Cases) -> None:
    recipe = Ensemble(members=(Histogram(), Morphology()), combine="staple", after=After(largest=True))
    assert isinstance(recipe.predict(cases[0]), Segmentation)
    found = recipe.fit(cases.split("train"), cases.split("val"))
    assert [type(m) for m in found.members] == [Histogram, Morphology]
    answer = found.predict(cases.split("test")[0])
    assert answer.names == ("background", "lesion")
    from scipy import ndimage

    assert ndimage.label(answer.labels, np.ones((3, 3)))[1] <= 1
    again = Ensemble.from_state(json.loads(json.dumps(found.about)), found.state())
    assert again.members == found.members
    assert np.array_equal(again.predict(cases[0]).labels, found.predict(cases[0]).labels)


def test_what_cannot_be_is_refused(cases: Cases) -> None:
    with pytest.raises(RecipeError, match="neither answers nor learns"):
        Ensemble(members=(3,))
    with pytest.raises(RecipeError, match="one network"):
        Ensemble(after=After(overlap=0.5))
    with pytest.raises(RecipeError, match="trained first"):
        Ensemble().predict(cases[0])
    with pytest.raises(RecipeError, match="trained first"):
        Ensemble(members=(UNet(), Histogram())).predict(cases[0])
    with pytest.raises(RecipeError, match="no single plan"):
        Ensemble().fit(cases.split("train"), cases.split("val"), watch=Watch(plan={}))

    class Foreign:
        def predict(self, case: object) -> NotEvaluated:
            return NotEvaluated("nothing")

    made = FittedEnsemble({"recipe": {"combine": "mean"}}, (Foreign(),))
    assert made.predict(cases[0]) == NotEvaluated("nothing")
    assert made.spread(cases[0]) == made.quality(cases[0]) == made.scored(cases[0]) == NotEvaluated("nothing")
    with pytest.raises(BundleError, match="no method of isocenter"):
        made.state()


def test_a_killed_run_goes_on_with_the_same_members(cases: Cases, tmp_path) -> None:
    recipe = build(Ensemble, BRIEF | {"seeds": 2})
    said = []
    watch = Watch(folder=tmp_path, threads=1, report=said.append)
    first = recipe.fit(cases.split("train"), cases.split("val"), watch=watch)
    assert {p.name for p in tmp_path.iterdir()} == {"member0", "member1"}
    shares = [p.share for p in said]
    assert min(shares) >= 0
    assert max(shares) <= 1.0
    assert any(p.what.startswith("member 2/2") for p in said)
    again = recipe.fit(cases.split("train"), cases.split("val"), watch=Watch(folder=tmp_path, threads=1, resume=True))
    for a, b in zip(first.members, again.members, strict=True):
        assert np.array_equal(a.state()["network.onnx"], b.state()["network.onnx"])
