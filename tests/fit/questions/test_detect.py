from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from isocenter.data import Boxes, Case, Cases, Entry, Geometry, Image, Normalisation, Plan, Study
from isocenter.errors import LabelError, RecipeError
from isocenter.fit import questions
from isocenter.fit.augment import Pose, positions
from isocenter.fit.feed import Shelf
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.detect import QUESTION, boxes_of, scales
from isocenter.fit.scheme import Scheme

CLASSES = ("cell", "clot")


def case(i: int, *, classes: tuple[str, ...] = CLASSES, ignored: bool = False) -> Case:
    rng = np.random.default_rng(i)
    pixels, edges = rng.normal(0, 0.1, (48, 64)), []
    for c in (0, 1):
        low = rng.integers(2, 20, 2) + np.array([0, 30 * c])
        high = low + (12, 18)[c]
        pixels[low[0] : high[0], low[1] : high[1]] += 1 + c
        edges.append([low - 0.5, high - 0.5])
    image = Image.from_array(pixels.astype(np.float32))
    out = np.array([False, True]) if ignored else None
    truth = Boxes(np.array(edges, float), np.array([0, 1]), classes, image.geometry, ignored=out)
    return Case(f"c{i}", {"image": image}, load_truth=lambda: truth)


def cases(n: int = 4) -> Cases:
    made = [case(i) for i in range(n)]
    return Cases(tuple(Entry(c.id, lambda c=c: c) for c in made), "blocks", "detect", CLASSES, tasks=("detect",))


@dataclass(frozen=True)
class Recipe:
    network: str | None = None
    width: int | None = 4
    study: Study = Study()
    encoder: str | None = None


@pytest.fixture
def scheme() -> Scheme:
    made = Plan("detect", 2, 1, CLASSES, size=(24, 32), normalisation=Normalisation("none"), divisor=(8, 8))
    return Scheme(made, {"name": "yolo"}, Study(batch_size=2, patch=(24, 32)))


def test_it_is_found_by_the_name_of_its_task() -> None:
    assert questions.of("detect") is QUESTION
    assert QUESTION.names(cases()) == CLASSES


def test_the_fingerprint_counts_boxes_and_keeps_their_sizes() -> None:
    facts = fingerprint(cases(), "detect")
    assert facts.counts == {"cell": 4, "clot": 4}
    assert sorted(set(facts.sizes)) == [(12.0, 12.0), (18.0, 18.0)]
    assert QUESTION.looked(case(0, ignored=True), CLASSES).counts == {"cell": 1, "clot": 0}


def test_another_truth_is_refused() -> None:
    with pytest.raises(LabelError, match="no boxes"):
        boxes_of(case(0, classes=("a", "b")), CLASSES)
    with pytest.raises(LabelError, match="no boxes"):
        boxes_of(Case.of(Image.from_array(np.zeros((4, 4)))), CLASSES)


def test_boxes_lie_on_the_working_grid(scheme: Scheme) -> None:
    own = case(3).truth().edges
    ready = QUESTION.ready(case(3), scheme, np.zeros((1, 24, 32), np.float32))
    assert np.allclose(ready.target[:, :2], (own[:, 0] + 0.5) / 2 - 0.5)
    assert ready.target[:, 4].tolist() == [0, 1]
    assert QUESTION.ready(case(3, ignored=True), scheme, ready.image).target[:, 4].tolist() == [0, -2]


def test_samples_and_batches(scheme: Scheme) -> None:
    ready = QUESTION.ready(case(1), scheme, np.zeros((1, 24, 32), np.float32))
    pose = Pose(np.array([11.5, 15.5]), np.eye(2))
    found = QUESTION.sampled(ready, positions(pose, (24, 32)), pose, scheme)
    assert np.allclose(found, ready.target)
    batch = QUESTION.stacked([found, found[:1]])
    assert batch.shape == (2, 2, 5)
    assert batch[1, 1, 4] == -1


