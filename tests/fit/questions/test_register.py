"""Learning which point of one image is which point of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from isocenter.data import Case, Cases, Correspondence, Entry, Geometry, Image, Segmentation, Watch, merged
from isocenter.errors import LabelError
from isocenter.fit.feed import Shelf, batch
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.fitting import fitted
from isocenter.fit.planning import plan
from isocenter.fit.questions.register import QUESTION, overlap
from isocenter.fit.scheme import Scheme
from isocenter.infer.plans import flaws
from isocenter.tasks.register.dense_field import DenseField

NAMES = ("background", "spot")
BRIEF = {"width": 4, "study.epochs": 1, "study.steps": 2, "study.batch_size": 2}


def pair(seed: int, *, size: int = 24, regions: bool = True) -> Case:
    """A blob, and the same blob elsewhere, on a weak texture."""
    rng = np.random.default_rng(seed)
    geometry = Geometry.from_spacing((size, size), (1.0, 1.0))
    sides, masks = [], []
    for _ in range(2):
        centre = size / 2 - 0.5 + rng.uniform(-2.5, 2.5, 2)
        away = ((np.indices((size, size)) - centre[:, None, None]) ** 2).sum(0)
        sides.append(np.exp(-away / 18) + 0.05 * ndimage.gaussian_filter(rng.normal(size=(size, size)), 1))
        masks.append(Segmentation((away < 16).astype(np.uint8), NAMES, geometry))
    image = Image.from_array(np.stack(sides).astype(np.float32), axes="cyx", geometry=geometry)
    truth = Correspondence(geometry, geometry, regions=(masks[0], masks[1]))
    return Case(f"p{seed}", {"pair": image}, "pair", load_truth=(lambda: truth) if regions else None)


def pairs(n: int = 6, *, first: int = 0, regions: bool = True, size: int = 24) -> Cases:
    entries = [Entry(f"p{i}", lambda i=i: pair(i, regions=regions, size=size)) for i in range(first, first + n)]
    return Cases(tuple(entries), "pairs", "register", NAMES[1:])


def schemed(cases: Cases, **settings: object) -> Scheme:
    return plan(merged(DenseField(), BRIEF | settings), fingerprint(cases, "register"))


def test_the_plan_says_what_it_is() -> None:
    scheme = schemed(pairs(), **{"goal.window": 5, "goal.labels": 2.0, "refine": 7})
    made = scheme.plan
    assert made.kind == "register" and made.channels == 2 and made.classes == NAMES and made.outputs == 2
    assert made.settings == {"similarity": "ncc", "window": 5, "smoothness": 0.3, "labels": 2.0, "refine": 7,
                             "outputs": 2}
    assert scheme.network["name"] == "velocity" and scheme.network["widths"] == [4, 8]
    assert made.divisor == (4, 4) and scheme.study.patch == (24, 24) and made.spacing == (1.0, 1.0)
    assert Scheme.from_json(scheme.as_json()) == scheme and flaws(made) == []
    assert scheme.estimate["core_minutes"] < 1


@pytest.mark.parametrize(("change", "word"), [
    ({"similarity": "mutual"}, "similarity"), ({"window": 0}, "window"), ({"smoothness": None}, "smoothness"),
    ({"refine": -1}, "refine"),
])  # fmt: skip
def test_settings_that_cannot_be_are_flaws(change: dict, word: str) -> None:
    made = schemed(pairs()).plan
    assert any(word in flaw for flaw in flaws(replace(made, settings=made.settings | change)))


def test_large_pairs_are_seen_whole_on_a_coarser_grid() -> None:
    facts = replace(fingerprint(pairs(2), "register"), median=(512, 512), largest=(512, 512))
    assert plan(DenseField(), facts).plan.spacing == (2.0, 2.0)
    assert plan(DenseField(), replace(facts, spacing=None)).plan.size == (256, 256)
    assert plan(DenseField(), replace(facts, spacing=None, median=(64, 64))).plan.size is None
    asked = plan(merged(DenseField(), {"before.spacing": [3.0, 3.0]}), facts)
    assert asked.plan.spacing == (3.0, 3.0) and asked.origins["plan.spacing"] == "recipe"
    deep = replace(facts, rank=3, median=(40, 56, 40), largest=(48, 60, 48), spacing=(1.0, 1.0, 1.0))
    assert plan(DenseField(), deep).study.patch == (40, 56, 40)


def test_a_batch_holds_pairs_and_their_labels_either_image_first() -> None:
    shelf = Shelf(pairs(), schemed(pairs()))
    ready = shelf[0]
    assert ready.target.shape == ready.image.shape == (2, 24, 24) and ready.target.dtype == np.uint8
    assert np.allclose(ready.image.mean((1, 2)), 0, atol=1e-5) and np.allclose(ready.image.std((1, 2)), 1, atol=1e-4)
    images, (seen, labels) = batch(shelf, 0, seed=0, size=4)
    assert torch.equal(images, seen) and labels.shape == images.shape and labels.dtype == torch.uint8
    # The labels went where their image went: the region is bright.
    for image, label in zip(images.flatten(0, 1), labels.flatten(0, 1), strict=True):
        assert float(image[label == 1].mean()) > float(image[label == 0].mean()) + 0.5
    again = batch(shelf, 0, seed=0, size=4)
    assert torch.equal(again[0], images)
    rng = np.random.default_rng(0)
    first = {bool(QUESTION.shown(ready.image, ready.target, rng, shelf.scheme)[0][0, 0, 0] == ready.image[0, 0, 0])
             for _ in range(20)}
    assert first == {True, False}


def test_pairs_without_regions_have_nothing_but_images() -> None:
    blind = pairs(regions=False)
    shelf = Shelf(blind, schemed(blind))
    assert (shelf[0].target == 255).all() and (batch(shelf, 0, seed=0)[1][1] == 255).all()
    assert 0 < QUESTION.score(Still(), shelf) < 1


def test_other_regions_than_those_of_train_are_refused() -> None:
    with pytest.raises(LabelError, match="regions other"):
        Shelf(pairs(), schemed(replace(pairs(), classes=("organ",))))[0]


class Still(nn.Module):
    """Nothing moves."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.new_zeros(x.shape[0], x.ndim - 2, *(n // 2 for n in x.shape[2:])) + self.shift


