"""A registration that is learnt: from the recipe to a map between two images, and back from its bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

import isocenter as iso
from isocenter.catalog import find
from isocenter.data import (
    Case,
    Cases,
    Correspondence,
    Entry,
    Geometry,
    Image,
    NotEvaluated,
    Segmentation,
    Transform,
    Watch,
    as_settings,
    build,
    merged,
)
from isocenter.data.findings.transform import Field
from isocenter.errors import InputError, RecipeError
from isocenter.metrics.register import dice_record, folding_record
from isocenter.tasks.register._fitted import FittedField
from isocenter.tasks.register._pairing import Centred
from isocenter.tasks.register.dense_field import DenseField
from isocenter.tasks.register.intensity import Intensity
from isocenter.tasks.register.landmarks import Landmarks

WATCH = Watch(threads=1)
NAMES = ("background", "spot")
BRIEF = {"start": "centre", "width": 4, "study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "goal.window": 5,
         "refine": 25}  # fmt: skip


def pair(seed: int, *, rank: int = 2, regions: bool = True) -> Case:
    """A blob, and one like it elsewhere, in images of unlike size."""
    rng = np.random.default_rng(seed)
    images, masks = {}, []
    for role in ("fixed", "moving"):
        shape = tuple(int(n) for n in rng.integers(22, 27, rank))
        geometry = Geometry.from_spacing(shape, (1.5,) * rank)
        centre = np.array(shape) / 2 - 0.5 + rng.uniform(-2, 2, rank)
        away = ((np.indices(shape) - centre.reshape(-1, *(1,) * rank)) ** 2).sum(0)
        values = np.exp(-away / 25) + 0.02 * ndimage.gaussian_filter(rng.normal(size=shape), 1)
        images[role] = Image.from_array((rng.uniform(1, 9) * values).astype(np.float32), geometry=geometry)
        masks.append(Segmentation((away < 25).astype(np.uint8), NAMES, geometry))
    truth = Correspondence(masks[0].geometry, masks[1].geometry, regions=(masks[0], masks[1]))
    return Case(f"p{seed}", images, "fixed", load_truth=(lambda: truth) if regions else None)


def pairs(first: int, n: int, **about: object) -> Cases:
    entries = (Entry(f"p{i}", partial(pair, i, **about), f"s{i}") for i in range(first, first + n))
    return Cases(tuple(entries), "pairs", "register", NAMES[1:])


@cache
def fitted(rank: int) -> FittedField:
    return build(DenseField, BRIEF).fit(pairs(0, 4, rank=rank), pairs(50, 5, rank=rank), watch=WATCH)


def dice(answer: Transform | NotEvaluated, case: Case) -> float:
    return float(dice_record(answer, case.truth())["values"]["spot"])


@pytest.mark.parametrize("rank", [2, 3])
def test_the_answer_is_a_field_then_the_start_and_does_not_fold(rank: int) -> None:
    before, after = [], []
    for seed in (90, 91, 92):
        case = pair(seed, rank=rank)
        found = fitted(rank).predict(case)
        assert isinstance(found, Transform)
        assert found.fixed.same_grid(case.image("fixed").geometry)
        assert found.moving.same_grid(case.image("moving").geometry)
        assert isinstance(found.parts[0], Field) and len(found.parts) == 2
        assert folding_record(found, case.truth())["values"]["all"] == 0
        assert dict(found.evidence)["likeness"] > dict(found.evidence)["likeness_before"]
        before.append(dice(Centred().predict(case), case))
        after.append(dice(found, case))
    assert np.mean(after) > np.mean(before) + 0.05


@pytest.mark.parametrize("rank", [2, 3])
def test_it_comes_back_from_its_state_and_answers_the_same(rank: int) -> None:
    made, case = fitted(rank), pair(91, rank=rank)
    about = json.loads(json.dumps(made.about))
    assert about["recipe"]["network"] == "velocity" and about["recipe"]["start"] is None
    again = find("register", "dense_field").from_state(about, {k: v.copy() for k, v in made.state().items()})
    first, second, third = (m.predict(case) for m in (made, again, made))
    for other in (second, third):
        assert np.array_equal(first.parts[0].displacement, other.parts[0].displacement)
        assert first.evidence == other.evidence


def test_steps_of_optimisation_are_a_choice() -> None:
    made = fitted(2)
    plan = {**made.about["plan"], "settings": {**made.about["plan"]["settings"], "refine": 0}}
    alone = FittedField({**made.about, "plan": plan}, made.arrays)
    case = pair(92)
    found = alone.predict(case)
    assert np.abs(found.parts[0].displacement).max() < 1.0, "two steps of training say next to nothing"
    assert dict(found.evidence)["likeness"] < dict(made.predict(case).evidence)["likeness"]


def test_any_orientation_of_the_fixed_volume_gives_the_same_map() -> None:
    case = pair(93, rank=3)
    fixed = case.image("fixed")
    turned = fixed.replaced(
        lambda: fixed.pixels()[::-1].transpose(2, 1, 0), shape=fixed.shape[::-1],
        geometry=fixed.geometry.reoriented((2, 1, 0), (False, False, True)),
    )
    points = fixed.geometry.to_world(np.random.default_rng(0).uniform(4, 18, (30, 3)))
    first, second = (fitted(3).predict(replace(case, images={**case.images, "fixed": f})) for f in (fixed, turned))
    assert np.allclose(first.points(points), second.points(points), atol=1e-3)


def test_images_of_unknown_spacing_are_brought_together_in_pixels() -> None:
    known = pair(94)
    loose = {r: im.replaced(im.load, geometry=Geometry(im.geometry.shape)) for r, im in known.images.items()}
    made = build(DenseField, BRIEF | {"refine": 40}).fit(
        replace(pairs(0, 4), entries=tuple(Entry(f"u{i}", lambda: replace(known, images=loose, load_truth=None))
                                           for i in range(4))),
        replace(pairs(0, 5), entries=tuple(Entry(f"v{i}", lambda: replace(known, images=loose, load_truth=None))
                                           for i in range(5))), watch=WATCH)
    found = made.predict(replace(known, images=loose))
    assert found.fixed.unit == "px"
    there = made.predict(replace(known, images=loose)).indices(np.array([[12.0, 12.0]]))
    assert np.isfinite(there).all()
    start = Centred().predict(replace(known, images=loose))
    moved = [t.indices(t.sampled()[0]) for t in (found, start)]
    assert np.abs(moved[0] - moved[1]).max() > 0.2


def test_images_that_share_no_content_are_not_evaluated() -> None:
    made = fitted(2)
    plan = {**made.about["plan"], "settings": {**made.about["plan"]["settings"], "least": 0.2}}
    strict = FittedField({**made.about, "plan": plan}, made.arrays)
    rng = np.random.default_rng(0)
    noise = Image.from_array(rng.normal(size=(24, 24)).astype(np.float32), spacing=(1.5, 1.5))
    case = pair(95)
    found = strict.predict(replace(case, images={**case.images, "moving": noise}))
    assert isinstance(found, NotEvaluated) and "share too little" in found.reason
    assert isinstance(strict.predict(case), Transform)


def test_what_cannot_be_registered_says_so() -> None:
    case = pair(96)
    blank = case.image("moving").replaced(lambda: np.zeros(case.image("moving").shape, np.float32))
    found = fitted(2).predict(replace(case, images={**case.images, "moving": blank}))
    assert isinstance(found, NotEvaluated) and found.reason == "the moving image is blank"
    film = Image.from_array(np.zeros((3, 24, 24)), axes="tyx", spacing=(1.5, 1.5))
    with pytest.raises(InputError, match="film"):
        fitted(2).predict(replace(case, images={**case.images, "fixed": film}))
    with pytest.raises(InputError, match="2 axes"):
        fitted(2).predict(pair(96, rank=3))


def test_pairs_whose_start_fails_are_left_out_and_that_is_said() -> None:
    deep = Entry("odd", lambda: replace(pair(0), images={**pair(0).images, "moving": pair(0, rank=3).image("moving")},
                                        load_truth=None))
    train = pairs(0, 4)
    made = build(DenseField, BRIEF).fit(replace(train, entries=(*train.entries, deep)), pairs(50, 5), watch=WATCH)
    assert made.about["said"] == ["left out, the start found no map: 1 pairs of train, 0 of val"]
    assert "said" not in fitted(2).about


def test_the_start_is_a_part_and_travels_in_the_bundle() -> None:
    recipe = replace(build(DenseField, BRIEF), start=Landmarks(family="translation", points=(
        (10.0, 10.0, 10.0, 10.0), (12.0, 14.0, 12.0, 14.0), (5.0, 9.0, 5.0, 9.0))))
    made = recipe.fit(pairs(0, 4), pairs(50, 5), watch=WATCH)
    said = json.loads(json.dumps(made.about))["start"]
    assert said["class"].endswith(":Landmarks")
    assert FittedField.from_state(made.about, made.state()).start == recipe.start
    assert dict(made.predict(pair(90)).evidence)["landmarks"] == 3
    with pytest.raises(RecipeError, match="does not answer"):
        DenseField(start="middle")


def test_the_usual_start_is_affine_by_the_pixels() -> None:
    seen = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(28, 30, 32)), 2).astype(np.float32)
    images = {role: Image.from_array(part.copy(), spacing=(1.0, 1.0, 1.0))
              for role, part in (("fixed", seen[2:-2]), ("moving", seen[4:, 1:]))}
    case = Case("x", images, "fixed")
    cases = Cases((Entry("x", lambda: case),), "pairs", "register")
    made = build(DenseField, {k: v for k, v in BRIEF.items() if k != "start"}).fit(cases, cases, watch=WATCH)
    assert made.start == Intensity(family="affine")
    found = made.predict(case)
    assert "similarity_after" in dict(found.evidence)
    assert np.allclose(found.indices(np.array([[12.0, 15, 15]])), [[10, 14, 15]], atol=0.5)


def test_recipes_that_cannot_be_are_refused() -> None:
    with pytest.raises(RecipeError, match="middle"):
        build(DenseField, {"goal.window": 8})
    with pytest.raises(RecipeError, match="choices"):
        build(DenseField, {"goal.similarity": "mutual"})
    recipe = build(DenseField, BRIEF)
    assert build(DenseField, json.loads(json.dumps(as_settings(recipe)))) == recipe
    assert merged(recipe, {"goal.labels": 1.0}).goal.labels == 1.0


def test_a_killed_training_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    recipe = build(DenseField, BRIEF | {"study.epochs": 3, "goal.labels": 1.0})
    whole = recipe.fit(pairs(0, 4), pairs(50, 5), watch=WATCH)

    class Killed(Exception):
        pass

    def report(progress: object) -> None:
        if getattr(progress, "what", "") == "train" and getattr(progress, "share", 0) >= 0.6:
            raise Killed

    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isocenter.fit.loop.EVERY", 0.0)
        with pytest.raises(Killed):
            recipe.fit(pairs(0, 4), pairs(50, 5), watch=replace(WATCH, folder=folder, report=report))
    again = recipe.fit(pairs(0, 4), pairs(50, 5), watch=replace(WATCH, folder=folder, resume=True))
    assert all(np.array_equal(a, again.state()[name]) for name, a in whole.state().items())
    assert again.about["history"] == whole.about["history"]


def test_a_table_of_pairs_with_and_without_masks_becomes_a_bundle(tmp_path: Path) -> None:
    rows = ["fixed,moving,fixed_mask,moving_mask,subject,split"]
    for i, split in enumerate(["train"] * 4 + ["val"] * 3):
        case, cells = pair(i), []
        for what, sides in (("image", case.images.values()), ("mask", case.truth().regions)):
            for role, side in zip(("fixed", "moving"), sides, strict=True):
                image = side if what == "image" else Image.from_array(side.labels, geometry=side.geometry)
                iso.write(image, tmp_path / f"{i}-{role}-{what}.nii.gz")
                cells.append(f"{i}-{role}-{what}.nii.gz")
        if i == 1:
            cells[2:] = ["", ""]
        rows.append(",".join([*cells, f"s{i}", split]))
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    made = iso.train("register", tmp_path, out=tmp_path / "b.bundle", settings=BRIEF, threads=1)
    assert "1 case of train without truth: learnt from by their images" in made.notes
    assert not made.problems and made.report is not None
    assert made.method.object.about["fingerprint"]["n"] == 4
    opened = iso.load(tmp_path / "b.bundle", outside="answer")
    case = pair(90)
    again = opened.predict(case)
    assert np.array_equal(again.parts[0].displacement, made.method.object.predict(case).parts[0].displacement)
    inputs = [tmp_path / f"6-{role}-image.nii.gz" for role in ("fixed", "moving")]
    said = iso.predict(tmp_path / "b.bundle", inputs, out=tmp_path / "out")
    assert said.next.startswith("isocenter evaluate") and not said.problems
    with pytest.raises(RecipeError, match="occlusion"):
        find("explain", "gradients")(of=opened)
