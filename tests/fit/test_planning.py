from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from isocenter import nets
from isocenter.data import merged
from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import Fingerprint
from isocenter.fit.planning import PATCH, case_mb, plan
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.instances.contours import Contours
from isocenter.tasks.segment.unet import UNet

BASE: dict[str, Any] = {
    "task": "segment",
    "n": 40,
    "rank": 2,
    "channels": 1,
    "grey": True,
    "smallest": [480, 480],
    "median": [500, 500],
    "largest": [520, 520],
    "spacing": None,
    "varied": False,
    "modality": "",
    "dtype": "uint8",
    "low": 10.0,
    "high": 240.0,
    "mean": 100.0,
    "sd": 30.0,
    "classes": ["background", "a"],
    "counts": {"background": 100, "a": 50},
    "thickness": {"a": 100.0},
}


def facts(**changes: Any) -> Fingerprint:
    return Fingerprint.from_json(BASE | changes)


VOLUMES: dict[str, Any] = {
    "rank": 3,
    "smallest": [24, 40, 31],
    "median": [36, 50, 35],
    "largest": [47, 59, 43],
    "spacing": [1.0, 1.0, 1.0],
    "thickness": {"a": 4.0},
}


def test_large_things_are_seen_coarsely_and_thin_ones_in_full() -> None:
    lungs = plan(UNet(), facts())
    assert lungs.plan.size == (256, 256)
    assert "coarser" in lungs.origins["plan.size"]
    vessels = plan(UNet(), facts(median=[960, 999], largest=[960, 999], thickness={"a": 6.0}))
    assert vessels.plan.size is None
    assert vessels.plan.spacing is None
    assert "full resolution" in vessels.origins["plan.size"]
    assert vessels.study.patch == (256, 256)


def test_small_volumes_are_seen_whole() -> None:
    made = plan(UNet(), facts(**VOLUMES))
    assert made.plan.spacing == (1.0, 1.0, 1.0)
    assert made.study.patch == (40, 56, 40)
    assert made.plan.patch == (48, 64, 48)
    assert all(p % d == 0 for p, d in zip(made.plan.patch, made.plan.divisor, strict=True))


def test_large_volumes_are_seen_in_parts_of_bounded_size() -> None:
    made = plan(
        UNet(), facts(**VOLUMES | {"median": [120, 512, 512], "largest": [200, 512, 512], "spacing": [3.0, 0.8, 0.8]})
    )
    patch = made.study.patch
    assert patch is not None
    assert patch[0] * patch[1] * patch[2] < 2 * PATCH[3]
    assert patch[0] < patch[1]
    assert made.network["strides"][0] == [1, 2, 2]


@pytest.mark.parametrize("changes", [{}, VOLUMES, {"classes": ["background", "a", "b"]}])
def test_the_planned_network_answers_a_patch(changes: dict[str, Any]) -> None:
    import torch

    made = plan(UNet(width=4), facts(**changes))
    grid = tuple(2 * d for d in made.plan.divisor)
    out = nets.build(made.network)(torch.zeros(1, 1, *grid))
    assert out.shape == (1, len(made.plan.classes), *grid)


def test_computed_tomography_has_one_window_and_others_their_own_values() -> None:
    window = plan(UNet(), facts(**VOLUMES | {"modality": "CT"})).plan.normalisation
    assert (window.kind, window.low, window.high, window.mean, window.sd) == ("window", 10.0, 240.0, 100.0, 30.0)
    assert plan(UNet(), facts(**VOLUMES | {"modality": "MR"})).plan.normalisation.kind == "standardise"
    asked = merged(UNet(), {"before.window": [-50, 150]})
    assert plan(asked, facts(modality="CT")).plan.normalisation.low == -50


def test_left_and_right_are_exchanged_only_with_a_reason() -> None:
    grey = plan(UNet(), facts())
    assert grey.study.augment.spatial.flip == ()
    assert grey.origins["study.augment.spatial.flip"] == "default"
    photo = plan(UNet(), facts(channels=3, grey=False))
    assert photo.study.augment.spatial.flip == ("y", "x")
    assert "both sides" in photo.origins["study.augment.spatial.flip"]


def test_the_recipe_wins_and_is_named_as_the_origin() -> None:
    recipe = merged(
        UNet(), {"study.batch_size": 3, "study.augment.spatial.rotation": [0, 0], "after.largest": True, "width": 8}
    )
    made = plan(recipe, facts())
    assert made.study.batch_size == 3
    assert made.origins["study.batch_size"] == "recipe"
    assert made.study.augment.spatial.rotation == (0.0, 0.0)
    assert made.plan.largest
    assert made.network["widths"][0] == 8
    assert plan(UNet(), facts()).origins["study.batch_size"] == "default"