def test_the_score_is_the_dice_of_warped_regions() -> None:
    shelf = Shelf(pairs(), schemed(pairs()))
    wanted = []
    for case in pairs():
        a, b = (side.labels == 1 for side in case.truth().regions)
        wanted.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert QUESTION.score(Still(), shelf) == pytest.approx(np.mean(wanted), abs=1e-6)
    assert QUESTION.score(Still(30.0), shelf) < 0.2


def test_overlap_counts_what_somebody_said() -> None:
    labels, move = np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8), np.float32)
    assert overlap(move, labels, 3) is None
    labels[0, 2:4], labels[1, 3:5] = 1, 1
    assert overlap(move, labels, 3) == pytest.approx(0.5)
    move[0] = 1.0
    assert overlap(move, labels, 3) == pytest.approx(1.0)
    labels[0, 0] = 255
    labels[1, 1] = 1
    assert overlap(move, labels, 3) == pytest.approx(1.0)


def test_how_alike_pairs_must_be_is_read_off_val() -> None:
    scheme = schemed(pairs())
    few, enough = (QUESTION.finished(scheme, Still(), Shelf(pairs(n), scheme)) for n in (3, 6))
    assert few.plan.settings["least"] == 0.05 and few.origins["plan.settings.least"].startswith("default")
    assert 0.05 <= enough.plan.settings["least"] < QUESTION.score(Still(), Shelf(pairs(regions=False), scheme))
    assert flaws(enough.plan) == []


def test_it_learns_from_images_alone_and_answers_at_half_the_grid() -> None:
    recipe = merged(DenseField(), BRIEF | {"width": 8, "goal.similarity": "mse", "goal.smoothness": 0.05,
                                           "study.epochs": 2, "study.steps": 30, "study.learning_rate": 4e-3})
    train, valid = pairs(12, regions=False), pairs(6, first=100)
    about, arrays = fitted(recipe, train, valid, task="register", watch=Watch(threads=1))
    scores = [row["score"] for row in about["history"]]
    still = QUESTION.score(Still(), Shelf(valid, Scheme.from_json(about["scheme"])))
    assert max(scores) > still + 0.03
    assert arrays["vector/output"].shape == (1, 2, 12, 12) and arrays["vector/input"].shape == (1, 2, 24, 24)
    assert np.abs(arrays["vector/output"]).max() > 0.1
