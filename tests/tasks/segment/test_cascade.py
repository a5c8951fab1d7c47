from __future__ import annotations

import json

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated, Watch, build
from isocenter.errors import BundleError, RecipeError
from isocenter.simulate import cohort
from isocenter.tasks.segment.cascade import Cascade, FittedCascade

LITTLE = {"study.epochs": 6, "study.steps": 6, "study.batch_size": 4, "study.learning_rate": 0.01, "width": 6}
BRIEF = {f"{stage}.{name}": value for stage in ("coarse", "fine") for name, value in LITTLE.items()}


@pytest.fixture(scope="module")
def cases() -> Cases:
    return cohort(16, seed=0, shape=(64, 64))


@pytest.fixture(scope="module")
def two(cases: Cases) -> FittedCascade:
    recipe = build(Cascade, BRIEF | {"side": 32})
    return recipe.fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))


def test_the_answer_lies_in_the_region_of_the_first_stage(cases: Cases, two: FittedCascade) -> None:
    overlaps = []
    for case in cases.split("test"):
        found, truth = two.predict(case), case.truth()
        assert found.names == truth.names
        assert found.geometry == case.image().geometry
        a, b = found.labels > 0, truth.labels > 0
        overlaps.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert np.mean(overlaps) > 0.6
    assert two.about["side"] == 32
    assert two.stages[0].about["classes"] == ["background", "foreground"]
    assert two.stages[1].about["plan"]["classes"] == ["background", "organ", "lesion"]


def test_the_second_stage_learns_two_tasks_and_answers_one(cases: Cases, two: FittedCascade) -> None:
    coarse, fine = (stage.about["scheme"]["network"] for stage in two.stages)
    assert "distance" not in coarse and fine["distance"] is True
    assert "second head" in two.about["origins"]["network.distance"]
    assert not {"deep", "distance"} & set(two.stages[1].about["network"])
    assert not [name for name in two.state() if "aux." in name]
    # Three classes, without a map of distances.
    assert two.state()["fine.vector/output"].shape[1] == 3
    # Who says otherwise is heard.
    for said in (True, False):
        assert build(Cascade, {"fine.form.distance": said})._fine().form.distance is said
    assert Cascade()._fine().form.distance is True and Cascade().fine.form.distance is None


def test_volumes_go_through_the_same_stages() -> None:
    volumes = cohort(5, seed=1, kind="ct-volume", shape=(8, 24, 20))
    recipe = build(Cascade, BRIEF | {"side": 16, "coarse.study.epochs": 1, "fine.study.epochs": 1})
    found = recipe.fit(volumes.split("train"), volumes.split("val"), watch=Watch(threads=1))
    assert found.stages[1].about["scheme"]["network"]["distance"] is True
    answer = found.predict(volumes[0])
    assert isinstance(answer, NotEvaluated) or answer.labels.shape == (8, 24, 20)


def test_probabilities_are_the_last_stages_and_background_outside(cases: Cases, two: FittedCascade) -> None:
    for case in cases.split("test"):
        found, plain = two.scored(case), two.predict(case)
        assert plain.scores is None and np.array_equal(found.labels, plain.labels)
        assert found.scores.shape == (3, *case.image().geometry.shape)
        assert np.allclose(found.scores.sum(axis=0), 1.0, atol=1e-5)
        # What is not of a region's largest part is background, however likely.
        cleared = found.scores.argmax(axis=0) != found.labels
        assert not found.labels[cleared].any() and cleared.mean() < 0.1


def test_a_bundle_holds_every_stage(cases: Cases, two: FittedCascade) -> None:
    about = json.loads(json.dumps(two.about))
    assert {"coarse.network.onnx", "fine.network.onnx"} <= set(two.state())
    again = Cascade.from_state(about, two.state())
    assert again.about == about
    for case in cases.split("test"):
        assert np.array_equal(again.predict(case).labels, two.predict(case).labels)
    with pytest.raises(BundleError, match="two or three stages"):
        Cascade.from_state(about | {"stages": about["stages"][:1]}, two.state())


def test_where_nothing_is_found_the_whole_image_is_looked_at(two: FittedCascade) -> None:
    found = two.predict(Case.of(Image.from_array(np.full((50, 70), -100, np.int16), spacing=(5.0, 5.0))))
    assert isinstance(found, NotEvaluated) or found.labels.shape == (50, 70)


def test_the_third_stage_sees_what_the_second_said(cases: Cases, tmp_path) -> None:
    small = {k: v for k, v in BRIEF.items() if "epochs" not in k} | {"coarse.study.epochs": 1, "fine.study.epochs": 1}
    said = []
    watch = Watch(threads=1, folder=tmp_path, report=said.append)
    recipe = build(Cascade, small | {"side": 16, "again": True})
    found = recipe.fit(cases.split("train"), cases.split("val"), watch=watch)
    assert len(found.stages) == 3
    assert [s.about["plan"]["channels"] for s in found.stages] == [1, 1, 2]
    assert {p.name for p in tmp_path.iterdir()} == {"0-coarse", "1-fine", "2-half", "3-half", "4-again"}
    assert max(p.share for p in said) <= 1.0
    case = cases.split("test")[0]
    again = Cascade.from_state(json.loads(json.dumps(found.about)), found.state())
    assert np.array_equal(again.predict(case).labels, found.predict(case).labels)


def test_what_cannot_be_is_refused(cases: Cases) -> None:
    with pytest.raises(RecipeError, match="no single plan"):
        Cascade().fit(cases.split("train"), cases.split("val"), watch=Watch(plan={}))
    assert Cascade(fine=build(type(Cascade().fine), {"study.epochs": 7})).study.epochs == 7
