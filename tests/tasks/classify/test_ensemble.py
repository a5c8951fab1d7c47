"""Several classifiers as one: pooled, calibrated as a whole, written down and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image, NotEvaluated, Plan, Probabilities, Watch
from isocenter.errors import BundleError, InputError, LabelError, RecipeError
from isocenter.tasks.classify.ensemble import LEAST, Ensemble, FittedEnsemble
from isocenter.tasks.classify.linear import Linear

CLASSES = ("no", "yes")


@dataclass(frozen=True)
class Says:
    """Answers what a function makes of the mean of the image."""

    share: Callable[[float], float]
    classes: tuple[str, ...] = CLASSES
    about: dict[str, Any] = field(default_factory=lambda: {"plan": Plan("classify", 2, 1, CLASSES).as_json()})

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        yes = self.share(float(case.image().pixels().mean()))
        return NotEvaluated("not mine") if yes < 0 else Probabilities(self.classes, (1 - yes, yes))


def squares(n: int = 24, seed: int = 0) -> Cases:
    """Pictures whose class is whether they are bright, with noise between."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = [np.full((8, 8), 100 + 40 * k + 10 * rng.normal(), np.float32) + rng.normal(size=(8, 8)) for k in y]
    made = Cases.from_arrays(x, [CLASSES[k] for k in y], splits=["train"] * (n // 2) + ["val"] * (n - n // 2))
    return replace(made, positive="yes")


def picture(value: float) -> Case:
    return Case.of(Image.from_array(np.full((8, 8), value, np.float32)))


def whole(*members: Any, combine: str = "logits", **plan: Any) -> FittedEnsemble:
    said = {"recipe": {"combine": combine}, "plan": Plan("classify", 2, 1, CLASSES, **plan).as_json()}
    return FittedEnsemble(said, members)


def test_logits_and_probabilities_are_averaged() -> None:
    a, b = Says(lambda m: 0.9), Says(lambda m: 0.6)
    odds = np.sqrt(9.0 * 1.5)
    assert whole(a, b).predict(picture(1)).of("yes") == pytest.approx(odds / (1 + odds))
    assert whole(a, b, combine="probabilities").predict(picture(1)).of("yes") == pytest.approx(0.75)
    assert whole(a, b).spread(picture(1)) == pytest.approx([0.15, 0.15])


def test_one_that_is_sure_does_not_outvote_all() -> None:
    """A probability of 0 counts as one in a million: two members at 0.9999 still stand against one."""
    sure, others = Says(lambda m: 0.0), [Says(lambda m: 0.99999)] * 2
    assert whole(sure, *others).predict(picture(1)).of("yes") > 0.9
    assert whole(sure).predict(picture(1)).of("yes") == pytest.approx(LEAST)


def test_members_that_do_not_answer_are_left_out() -> None:
    none = Says(lambda m: -1.0)
    assert whole(none, Says(lambda m: 0.7)).predict(picture(1)).of("yes") == pytest.approx(0.7)
    found = whole(none, none).predict(picture(1))
    assert isinstance(found, NotEvaluated) and found.reason == "not mine"
    assert isinstance(whole(none).spread(picture(1)), NotEvaluated)


def test_classes_in_another_order_and_other_classes() -> None:
    turned = Says(lambda m: 0.2, ("yes", "no"))
    assert whole(turned).predict(picture(1)).of("yes") == pytest.approx(0.8)
    with pytest.raises(LabelError, match="other classes"):
        whole(Says(lambda m: 0.2, ("no", "perhaps"))).predict(picture(1))


def test_labels_that_hold_at_once_are_pooled_one_by_one() -> None:
    @dataclass(frozen=True)
    class Both:
        values: tuple[float, float]

        def predict(self, case: Case) -> Probabilities:
            return Probabilities(CLASSES, self.values, True)

    found = whole(Both((0.9, 0.2)), Both((0.9, 0.5)), multilabel=True).predict(picture(1))
    odds = np.sqrt(0.25 * 1.0)
    assert found.of("no") == pytest.approx(0.9) and found.of("yes") == pytest.approx(odds / (1 + odds))


def test_temperature_and_threshold_of_the_whole_are_chosen_on_val() -> None:
    """Members far too sure: the whole learns how sure it may be."""
    cases = squares(80)

    def loud(m: float) -> float:
        return 1 / (1 + np.exp(-(m - 121) * 0.9))

    made = Ensemble(members=(Says(loud), Says(loud))).fit(cases.split("train"), cases.split("val"))
    assert made.plan.positive == "yes" and len(made.plan.thresholds) == 1 and made.plan.temperature != 1.0
    right = [made.predict(c).label == c.truth().label for c in cases.split("val")]
    assert np.mean(right) > 0.9


def test_members_that_learn_are_trained_and_the_whole_is_written_down() -> None:
    cases = squares()
    made = Ensemble(members=(Linear(), Linear(features="thumbnail"))).fit(
        cases.split("train"), cases.split("val"), watch=Watch(threads=1)
    )
    told = json.loads(json.dumps(made.about))
    back = Ensemble.from_state(told, made.state())
    for case in cases.split("val"):
        assert back.predict(case) == made.predict(case)
    told["members"][0]["class"] = "os:system"
    with pytest.raises(BundleError, match="no method of isocenter"):
        Ensemble.from_state(told, made.state())


def test_each_network_is_trained_from_several_seeds() -> None:
    pytest.importorskip("torch")
    cases = squares()
    settings = {"network": "small", "width": 4, "study.epochs": 1, "study.steps": 2, "study.batch_size": 4}
    from isocenter.data import merged
    from isocenter.tasks.classify.cnn import Cnn

    seen: list[str] = []
    watch = Watch(threads=1, report=lambda p: seen.append(p.what))
    made = Ensemble(cnn=merged(Cnn(), settings), seeds=2).fit(cases.split("train"), cases.split("val"), watch=watch)
    a, b = made.members
    case = cases.split("val")[0]
    assert a.predict(case) != b.predict(case) and any(w.startswith("member 2/2") for w in seen)
    values = [m.predict(case).of("yes") for m in made.members]
    assert made.spread(case) == pytest.approx([np.std(values)] * 2)


def test_what_cannot_be_is_refused() -> None:
    cases = squares()
    with pytest.raises(RecipeError, match="neither answers nor learns"):
        Ensemble(members=(3,))
    with pytest.raises(RecipeError, match="no single plan"):
        Ensemble().fit(cases, cases, watch=Watch(plan={"format": 1}))
    learnt = replace(Says(lambda m: 0.5), about={"plan": Plan("segment", 2, 1, CLASSES).as_json()})
    for strange in (learnt, Says(lambda m: 0.5, about={})):
        with pytest.raises(RecipeError, match="no fitted classifier"):
            Ensemble(members=(Linear(), strange)).fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))
    with pytest.raises(InputError, match="no member answers"):
        Ensemble(members=(Says(lambda m: -1.0),)).fit(cases.split("train"), cases.split("val"))