@pytest.mark.parametrize("name", ["yolo", "yolov3", "retinanet", "ssd"])
def test_the_plan_of_every_network(name: str) -> None:
    made = plan(Recipe(name), fingerprint(cases(), "detect"))
    assert made.network["name"] == name
    assert made.plan.size == (48, 64)
    assert made.plan.kind == "detect"
    assert made.plan.settings["least"] == 0.01
    assert made.plan.settings["reach"] == [18, 18] and made.plan.settings["seen"] == [48, 64]
    assert made.plan.settings["pixel"] is None and "windows" not in made.plan.settings
    assert ("anchors" in made.network) == (name != "yolo")
    if name != "yolo":
        sizes = np.array(made.network["anchors"]).reshape(-1, 2)
        assert np.abs(sizes - 12).min() < 1e-6
        assert np.abs(sizes - 18).min() < 1e-6
        assert "mean IoU 1.000" in made.origins["network.anchors"]
    assert made.study.augment.spatial.rotation == (0.0, 0.0)
    torch.manual_seed(0)
    net = __import__("isocenter.nets", fromlist=["build"]).build(made.network)
    shelf = Shelf(cases(), made)
    assert 0 <= QUESTION.score(net, shelf) <= 1


def test_no_other_network_will_do() -> None:
    with pytest.raises(RecipeError, match="Did you mean yolo"):
        plan(Recipe("yolo4"), fingerprint(cases(), "detect"))


def test_levels_follow_the_size_of_the_objects() -> None:
    steps = [[2, 2]] * 5
    cells = np.array([[26.0, 26.0]] * 8 + [[66.0, 70.0]] * 80 + [[130.0, 120.0]] * 10)
    assert scales(cells, steps) == (steps, 3)
    small = np.full((50, 2), 9.0)
    assert scales(small, steps) == (steps[:4], 3)
    assert scales(np.full((5, 2), 400.0), steps) == (steps, 3)
    assert scales(np.full((5, 2), 3.0), steps[:2]) == (steps[:2], 2)


def oracle(scheme: Scheme, shift: float = 0.0) -> Callable[[torch.Tensor], torch.Tensor]:
    """A module that knows the truth of the next case; `shift` moves its boxes."""

    class Oracle(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.any = torch.nn.Parameter(torch.zeros(1))
            self.turn = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            rows = Shelf(cases(), scheme)[self.turn % 4].target
            self.turn += 1
            out = np.zeros((1, len(rows) + 1, 6), np.float32)
            out[0, :-1, :4] = rows[:, :4] + shift
            out[0, np.arange(len(rows)), 4 + rows[:, 4].astype(int)] = 0.6
            out[0, -1] = [0, 0, 2, 2, 0.3, 0.2]
            return torch.from_numpy(out)

    return Oracle()


def test_average_precision_on_val(scheme: Scheme) -> None:
    shelf = Shelf(cases(), scheme)
    assert QUESTION.score(oracle(scheme), shelf) == pytest.approx(1.0)
    assert QUESTION.score(oracle(scheme, shift=9.0), shelf) == pytest.approx(0.0)


def test_the_score_limit_is_chosen_on_val(scheme: Scheme) -> None:
    done = QUESTION.finished(scheme, oracle(scheme), Shelf(cases(), scheme))
    assert done.plan.thresholds == pytest.approx((0.45, 0.4), abs=1e-6)
    assert "4 images" in done.origins["plan.thresholds"]


def test_volumes_are_turned_before_they_are_learnt() -> None:
    geometry = Geometry.from_spacing((8, 10, 12), (1.0, 1.0, 1.0))
    image = Image.from_array(np.zeros((8, 10, 12), np.float32), spacing=(1.0, 1.0, 1.0))
    truth = Boxes(np.array([[[0.5, 1.5, 2.5], [4.5, 6.5, 8.5]]]), np.array([0]), ("x",), geometry)
    volume = Case("v", {"image": image}, load_truth=lambda: truth)
    made = Plan("detect", 3, 1, ("x",), normalisation=Normalisation("none"), orientation="IAR")
    ready = QUESTION.ready(volume, Scheme(made, {}, Study()), np.zeros((1, 8, 10, 12), np.float32))
    flipped = [7 - 4.5, 9 - 6.5, 11 - 8.5, 7 - 0.5, 9 - 1.5, 11 - 2.5, 0]
    assert ready.target[0].tolist() == (flipped if geometry.orientation == "SPL" else ready.target[0].tolist())
    assert geometry.orientation == "SPL"


def test_the_study_takes_larger_batches() -> None:
    facts = replace(fingerprint(cases(), "detect"), n=300)
    assert QUESTION.study(facts, 2)["batch_size"] == 16
    assert QUESTION.study(replace(facts, rank=3), 2)["batch_size"] == 4
    assert QUESTION.study(replace(facts, n=3), 2)["batch_size"] == 3