def test_nothing_is_left_open() -> None:
    for recipe, found in (
        (UNet(), facts()),
        (Cnn(), facts(task="classify", classes=["a", "b"], counts={"a": 5, "b": 5})),
    ):
        made = plan(recipe, found)
        for name in ("epochs", "steps", "batch_size", "learning_rate", "patience", "patch"):
            assert getattr(made.study, name) is not None, name
        values = made.as_json()["study"]["augment"]
        assert all(v is not None for group in ("spatial", "intensity") for v in values[group].values())


def test_a_coarser_grid_on_request() -> None:
    asked = merged(UNet(), {"before.coarser": 2.0})
    assert plan(asked, facts()).plan.size == (250, 250)
    assert plan(asked, facts()).origins["plan.size"] == "recipe"
    assert plan(asked, facts(**VOLUMES)).plan.size == (18, 25, 18)
    varied = plan(asked, facts(**VOLUMES, varied=True))
    assert varied.plan.spacing == (2.0, 2.0, 2.0) and varied.plan.size is None
    with pytest.raises(RecipeError, match="own pixels"):
        plan(merged(Contours(), {"before.coarser": 2.0}), facts(task="instances", head="contours"))


def test_a_size_for_classification() -> None:
    found = facts(task="classify", classes=["a", "b"], counts={"a": 5, "b": 5}, median=[1000, 500])
    assert plan(Cnn(), found).plan.size == (224, 112)
    uneven = facts(task="classify", median=[28, 28], counts={"a": 1, "b": 9})
    assert plan(Cnn(), uneven).loop.imbalance.sampling == "balanced"


def test_what_networks_do_not_offer_is_refused() -> None:
    for settings in (
        {"before.denoise": "median"},
        {"before.channel": "green"},
        {"before.spacing": [1.0]},
        {"study.patch": [8, 8, 8]},
    ):
        with pytest.raises(RecipeError):
            plan(merged(UNet(), settings), facts())


def test_a_prepared_case_is_float32_and_its_truth() -> None:
    made = plan(UNet(), facts()).plan
    assert case_mb(made, facts(), (256, 256)) == pytest.approx(256 * 256 * (4 * made.channels + 1) / 2**20)
    varied = facts(pixels=2 * math.prod(facts().median))
    whole = replace(made, size=None)
    assert case_mb(whole, varied, (256, 256)) == pytest.approx(2 * case_mb(whole, facts(), (256, 256)))
    assert case_mb(replace(made, size=(256, 256)), varied, (256, 256)) == case_mb(made, facts(), (256, 256))


def test_a_patch_is_rounded_up_to_what_the_network_needs() -> None:
    made = plan(merged(UNet(), {"study.patch": [100, 90]}), facts())
    assert made.study.patch is not None
    assert all(p % d == 0 for p, d in zip(made.study.patch, made.plan.divisor, strict=True))
    assert made.origins["study.patch"].startswith("recipe; rounded up")


def test_mirrored_answers_need_mirrored_training() -> None:
    with pytest.raises(RecipeError, match="never saw such mirrored"):
        plan(merged(UNet(), {"after.mirror": ["x"]}), facts())
    both = merged(UNet(), {"after.mirror": ["x"], "study.augment.spatial.flip": ["x"]})
    assert plan(both, facts()).plan.mirror == ("x",)


def test_the_cost_is_estimated() -> None:
    short, long = (plan(merged(UNet(), {"study.epochs": e}), facts()).estimate for e in (10, 20))
    assert long["core_minutes"] == pytest.approx(2 * short["core_minutes"], rel=0.02)
    assert 0 < short["case_mb"] < 100


@pytest.mark.parametrize(("median", "expected"), [([224, 224], "bf16"), ([64, 64], "fp32"), ([28, 28], "fp32")])
def test_small_grids_are_learnt_in_full_precision(median: list[int], expected: str) -> None:
    found = facts(task="classify", classes=["a", "b"], counts={"a": 5, "b": 5}, median=median)
    made = plan(Cnn(network="resnet18"), found)
    assert made.loop.precision == expected
    assert "deepest stage" in made.origins["loop.precision"]
    assert plan(UNet(network="mine:Net"), facts()).loop.precision == "fp32"


def test_landmarks_are_those_of_train_and_contrast_is_equalised_in_two_axes_alone() -> None:
    marks = tuple(float(v) for v in range(11))
    made = plan(merged(UNet(), {"before.intensity": "landmarks"}), facts(landmarks=marks))
    assert made.plan.normalisation.kind == "landmarks" and made.plan.normalisation.landmarks == marks
    assert "images of train" in made.origins["plan.normalisation"]
    assert type(made).from_json(made.as_json()).plan == made.plan
    for kind in ("clahe", "foreground"):
        assert plan(merged(UNet(), {"before.intensity": kind}), facts()).plan.normalisation.kind == kind
    with pytest.raises(RecipeError, match="two axes"):
        plan(merged(Cnn(), {"before.intensity": "clahe"}), facts(task="classify", rank=3, median=[8, 24, 24]))
