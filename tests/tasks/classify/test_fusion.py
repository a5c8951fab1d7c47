from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from isocenter.data import Before, Case, Cases, Entry, Image, NotEvaluated, Plan, Probabilities, Progress, Watch, merged
from isocenter.errors import BundleError, InputError, LabelError, NotFoundError, RecipeError, ResourceError
from isocenter.tasks.classify.fusion import FUSIONS, FittedFusion, Fusion

CLASSES = ("no", "yes")
QUICK = {"branch.size": 8, "branch.width": 4, "branch.depth": 2, "branch.tokens": 4, "learning.epochs": 8,
         "learning.learning_rate": 0.02}


def patient(i: int, split: str, y: int) -> Case:
    """A volume, a picture that a third lacks, and facts of which some are missing; each says something of the class."""
    rng = np.random.default_rng(i)
    pet, ct = rng.normal(0, 1, (6, 7, 8)), rng.normal(0, 1, (9, 9))
    pet[1:5, 2:6, 2:6] += 1.5 * y
    ct[3:7, 3:7] += y
    images = {"PET": Image.from_array(pet.astype(np.float32))}
    images |= {"CT": Image.from_array(ct.astype(np.float32))} if i % 3 else {}
    facts = {"age": None if i % 5 == 0 else 60 + 8 * y + 6 * rng.normal(), "sex": "MF"[i % 2]}
    truth = Probabilities.truth(CLASSES, [CLASSES[y]])
    return Case(f"p{i}", images, "PET", f"p{i}", f"p{i}", split, facts, load_truth=lambda: truth)


def made(labels: Sequence[int], split: str, first: int = 0) -> Cases:
    held = [patient(first + i, split, y) for i, y in enumerate(labels)]
    entries = [Entry(c.id, partial(lambda c: c, c), c.id, c.id, split, labels=(CLASSES[y],))
               for c, y in zip(held, labels, strict=True)]  # fmt: skip
    return Cases(tuple(entries), "simulated", "classify", CLASSES, positive="yes")


TRAIN, VALID, TEST = made([0, 1] * 15, "train"), made([0, 1] * 6, "val", 100), made([0, 1] * 15, "test", 200)
# One with everything, and one without the picture.
FULL, LESS = TEST[2], TEST[1]


def fitted(train: Cases = TRAIN, valid: Cases = VALID, **settings: Any) -> FittedFusion:
    return merged(Fusion(), QUICK | settings).fit(train, valid, watch=Watch())


@pytest.fixture(scope="module")
def late() -> FittedFusion:
    return fitted(required=["PET"])


def accuracy(found: FittedFusion, cases: Cases = TEST) -> float:
    answers = [(found.predict(case), case.truth()) for case in cases]
    return float(np.mean([bool(a) and a.label == t.label for a, t in answers]))


def test_it_learns_and_comes_back_from_its_state(late: FittedFusion) -> None:
    assert accuracy(late) >= 0.7
    again = Fusion.from_state(json.loads(json.dumps(late.about)), late.state())
    assert all(again.predict(c).values == late.predict(c).values for c in TEST)
    assert isinstance(late.plan, Plan) and late.plan.rank == 3 and late.lead == "PET"
    assert late.about["network"] == {"name": "fusion", "kind": "late"}
    assert late.plan.thresholds and sum(1 for n in late.state() if n.endswith(".onnx")) == 2


@pytest.mark.parametrize("kind", [k for k in FUSIONS if k != "late"])
def test_other_ways_to_fuse(kind: str) -> None:
    found = fitted(kind=kind, **{"learning.epochs": 4})
    whole, less = found.predict(FULL), found.predict(replace(FULL, images={"PET": FULL.images["PET"]}))
    assert whole.values != less.values and found.kind == kind
    assert found.predict(replace(FULL, images={})).classes == CLASSES


def test_every_mixture_is_answered_but_for_what_is_required(late: FittedFusion) -> None:
    case = FULL
    ways = [case, replace(case, facts={}), replace(case, images={"PET": case.images["PET"]}, facts={}),
            replace(case, facts=dict.fromkeys(case.facts))]
    answers = [late.predict(way).values for way in ways]
    assert answers[1] == answers[3] and len(set(answers)) == 3
    ct = late.predict(replace(case, images={"CT": case.images["CT"]}))
    assert isinstance(ct, NotEvaluated) and ct.reason == "the case lacks PET"
    with pytest.raises(NotFoundError, match="neither an image nor a fact"):
        late.predict(Case("x", {"US": case.images["CT"]}))


