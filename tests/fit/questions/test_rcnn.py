"""Learning which pixels are which object, by regions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from isocenter import nets
from isocenter.data import Augment, Case, Cases, Entry, Image, Instances, Intensity, Spatial, Study
from isocenter.errors import LabelError, RecipeError
from isocenter.fit.augment import Pose, positions
from isocenter.fit.feed import Shelf, batch
from isocenter.fit.fingerprint import fingerprint
from isocenter.fit.planning import plan
from isocenter.fit.questions.question import Ready
from isocenter.fit.questions.rcnn import QUESTION, anchors_of, looked_up, parts_of, swept
from isocenter.infer import engine, verify
from isocenter.infer.rcnn import Regions, regions
from isocenter.tasks.instances.cascade_rcnn import CascadeRCNN
from isocenter.tasks.instances.mask_rcnn import MaskRCNN

CLASSES = ("small", "large")
STILL = Augment(Spatial((0, 0), (0, 0), (1, 1), (0, 0), (), 0), Intensity((1, 1), 0, (1, 1), 0, 0, 1), 0)
SMALL = {"width": 8, "features": 16}


def numbers_of(seed, shape=(64, 96)):
    """A label map of two small discs and a large one."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    out = np.zeros(shape, np.int32)
    for i, (row, column, radius) in enumerate(((16, 16, 5), (48, 16, 6), (32, 64, 18)), start=1):
        centre = np.array([row, column]) + rng.integers(-5, 6, 2)
        out[(y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2] = i
    return out


def case_of(seed):
    numbers = numbers_of(seed)
    image = Image.from_array((numbers > 0) * 100.0 + np.random.default_rng(seed).normal(size=numbers.shape))
    truth = partial(Instances.from_label_map, numbers, image.geometry, classes=CLASSES, labels=[0, 0, 1])
    return Case(f"case{seed}", {"image": image}, load_truth=truth)


@pytest.fixture(scope="module")
def cases():
    return Cases(tuple(Entry(f"case{i}", partial(case_of, i)) for i in range(4)), task="instances", classes=CLASSES)


@pytest.fixture(scope="module")
def facts(cases):
    return fingerprint(cases, "instances", head="rcnn")


@pytest.fixture(scope="module")
def scheme(facts):
    return plan(MaskRCNN(study=Study(patch=(64, 96), batch_size=2, augment=STILL), **SMALL), facts)


def test_the_fingerprint_knows_objects_and_their_sizes(facts):
    assert facts.classes == CLASSES and facts.counts == {"small": 8, "large": 4}
    assert sorted({s[0] for s in facts.sizes}) == [11, 13, 37]


def test_the_plan_fits_what_answers_need(facts, scheme):
    settings = scheme.plan.settings
    assert scheme.plan.kind == "rcnn" and scheme.plan.divisor == (32, 32)
    assert scheme.network["anchors"] == settings["anchors"] and len(settings["strides"]) == len(settings["anchors"])
    assert settings["features"] == scheme.network["features"] == 16
    assert scheme.network["outputs"] == 2 and scheme.network["limits"] == [0.5]
    cascade = plan(CascadeRCNN(limits=(0.5, 0.7), **SMALL), facts)
    assert len(cascade.plan.settings["spreads"]) == 2 and cascade.network["limits"] == [0.5, 0.7]
    assert type(scheme).from_json(scheme.as_json()) == scheme


def test_volumes_are_refused(facts):
    with pytest.raises(RecipeError, match="two axes"):
        QUESTION.network(MaskRCNN(), replace(facts, rank=3), (8, 8, 8), {}, {})


def test_anchors_fit_the_objects_of_their_level(facts):
    def of(sizes):
        return np.asarray(anchors_of(replace(facts, sizes=tuple(sizes))))

    nuclei = of([(s, s * r) for s in range(8, 40) for r in (0.8, 1.0, 1.2)])
    assert nuclei.shape == (1, 4, 2) and nuclei.min() > 8 and nuclei.max() < 48
    both = of([(10.0, 10.0)] * 90 + [(100.0, 100.0)] * 10)
    assert both.shape == (3, 4, 2) and np.allclose(both[0], 10) and np.allclose(both[2], 100)
    # Between them no object lies: the level gets the usual sizes for its cells.
    assert 40 < both[1].mean() < 100
    assert of([(9.0, 3.0)] * 3).shape == (1, 4, 2) and of([]).shape[1:] == (4, 2)
    # A few giants are worth no level of their own.
    assert len(of([(10.0, 10.0)] * 999 + [(400.0, 400.0)])) == 1


def test_a_sample_has_boxes_and_numbers_of_what_it_shows(cases, scheme):
    ready = Shelf(cases, scheme)[0]
    images, (boxes, numbers) = batch(Shelf(cases, scheme), 0, seed=0)
    assert images.shape == (2, 1, 64, 96) and boxes.shape == (2, 3, 5) and numbers.shape == (2, 64, 96)
    assert boxes.dtype == torch.float32 and numbers.dtype == torch.int32
    for row, there in zip(boxes.numpy(), numbers.numpy(), strict=True):
        assert sorted(row[:, 4]) == [0, 0, 1]
        for i, box in enumerate(row, start=1):
            held = np.argwhere(there == i)
            assert np.array_equal(box[:4], [*(held.min(0) - 0.5), *(held.max(0) + 0.5)])
    assert ready.target[0].max() == 3 and ready.centres[1].shape[1] == 2


def test_objects_turn_with_the_image(cases, scheme):
    ready = Shelf(cases, scheme)[1]
    pose = Pose(np.array([31.5, 47.5]), np.diag([-1.0, 1.0]))
    boxes, numbers = QUESTION.sampled(ready, positions(pose, (64, 96)), pose, scheme)
    assert np.array_equal(numbers > 0, ready.target[0][::-1] > 0) and len(boxes) == 3
    assert sorted(boxes[:, 4]) == [0, 0, 1]


def test_beyond_the_edge_objects_are_mirrored_and_become_others(scheme):
    numbers = np.zeros((40, 40), np.int32)
    numbers[4:10, 10:20] = 1
    numbers[20:30, 0:8] = 2
    numbers[39, 39] = 3
    ready = Ready(np.zeros((1, 40, 40), np.float32), (numbers, np.array([0, 1, 0])))
    pose = Pose(np.array([9.5, 9.5]), np.eye(2))
    boxes, found = QUESTION.sampled(ready, positions(pose, (60, 60)), pose, scheme)
    # The first object has mirror images above, on the left, and at the corner; the second, which touches the edge,
    # grows into its own; the third is a speck.
    assert sorted(boxes[:, 4]) == [0, 0, 0, 0, 1] and found.max() == 5
    assert [int((found == i + 1).sum()) for i in np.argsort(boxes[:, 4], kind="stable")] == [60, 60, 60, 60, 160]
    assert looked_up(numbers, np.array([[-1.0, 0.0], [-5.0, 10.0], [80.0, 3.0]])).tolist() == [0, 1, 0]


def test_images_without_objects_and_specks(scheme):
    empty = Ready(np.zeros((1, 40, 40), np.float32), (np.zeros((40, 40), np.int32), np.zeros(0, np.int64)))
    pose = Pose(np.array([19.5, 19.5]), np.eye(2))
    boxes, numbers = QUESTION.sampled(empty, positions(pose, (32, 32)), pose, scheme)
    assert boxes.shape == (0, 5) and not numbers.any()
    filled, _ = QUESTION.stacked([(boxes, numbers), (np.ones((2, 5), np.float32), numbers)])
    assert filled.shape == (2, 2, 5) and (filled[0] == -1).all() and (filled[1] == 1).all()


def test_the_truth_on_a_coarser_grid(cases, scheme):
    ready = QUESTION.ready(cases[0], scheme, np.zeros((1, 32, 48), np.float32))
    assert ready.target[0].shape == (32, 48) and np.unique(ready.target[0]).tolist() == [0, 1, 2, 3]


def test_truth_of_another_kind_is_refused(cases, scheme):
    other = replace(scheme, plan=replace(scheme.plan, classes=("cell",)))
    with pytest.raises(LabelError, match="other classes"):
        QUESTION.ready(cases[0], other, np.zeros((1, 64, 96), np.float32))
    with pytest.raises(LabelError, match="no objects"):
        QUESTION.looked(replace(cases[0], load_truth=None), CLASSES)
    small = Image.from_array(np.zeros((8, 8), np.float32))
    with pytest.raises(LabelError, match="another grid"):
        QUESTION.looked(replace(cases[0], images={"image": small}), CLASSES)


def test_the_score_limit_is_the_best_on_val(cases, scheme, monkeypatch):
    shelf, calls, limits = Shelf(cases, scheme), itertools.cycle(range(4)), []

    def knowing(engines, array, plan_):
        """Every object, sure; and one that is none, less sure; with the limit 0.2 only that."""
        assert plan_.settings["least"] == 0.1
        limits.append(plan_.settings["limit"])
        numbers, kinds = shelf[next(calls)].target
        edges = []
        for i in range(1, 4):
            held = np.argwhere(numbers == i)
            edges.append([held.min(0) - 0.5, held.max(0) + 0.5])
        edges.append(np.array([[55.0, 80.0], [63.0, 95.0]]))
        y, x = (np.mgrid[:28, :28] + 0.5) / 28 - 0.5
        disc = np.repeat((y**2 + x**2 <= 0.25)[None].astype(np.float32), 4, 0)
        found = Regions(np.asarray(edges), np.array([0.9, 0.8, 0.7, 0.42]), np.append(kinds, 0), disc)
        return Regions(found.edges[3:], found.scores[3:], found.labels[3:], disc[3:]) if limits[-1] == 0.2 else found

    monkeypatch.setattr("isocenter.fit.questions.rcnn.regions", knowing)
    value, least = swept(nets.build(scheme.network), shelf)
    assert value == 1.0 and least == 0.45
    done = QUESTION.finished(scheme, nets.build(scheme.network), shelf)
    assert done.plan.settings["least"] == 0.45 and "val" in done.origins["plan.settings.least"]
    assert done.plan.settings["limit"] == 0.3 and sorted(set(limits)) == [0.2, 0.3, 0.4, 0.5]


def test_every_part_is_exported_and_answers_the_same(facts, cases):
    scheme = plan(CascadeRCNN(limits=(0.5, 0.6), study=Study(patch=(64, 96)), **SMALL), facts)
    module = nets.build(scheme.network)
    vector = np.random.default_rng(0).normal(size=(1, 1, 64, 96)).astype(np.float32)
    out = QUESTION.exported(module, scheme, vector)
    names = [n for n in out if n.endswith(".onnx")]
    assert names == ["network.onnx", "box0.onnx", "box1.onnx", "mask.onnx"] == list(parts_of(module))
    engines = {n: engine(out[n].tobytes(), threads=1) for n in names}
    for name in names:
        place = "vector/" if name == "network.onnx" else f"vector/{name.removesuffix('.onnx')}/"
        assert verify(engines[name], out[f"{place}input"], out[f"{place}output"], scheme.plan) <= 1e-3
    # Any grid and any number of regions.
    array = np.random.default_rng(1).normal(size=(1, 130, 70)).astype(np.float32)
    loose = replace(scheme.plan, settings=scheme.plan.settings | {"least": 0.2})
    found = regions(engines, array, loose)
    assert len(found.scores) > 3 and np.isfinite(found.edges).all() and found.masks.shape[1:] == (28, 28)


def test_learning_is_the_same_twice(cases, scheme):
    found = []
    for _ in range(2):
        module = nets.build(scheme.network).train()
        optimiser = torch.optim.SGD(module.parameters(), 0.01)
        for step in range(2):
            images, targets = batch(Shelf(cases, scheme), step, seed=0)
            torch.manual_seed(step)
            value = QUESTION.loss(scheme)(module(images, targets), targets)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
        found.append({k: v.clone() for k, v in module.state_dict().items()})
    assert all(torch.equal(found[0][k], found[1][k]) for k in found[0])
