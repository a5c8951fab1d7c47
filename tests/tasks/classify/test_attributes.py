"""A class that follows from two attributes, each a bright corner."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocenter.bundle import open_bundle, state, write
from isocenter.data import Case, Cases, Image, NotEvaluated, Watch, merged
from isocenter.errors import BundleError, LabelError, NotFoundError
from isocenter.tasks.classify.attributes import Attributes, FittedAttributes


def cornered(n: int = 120, *, seed: int = 0, shape: bool = False, facts: bool = True) -> Cases:
    """Class ill where either corner is bright; the facts say which; the last third is val."""
    rng = np.random.default_rng(seed)
    a, b = np.arange(n) % 2, np.arange(n) // 2 % 2
    x = [rng.normal(100, 10, (16, 16)) for _ in range(n)]
    for array, left, right in zip(x, a, b, strict=True):
        array[-6:, :6] += 15 * left
        array[-6:, -6:] += 15 * right
    splits = ["train"] * (n - n // 3) + ["val"] * (n // 3)
    made = Cases.from_arrays(x, ["ill" if left or right else "well" for left, right in zip(a, b, strict=True)],
                             splits=splits)
    told: list[dict[str, Any]] = [
        {"left": "yes" if i else "no", "form": "round" if j else "flat"} for i, j in zip(a, b, strict=True)
    ]
    opened = [replace(e.open(), facts=f if facts else {}) for e, f in zip(made.entries, told, strict=True)]
    return replace(made, entries=tuple(replace(e, open=lambda c=c: c)
                                       for e, c in zip(made.entries, opened, strict=True)), positive="ill")


def fit(cases: Cases, **settings: Any) -> FittedAttributes:
    return merged(Attributes(), settings).fit(cases.split("train"), cases.split("val"), watch=Watch())


@pytest.fixture(scope="module")
def fitted() -> FittedAttributes:
    return fit(cornered())


def test_the_class_follows_from_attributes_that_are_found(fitted: FittedAttributes) -> None:
    new = cornered(40, seed=1, facts=False)
    assert np.mean([fitted.predict(c).decision == c.truth().decision for c in new]) >= 0.85
    found = fitted.attributes(new[1])
    assert found.classes == ("left", "form=flat", "form=round") and found.multilabel
    assert found.of("left") > 0.5 > found.of("form=round")
    said = fitted.about["found"]
    assert said["left"]["auc"] > 0.9 and said["left"]["n"] == 40 and said["left"]["low"] <= said["left"]["auc"]
    assert fitted.about["said"][0].startswith("AUC of the attributes on 40 cases of val: left ")


def test_the_answer_is_the_regression_of_the_attributes(fitted: FittedAttributes) -> None:
    case = cornered(4)[3]
    found = fitted.attributes(case).array
    w, b, mean = (fitted.arrays[name] for name in ("coefficients", "intercepts", "mean"))
    logits = (w @ (found - mean) + b) / fitted.about["plan"]["temperature"]
    assert fitted.predict(case).array == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-9)
    towards = w[0] - w[1]
    assert fitted.about["classes"][0] == "ill" and towards[0] > 0 and towards[2] > 0, "both corners speak for it"


def test_the_parts_of_the_attributes_add_up_to_the_answer(fitted: FittedAttributes) -> None:
    case = cornered(4)[3]
    found = fitted.contributed(case, target="ill")
    log_odds = np.log(fitted.predict(case).of("ill") / fitted.predict(case).of("well"))
    assert found.base + sum(found.items.values()) == pytest.approx(found.answer)
    assert found.answer / fitted.about["plan"]["temperature"] == pytest.approx(log_odds)
    p = fitted.attributes(case).of("left")
    assert f"left ({p:.2f})" in found.items and found.target == "ill"
    assert fitted.contributed(case).target == fitted.predict(case).decision[0]
    with pytest.raises(NotFoundError, match="Did you mean ill"):
        fitted.contributed(case, target="il")


def test_it_comes_back_from_json_and_arrays(fitted: FittedAttributes) -> None:
    again = Attributes.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    assert [again.predict(c) for c in cornered(4)] == [fitted.predict(c) for c in cornered(4)]
    with pytest.raises(BundleError, match="do not fit"):
        FittedAttributes(fitted.about, {**fitted.arrays, "mean": np.zeros(9)})
    with pytest.raises(BundleError, match="do not fit"):
        FittedAttributes({**fitted.about, "kind": "elsewhere"}, fitted.arrays)


def test_the_independent_bottleneck_learns_from_true_attributes() -> None:
    made = fit(cornered(), independent=True, penalty=1e-3)
    assert made.arrays["mean"] == pytest.approx([0.5, 0.5, 0.5]), "shares of train, not probabilities"
    assert np.mean([made.predict(c).decision == c.truth().decision for c in cornered(40, seed=1)]) >= 0.8
    assert len(made.about["history"]) == 1


def test_a_network_may_find_them_and_is_kept_in_a_bundle(tmp_path: Path) -> None:
    brief = {"cnn.study.epochs": 1, "cnn.study.steps": 2, "cnn.width": 4, "cnn.network": "small"}
    made = fit(cornered(24), first="cnn", facts=("left",), **brief)
    assert made.attributes(cornered(4)[0]).classes == ("left",) and made.about["kind"] == "cnn"
    answer = made.predict(cornered(4)[0])
    assert answer.classes == ("ill", "well")
    bundle = write(made, tmp_path / "b", task="classify", method="attributes")
    again = Attributes.from_state(bundle.about["about"], state(open_bundle(tmp_path / "b")))
    assert again.predict(cornered(4)[0]) == answer


def test_cases_without_their_attributes_take_part_in_the_second_stage_alone() -> None:
    cases = cornered()
    less = tuple(replace(e, open=lambda e=e: replace(e.open(), facts={"left": None, "form": None})) if i % 3 == 0 else e
                 for i, e in enumerate(cases.entries))
    made = fit(replace(cases, entries=less))
    assert made.about["found"]["left"]["n"] < 40
    assert np.mean([made.predict(c).decision == c.truth().decision for c in cornered(40, seed=1)]) >= 0.8


def test_what_cannot_be_learnt_is_refused(fitted: FittedAttributes) -> None:
    with pytest.raises(NotFoundError, match="no facts"):
        fit(cornered(12, facts=False))
    cases = cornered(24)
    same = replace(cases, entries=tuple(
        replace(e, open=lambda e=e: replace(e.open(), facts={"left": "yes"})) for e in cases.entries))
    with pytest.raises(LabelError, match="same in every training case"):
        fit(same)
    assert isinstance(fitted.predict(Case.of(Image.from_array(np.full((16, 16), np.nan)))), NotEvaluated)