def test_what_each_modality_is_worth_is_kept_and_said(late: FittedFusion) -> None:
    told = late.about["removed"]
    assert list(told) == ["PET", "CT", "facts"]
    assert (told["PET"]["train"], told["CT"]["train"], told["PET"]["val"]) == (30, 20, 12)
    assert told["PET"]["change"] > 0 and 0 <= told["PET"]["auc_without"] <= 1
    assert [line.partition(":")[0] for line in late.about["said"]] == ["PET", "CT", "facts"]
    assert late.head["shares"].sum() == pytest.approx(1)


def test_one_modality_facts_alone_and_presence_alone() -> None:
    pet = fitted(only=["PET"], **{"learning.epochs": 2})
    case = FULL
    assert pet.modalities.names == ("PET",) and pet.about["said"] == []
    assert pet.predict(case).values == pet.predict(replace(case, images={"PET": case.images["PET"]}, facts={})).values
    assert isinstance(pet.predict(replace(case, images={"CT": case.images["CT"]})), NotEvaluated)
    facts = fitted(only=["facts"])
    assert facts.about["networks"] == [] and accuracy(facts) >= 0.55
    assert facts.predict(case).values == facts.predict(replace(case, images={})).values
    seen = fitted(sees="presence", **{"learning.epochs": 3})
    assert seen.kind == "joint" and not any(n.endswith(".onnx") for n in seen.state())
    assert seen.predict(case).values == seen.predict(TEST[3]).values
    assert seen.predict(case).values != seen.predict(LESS).values


def test_presence_alone_learns_which_modalities_there_are() -> None:
    """Here the class is whether there is a CT; contents say nothing beyond."""
    sides = ((0, 30), (99, 18))
    train, valid = (made([int(i % 3 > 0) for i in range(first, first + n)], "x", first) for first, n in sides)
    assert accuracy(fitted(train, valid, sees="presence", **{"learning.epochs": 40}), valid) == 1.0


def test_the_same_twice() -> None:
    a, b = (fitted(**{"learning.epochs": 1}) for _ in range(2))
    assert all(np.array_equal(a.state()[n], b.state()[n]) for n in a.state())


def test_several_labels() -> None:
    classes = ("a", "b")

    def labelled(cases: Cases) -> Cases:
        def opened(entry: Entry, i: int) -> Case:
            truth = Probabilities(classes, (float(i % 2), float(i % 3 == 0)), True)
            return replace(entry.open(), load_truth=lambda: truth)

        entries = [replace(e, open=partial(opened, e, i)) for i, e in enumerate(cases.entries)]
        return replace(cases, entries=tuple(entries), classes=classes, multilabel=True, positive=None)

    found = fitted(labelled(TRAIN), labelled(VALID), **{"learning.epochs": 1})
    answer = found.predict(TEST[0])
    assert answer.multilabel and all(0 < v < 1 for v in answer.values)
    assert "auc" not in found.about["removed"]["PET"]


def test_progress_is_said() -> None:
    seen: list[Progress] = []
    recipe = merged(Fusion(), QUICK | {"only": ["facts"], "learning.epochs": 3})
    recipe.fit(TRAIN, VALID, watch=Watch(report=seen.append))
    assert [p.share for p in seen if p.what == "train"] == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_a_val_too_small_to_choose_on() -> None:
    for labels in ([0] * 12, [0, 1, 0, 1]):
        found = fitted(valid=made(labels, "val", 100), **{"learning.epochs": 1})
        assert found.about["said"][0] == "val holds fewer than 5 cases of a class: nothing was chosen on it"
        assert found.plan.temperature == 1.0 and found.plan.thresholds == ()
        assert found.head["shares"] == pytest.approx(np.full(3, 1 / 3))
        assert found.predict(TEST[0]).classes == CLASSES


def test_a_class_with_one_case_is_learnt_from_and_one_with_none_refused() -> None:
    found = fitted(made([0] * 9 + [1], "train"), **{"learning.epochs": 1})
    assert found.predict(TEST[0]).classes == CLASSES
    with pytest.raises(LabelError, match="no training case: got yes"):
        fitted(made([0] * 8, "train"))
    with pytest.raises(InputError, match="nothing to validate on"):
        fitted(valid=replace(VALID, entries=()))


def with_facts(cases: Cases, i: int, facts: dict[str, Any]) -> Cases:
    entries = list(cases.entries)
    case = replace(entries[i].open(), facts=facts)
    entries[i] = replace(entries[i], open=lambda: case)
    return replace(cases, entries=tuple(entries))


