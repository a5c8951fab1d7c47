from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Cases, merged
from isocenter.errors import RecipeError
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.loss import THIN, loss_name, slenderness
from isocenter.fit.planning import plan
from isocenter.tasks.segment.fcn import FCN
from isocenter.tasks.segment.unet import Form, UNet


def test_the_recipe_decides_wherever_it_says_so(discs) -> None:
    found = fingerprint(discs(), "segment")
    for recipe in (UNet(form=Form(loss="tversky+focal")), FCN(loss="tversky + focal")):
        origins: dict[str, str] = {}
        assert loss_name(recipe, found, origins) == "tversky+focal"
        assert origins == {"loop.loss": "recipe"}


def test_the_usual_loss_stands_in_the_plan(discs) -> None:
    made = plan(UNet(), fingerprint(discs(), "segment"))
    assert made.loop.loss == "dice+cross_entropy"
    assert made.origins["loop.loss"].startswith("fingerprint: regions hold 1")
    assert "px across" in made.origins["loop.loss"]


def test_an_unknown_loss_is_refused_before_anything_is_trained(discs) -> None:
    with pytest.raises(RecipeError, match="Did you mean boundary"):
        plan(merged(UNet(), {"form.loss": "dice+boundry"}), fingerprint(discs(), "segment"))


def shapes(rank: int, kind: str) -> Cases:
    """Three cases with a ball, a line or a speck; or with three regions of uneven size."""
    side = 48 if rank == 2 else 24
    labels = np.zeros((3, *(side,) * rank), np.uint8)
    grid = np.indices((side,) * rank)
    if kind == "ball":
        labels[:, ((grid - side / 2) ** 2).sum(0) < (side / 4) ** 2] = 1
    if kind == "line":
        labels[:, 4::6] = 1
        if rank == 3:
            labels[:, :, np.arange(side) % 6 != 4] = 0
    if kind == "speck":
        labels[:, 4:6, 4:6] = 1
        if rank == 3:
            labels[:, :, :, 6:] = 0
    if kind == "uneven":
        labels[:, : side // 2], labels[:, -4:, :8], labels[:, -4:, 12:16] = 1, 2, 3
    names = ["region"] if kind != "uneven" else ["large", "small", "smaller"]
    return Cases.from_arrays(labels.astype(np.float32), labels, task="segment", classes=names, splits=["train"] * 3)


@pytest.mark.parametrize("rank", [2, 3])
def test_a_ball_is_as_wide_as_a_ball_and_a_tube_is_not(rank: int) -> None:
    ball, line = (slenderness(fingerprint(shapes(rank, k), "segment"))["region"] for k in ("ball", "line"))
    assert ball == pytest.approx(1.0, abs=0.12)
    assert line < THIN[rank]


@pytest.mark.parametrize(("kind", "words"), [("ball", ""), ("line", "cldice"), ("speck", "tversky"),
                                             ("uneven", "generalised_dice")])  # fmt: skip
def test_what_else_the_fingerprint_speaks_for_is_said_and_not_taken(kind: str, words: str) -> None:
    made = plan(UNet(), fingerprint(shapes(2, kind), "segment"))
    assert made.loop.loss == "dice+cross_entropy"
    said = made.origins["loop.loss"]
    assert said.startswith("fingerprint: regions hold") and "overlap and cross-entropy" in said
    named = [w for w in ("cldice", "tversky", "generalised_dice") if w in said]
    assert named == ([words] if words else [])
    if words:
        # What is said can be typed.
        asked = said.split("form.loss=")[1].split()[0].rstrip(":,;")
        assert plan(UNet(form=Form(loss=asked)), fingerprint(shapes(2, kind), "segment")).loop.loss == asked
