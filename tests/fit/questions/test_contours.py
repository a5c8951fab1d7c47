"""Learning which pixels are which object."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isocenter.data import Case, Cases, Entry, Image, Instances, Watch, merged
from isocenter.errors import LabelError
from isocenter.fit.feed import Shelf, batch
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.contours import QUESTION, ap50, depth_and_offsets, nearest, weight_of
from isocenter.ops.components import at_rim
from isocenter.tasks.instances.contours import Contours


def cells(n: int = 8, size: int = 64, seed: int = 0) -> Cases:
    """Bright discs that touch, each its own number; the last image holds none."""
    rng = np.random.default_rng(seed)
    grid = np.indices((size, size))
    entries = []
    for i in range(n):
        numbers = np.zeros((size, size), np.int32)
        for k in range(0 if i == n - 1 else 12):
            centre, radius = rng.uniform(4, size - 4, 2).reshape(2, 1, 1), rng.uniform(4, 7)
            disc = ((grid - centre) ** 2).sum(0) < radius**2
            if (numbers[disc] > 0).mean() < 0.2:
                numbers[disc & (numbers == 0)] = k + 1
        image = Image.from_array(((numbers > 0) + rng.normal(0, 0.15, numbers.shape)).astype(np.float32))
        truth = Instances.from_label_map(numbers, image.geometry)
        case = Case(f"c{i}", {"image": image}, subject=f"s{i}", load_truth=lambda truth=truth: truth)
        entries.append(Entry(case.id, lambda case=case: case, case.subject, case.subject))
    return Cases(tuple(entries), "cells", "instances", ("object",))


def test_depth_and_offsets_of_touching_objects() -> None:
    numbers = np.zeros((9, 12), np.int32)
    numbers[2:7, 1:6], numbers[2:7, 6:11] = 4, 9
    depth, offsets = depth_and_offsets(numbers, 2.0)
    assert depth[4, 3] == depth[4, 8] == 1.0
    assert 0 < depth[4, 5] < 0.5 and 0 < depth[4, 6] < 0.5, "a shared edge is an edge of both"
    assert not depth[numbers == 0].any() and not offsets[:, numbers == 0].any()
    assert offsets[:, 2, 1].tolist() == [1.0, 1.0] and offsets[:, 4, 3].tolist() == [0.0, 0.0]


def test_small_objects_weigh_more() -> None:
    numbers = np.zeros((40, 40), np.int32)
    numbers[:3, :3], numbers[10:20, 10:20], numbers[25:, :] = 1, 2, 3
    weight = weight_of(numbers, 10.0)
    assert weight[0, 0] == pytest.approx((10 / 3) ** 0.5) and weight[15, 15] == 1.0 and weight[30, 5] < 1.0


def test_a_picture_filled_by_one_object() -> None:
    depth, offsets = depth_and_offsets(np.ones((5, 5), np.int32), 1.0)
    assert (depth == 1).all() and offsets[0, 0, 0] == 2.0
    none = depth_and_offsets(np.zeros((5, 5), np.int32), 1.0)
    assert not none[0].any() and not none[1].any()


def test_agreement_against_its_definition() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (np.kron(rng.integers(0, 4, (5, 5)), np.ones((3, 3), int)) for _ in range(2))
        b = np.where(rng.random(b.shape) < 0.7, a, b)
        ids = [[i for i in np.unique(x) if i] for x in (a, b)]
        hits = sum(
            (np.sum((a == i) & (b == j)) / np.sum((a == i) | (b == j))) > 0.5 for i in ids[0] for j in ids[1]
        )
        assert ap50(a, b) == pytest.approx(hits / (len(ids[0]) + len(ids[1]) - hits))
    assert ap50(np.zeros((2, 2), int), np.zeros((2, 2), int)) == 1.0
    assert ap50(np.ones((2, 2), int), np.zeros((2, 2), int)) == 0.0


def test_numbers_are_never_mixed_on_another_grid() -> None:
    numbers = np.kron(np.array([[1, 5], [0, 9]]), np.ones((4, 4), int))
    assert nearest(numbers, (2, 2)).tolist() == [[1, 5], [0, 9]]
    assert set(np.unique(nearest(numbers, (5, 7)))) <= {0, 1, 5, 9}


def test_a_batch_holds_classes_depth_and_offsets() -> None:
    cases = cells()
    recipe = merged(Contours(), {"width": 4, "study.batch_size": 3, "study.patch": [48, 48]})
    scheme = plan(recipe, fingerprint(cases, "instances", head="contours"))
    images, (classes, depth, weight, offsets) = batch(Shelf(cases, scheme), 0, seed=0)
    assert images.shape == (3, 1, 48, 48) and classes.shape == depth.shape == (3, 48, 48)
    assert offsets.shape == (3, 2, 48, 48)
    assert set(classes.unique().tolist()) <= {0, 1, 255}
    assert ((depth > 0) == (classes == 1)).all()
    assert weight.min() >= 0.5 and weight.max() <= 4.0
    assert scheme.plan.outputs == scheme.network["outputs"] == 5
    assert 8 < scheme.plan.settings["diameter"] < 14
    assert "median object" in scheme.origins["plan.settings"]
    assert "counterstain" not in scheme.plan.settings
    asked = plan(merged(recipe, {"counterstain": True}), fingerprint(cases, "instances", head="contours"))
    assert asked.plan.settings["counterstain"] is True


def test_the_loss_is_least_for_the_truth() -> None:
    cases = cells()
    scheme = plan(Contours(), fingerprint(cases, "instances", head="contours"))
    _, target = batch(Shelf(cases, scheme), 0, seed=0)
    classes, depth, _, offsets = target
    shown = torch.where(classes == 1, 8.0, -8.0)
    inner = torch.logit(depth.clamp(1e-3, 1 - 1e-3))
    right = torch.cat([-shown[:, None], shown[:, None], inner[:, None], offsets], 1)
    loss = QUESTION.loss(scheme)
    best = loss(right, target)
    assert float(loss([right, right[:, :, 1::2, 1::2]], target)) == pytest.approx(float(best), abs=0.3)
    for change in (right * -1, right + torch.tensor([0, 0, 0, 1.0, 0]).reshape(1, 5, 1, 1)):
        assert loss(change, target) > best + 0.1


def test_it_learns_touching_cells_and_comes_back_from_its_state() -> None:
    cases = cells(14)
    recipe = merged(
        Contours(),
        {"width": 8, "depth": 2, "study.epochs": 7, "study.steps": 25, "study.patch": [64, 64], "study.batch_size": 4},
    )
    fitted = recipe.fit(cases.subset(range(10)), cases.subset([10, 11, 12, 13]), watch=Watch(threads=1))
    scores = [entry["score"] for entry in fitted.about["history"]]
    assert scores[-1] > scores[0] + 0.2
    assert fitted.about["origins"]["plan.settings"].startswith("val: ap50")
    again = Contours.from_state(fitted.about, fitted.state())
    for case in cases.subset([10, 13]):
        one, two = fitted.predict(case), again.predict(case)
        assert np.array_equal(one.label_map(), two.label_map())
        assert one.geometry.same_grid(case.image().geometry)
    assert ap50(fitted.predict(cases[10]).label_map(), cases[10].truth().label_map()) > 0.5


def test_a_truth_without_objects_at_the_rim_is_learnt() -> None:
    class Known(torch.nn.Module):
        """A network that sees every cell."""

        def __init__(self) -> None:
            super().__init__()
            self.device = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            numbers = x[0, 0].round().int().numpy()
            depth, offsets = depth_and_offsets(numbers, scheme.plan.settings["scale"])
            sure = np.where(numbers > 0, 4.0, -4.0)
            inner = 8 * depth - 4
            return torch.from_numpy(np.stack([-sure, sure, inner, *offsets])[None].astype(np.float32))

    found = {}
    for inner in (False, True):
        said = []
        for case in cells(8, seed=3):
            numbers = case.truth().label_map()
            seen = Image.from_array(numbers.astype(np.float32))
            truth = np.where(at_rim(numbers)[numbers], 0, numbers) if inner else numbers
            truth = Instances.from_label_map(truth, seen.geometry)
            said.append(Case(case.id, {"image": seen}, subject=case.id, load_truth=lambda truth=truth: truth))
        entries = tuple(Entry(c.id, lambda c=c: c, c.subject, c.subject) for c in said)
        cases = Cases(entries, "cells", "instances", ("object",))
        recipe = merged(Contours(), {"before.intensity": "none", "study.patch": [64, 64]})
        scheme = plan(recipe, fingerprint(cases, "instances", head="contours"))
        finished = QUESTION.finished(scheme, Known(), Shelf(cases, scheme))
        found[inner] = finished.plan.settings.get("rim", True)
    assert found == {False: True, True: False}


def test_a_truth_of_another_kind_or_grid_is_refused() -> None:
    image = Image.from_array(np.zeros((8, 8)))
    with pytest.raises(LabelError, match="no objects"):
        QUESTION.looked(Case.of(image), ("background", "object"))
    other = Instances.none(("object",), Image.from_array(np.zeros((4, 4))).geometry, scored=False)
    with pytest.raises(LabelError, match="another grid"):
        QUESTION.looked(Case("a", {"image": image}, load_truth=lambda: other), ("background", "object"))
    scheme = plan(Contours(), fingerprint(cells(3), "instances", head="contours"))
    odd = Instances.none(("cell",), image.geometry, scored=False)
    with pytest.raises(LabelError, match="classes of train"):
        QUESTION.ready(Case("a", {"image": image}, load_truth=lambda: odd), scheme, np.zeros((1, 8, 8), np.float32))