def test_facts_of_the_wrong_kind_are_refused(late: FittedFusion) -> None:
    with pytest.raises(InputError, match="p3: the fact 'age' is text where other cases have a number: got 'old'"):
        fitted(with_facts(TRAIN, 3, {"age": "old", "sex": "M"}))
    with pytest.raises(InputError, match="'age' is text"):
        late.predict(replace(TEST[0], facts={"age": "old"}))


def test_a_fact_that_is_empty_in_all_of_train_is_said() -> None:
    train = TRAIN
    for i in range(len(train)):
        train = with_facts(train, i, {**TRAIN[i].facts, "crp": None})
    found = fitted(train, **{"learning.epochs": 1, "only": ["facts"]})
    assert found.about["said"][0] == "crp: known in no case of train, so not looked at"
    assert not any("crp" in line for line in fitted(train, **{"learning.epochs": 1, "only": ["age"]}).about["said"])


def test_training_images_that_cannot_be_used_are_refused() -> None:
    entries = list(TRAIN.entries)
    broken = replace(entries[2].open(), images={"PET": Image.from_array(np.full((5, 5, 5), np.nan))})
    entries[2] = replace(entries[2], open=lambda: broken)
    with pytest.raises(InputError, match="p2: PET: the image holds NaN"):
        fitted(replace(TRAIN, entries=tuple(entries)))


def test_cases_that_lack_what_is_required_are_left_out() -> None:
    found = fitted(required=["CT"], **{"learning.epochs": 1})
    assert found.about["removed"]["PET"]["train"] == 20
    bare = replace(TRAIN, entries=tuple(e for e in TRAIN.entries if "CT" not in e.open().images))
    with pytest.raises(RecipeError, match="no such image or fact"):
        fitted(bare, required=["CT"])
    none = replace(VALID, entries=tuple(e for e in VALID.entries if "CT" not in e.open().images))
    with pytest.raises(LabelError, match="has what is required"):
        fitted(valid=none, required=["CT"])


def test_images_that_do_not_fit_into_memory_are_refused() -> None:
    with pytest.raises(ResourceError, match=r"branch\.size"):
        fitted(replace(TRAIN, entries=TRAIN.entries * 50), only=["PET"], **{"branch.size": 512})


def test_recipes_that_cannot_be() -> None:
    with pytest.raises(RecipeError, match=r"no use of before\.spacing"):
        Fusion(before=Before(spacing=(1.0, 1.0)))
    with pytest.raises(RecipeError, match=r"no use of before\.site"):
        Fusion(before=Before(site="scanner"))
    with pytest.raises(RecipeError, match=r"no use of before\.intensity=landmarks"):
        Fusion(before=Before(intensity="landmarks"))
    with pytest.raises(RecipeError, match="window"):
        Fusion(before=Before(intensity="window"))
    with pytest.raises(RecipeError, match="Did you mean PET"):
        fitted(only=["PETT"])


def test_a_bundle_that_does_not_fit_is_refused(late: FittedFusion) -> None:
    about, arrays = dict(late.about), late.state()
    with pytest.raises(BundleError, match=r"encoder1\.onnx missing"):
        FittedFusion(about, {k: v for k, v in arrays.items() if k != "encoder1.onnx"})
    with pytest.raises(BundleError, match="do not fit"):
        FittedFusion(about, {k: v for k, v in arrays.items() if k != "head/shares"})
    for name in ("modalities", "networks", "recipe", "plan", "classes"):
        with pytest.raises(BundleError, match="cannot be read"):
            FittedFusion({k: v for k, v in about.items() if k != name}, arrays)
    with pytest.raises(BundleError, match="cannot be read"):
        FittedFusion({**about, "plan": {**about["plan"], "rank": "three"}}, arrays)
    for name in ("encoder0/output", "head/facts.weight"):
        with pytest.raises(BundleError, match=f"{name} of another shape"):
            FittedFusion(about, {**arrays, name: arrays[name][:, :1]})
    with pytest.raises(BundleError, match="no such fusion"):
        FittedFusion({**about, "networks": about["networks"][:1]}, arrays)
    roles = about["modalities"]["roles"]
    flat = {**about["modalities"], "roles": {**roles, "PET": {**roles["PET"], "size": [0, 8, 8]}}}
    with pytest.raises(BundleError, match="got size"):
        FittedFusion({**about, "modalities": flat}, arrays)
    with pytest.raises(BundleError, match="no such fusion"):
        FittedFusion({**about, "recipe": {**about["recipe"], "kind": "early"}}, arrays)
