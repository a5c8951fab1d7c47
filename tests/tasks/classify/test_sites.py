"""Features of two devices."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Before, Case, Cases, NotEvaluated, Plan, merged
from isocenter.errors import BundleError, InputError, NotFoundError, RecipeError
from isocenter.fit.planning import _refused
from isocenter.tasks._features import Features
from isocenter.tasks.classify._sites import GAIN, SHIFT, moved
from isocenter.tasks.classify.boosting import Boosting
from isocenter.tasks.classify.linear import FittedLinear, Linear
from isocenter.tasks.classify.mlp import Mlp
from isocenter.tasks.segment.threshold import Threshold

HARMONISED = {"before.site": "scanner", "size": 4, "penalty": 0.1}


def two(n: int, *, seed: int = 0, uneven: float = 0.5) -> Cases:
    """Pictures whose texture tells the class, on devices of which one has another gain and blurs; a share is sick."""
    rng = np.random.default_rng(seed)
    scanner = np.arange(n) % 2
    sick = rng.random(n) < np.where(scanner == 1, uneven, 1 - uneven)
    x = []
    for device, ill in zip(scanner, sick, strict=True):
        image = rng.normal(100, 10, (16, 16))
        image[4:12, 4:12] += 6.0 * ill
        x.append((image * 1.8 + 60 if device else image).astype(np.float32))
    cases = Cases.from_arrays(x, [int(v) for v in sick], classes=["normal", "ill"])

    def opened(case: Case, name: str) -> Case:
        return replace(case, facts={"scanner": name})

    entries = [
        replace(e, open=lambda e=e, d=d: opened(e.open(), "AB"[d])) for e, d in zip(cases.entries, scanner, strict=True)
    ]
    return replace(cases, entries=tuple(entries))


@pytest.fixture(scope="module")
def fitted() -> FittedLinear:
    return merged(Linear(), HARMONISED).fit(two(80), two(40, seed=1))


def right(method: FittedLinear, cases: Cases) -> float:
    return float(np.mean([method.predict(c).decision == e.labels for c, e in zip(cases, cases.entries, strict=True)]))


def test_what_the_device_says_about_the_class_is_not_learnt() -> None:
    """In train one device sees more sick people; in test the other one does."""
    train, valid, test = two(160, uneven=0.85), two(80, seed=1, uneven=0.85), two(80, seed=2, uneven=0.15)
    settings = {k: v for k, v in HARMONISED.items() if k != "before.site"} | {"before.intensity": "none"}
    plain = merged(Linear(), settings).fit(train, valid)
    made = merged(Linear(), settings | {"before.site": "scanner"}).fit(train, valid)
    assert right(made, test) > right(plain, test) + 0.1
    assert right(made, test) > 0.75


def test_both_devices_look_alike_afterwards(fitted: FittedLinear) -> None:
    assert fitted.about["site"] == {"fact": "scanner", "names": ["A", "B"]}
    cases = two(80)
    plan, features = Plan.from_json(fitted.about["plan"]), Features.from_json(fitted.about["features"])
    rows = np.stack([features.of(c, plan) for c in cases])
    out = np.stack([moved(r, c, fitted.about, fitted.arrays) for r, c in zip(rows, cases, strict=True)])
    device = np.arange(80) % 2
    varied = rows.std(0) > 1e-6

    def gap(x: np.ndarray) -> float:
        return float(np.abs((x[device == 1].mean(0) - x[device == 0].mean(0))[varied] / x.std(0)[varied]).mean())

    assert gap(out) < 0.5 * gap(rows)


@pytest.mark.parametrize("method", [Boosting, Mlp])
def test_trees_and_perceptrons_too(method: type) -> None:
    made = merged(method(), {"before.site": "scanner", "size": 4}).fit(two(48), two(24, seed=1))
    again = method.from_state(json.loads(json.dumps(made.about)), made.state())
    case = two(2, seed=3)[1]
    assert again.predict(case) == made.predict(case)
    elsewhere = replace(case, facts={"scanner": "A"})
    assert made.predict(elsewhere).values != made.predict(case).values
    assert isinstance(made.predict(replace(case, facts={"scanner": "C"})), NotEvaluated)
    broken = method.from_state(made.about, {k: v[:1] if k == GAIN else v for k, v in made.state().items()})
    with pytest.raises(BundleError, match="lines of the sites"):
        broken.predict(case)
    with pytest.raises(RecipeError, match=f"{method.__name__.lower()} makes no use of before.denoise"):
        method(before=Before(denoise="median"))


def test_it_comes_back_from_its_state(fitted: FittedLinear) -> None:
    again = Linear.from_state(json.loads(json.dumps(fitted.about)), fitted.state())
    for case in two(6, seed=3):
        assert again.predict(case) == fitted.predict(case)
    with pytest.raises(BundleError, match="do not fit"):
        FittedLinear(fitted.about, {k: v for k, v in fitted.arrays.items() if k != GAIN})
    with pytest.raises(BundleError, match="do not fit"):
        FittedLinear(fitted.about, dict(fitted.arrays) | {SHIFT: fitted.arrays[SHIFT][:1]})


def test_a_site_that_train_lacks_is_not_evaluated(fitted: FittedLinear) -> None:
    case = two(2)[0]
    found = fitted.predict(replace(case, facts={"scanner": "C"}))
    assert isinstance(found, NotEvaluated) and found.measured == "C" and found.limit == "A, B"
    with pytest.raises(NotFoundError, match=r"does not say its scanner.*--facts scanner"):
        fitted.predict(replace(case, facts={}))
    with pytest.raises(NotFoundError, match="got scanners"):
        fitted.predict(replace(case, facts={"scanners": "A"}))
    plain = {k: v for k, v in fitted.about.items() if k != "site"}
    assert moved(np.ones(3), replace(case, facts={}), plain, {}).tolist() == [1, 1, 1]


def test_numbers_name_a_site_too() -> None:
    train, valid = (
        replace(c, entries=tuple(
            replace(e, open=lambda e=e, i=i: replace(e.open(), facts={"scanner": 1.5 if i % 2 else 3.0}))
            for i, e in enumerate(c.entries)))
        for c in (two(24), two(8, seed=1))
    )  # fmt: skip
    made = merged(Linear(), HARMONISED).fit(train, valid)
    assert made.about["site"]["names"] == ["1.5", "3"]


def test_what_cannot_be_harmonised_is_refused() -> None:
    train, valid = two(24), two(8, seed=1)
    alone = train.subset(range(0, 24, 2))
    with pytest.raises(InputError, match="2 sites of 2 cases"):
        merged(Linear(), HARMONISED).fit(alone, valid.subset([0, 2]))
    with pytest.raises(InputError, match="val has a site that train lacks"):
        merged(Linear(), HARMONISED).fit(alone, valid)
    apart = two(24, uneven=1.0)
    with pytest.raises(InputError, match="cannot be told from the sites"):
        merged(Linear(), HARMONISED).fit(apart, valid)


def test_methods_without_features_refuse_the_field() -> None:
    with pytest.raises(RecipeError, match="networks make no use"):
        _refused(Before(site="scanner"))
    with pytest.raises(RecipeError, match="site"):
        Threshold(before=Before(site="scanner")).predict(two(1)[0])
    for kind in ("landmarks", "clahe"):
        with pytest.raises(RecipeError, match="linear makes no use"):
            Linear(before=Before(intensity=kind))
