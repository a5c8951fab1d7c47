from __future__ import annotations

import json

import pytest

from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.scheme import Scheme
from isocenter.tasks.segment.unet import UNet


@pytest.fixture
def scheme(discs) -> Scheme:
    return plan(UNet(), fingerprint(discs(), "segment"))


def test_it_survives_a_file(scheme: Scheme) -> None:
    assert Scheme.from_json(json.loads(json.dumps(scheme.as_json()))) == scheme


def test_an_edit_is_taken_over(scheme: Scheme) -> None:
    values = json.loads(json.dumps(scheme.as_json()))
    values["study"]["epochs"] = 3
    values["study"]["augment"]["spatial"]["rotation"] = [0, 0]
    values["loop"]["ema"] = 0
    edited = Scheme.from_json(values)
    assert edited.study.epochs == 3
    assert edited.study.augment.spatial.rotation == (0.0, 0.0)
    assert edited.loop.ema == 0
    assert edited.steps == 3 * scheme.study.steps


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("study.epoch", 3, "Did you mean epochs"),
        ("loop.emma", 0, "Did you mean ema"),
        ("loop.ema", 2, "out of range"),
        ("plan.patches", [1], "Did you mean patch"),
        ("plane", {}, "Did you mean plan"),
        ("format", 2, "another format"),
        ("network", None, "lacks 'network'"),
    ],
)
def test_a_bad_edit_is_refused_with_its_field(scheme: Scheme, path: str, value: object, message: str) -> None:
    values = json.loads(json.dumps(scheme.as_json()))
    node = values
    *folders, last = path.split(".")
    for name in folders:
        node = node[name]
    node[last] = value
    with pytest.raises(RecipeError, match=message):
        Scheme.from_json(values)


def test_a_plan_from_before_imbalance_is_read_under_the_new_names(scheme: Scheme) -> None:
    values = json.loads(json.dumps(scheme.as_json()))
    for name in ("imbalance", "counts", "order"):
        del values["loop"][name]
    values["loop"] |= {"balanced": True, "smoothing": 0.3}
    found = Scheme.from_json(values).loop.imbalance
    assert (found.sampling, found.smoothing, found.focal) == ("balanced", 0.3, None)
    values["loop"] |= {"balanced": False}
    assert Scheme.from_json(values).loop.imbalance.sampling == "none"
