"""Cohorts of phantoms as cases."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Boxes, Instances, Probabilities, Segmentation, Values
from isocenter.errors import InputError, NotFoundError
from isocenter.simulate import KINDS, checksum, cohort
from isocenter.tasks.segment.histogram import Histogram


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("task", ["segment", "classify", "regress", "detect", "instances"])
def test_every_case_says_what_it_is(kind: str, task: str) -> None:
    shape = (8, 32, 32) if kind in ("ct-volume", "cell-stack") else (32, 40)
    cases = cohort(8, seed=1, kind=kind, task=task, shape=shape)
    assert cases.name.startswith("simulated ")
    assert cases.task == task
    assert [e.subject for e in cases.entries] == [f"sim{i:03d}" for i in range(1, 9)]
    case = cases[3]
    assert case.image().source.format == "simulated"
    assert case.image().pixels().shape == shape
    assert case.image().pixels().dtype == case.image().dtype
    truth = case.truth()
    if task == "segment":
        assert isinstance(truth, Segmentation)
        assert truth.names == ("background", *cases.classes)
        assert truth.geometry.same_grid(case.image().geometry)
    elif task in ("detect", "instances"):
        assert isinstance(truth, Boxes if task == "detect" else Instances)
        assert truth.classes == cases.classes and truth.scores is None
        assert len(truth) >= 1 and truth.geometry.same_grid(case.image().geometry)
    elif task == "regress":
        assert isinstance(truth, Values) and tuple(truth.items) == cases.classes and cases.entries[3].labels == ()
        labels = cohort(8, seed=1, kind=kind, shape=shape)[3].truth().labels
        size = (labels == 1).sum() * case.image().geometry.pixel_volume
        [value] = truth.items.values()
        assert value.number == pytest.approx(size / 1000 if len(shape) == 3 else size)
        assert value.unit == ("ml" if len(shape) == 3 else "mm2")
    else:
        assert isinstance(truth, Probabilities)
        assert cases.entries[3].labels == (truth.label,)
        assert cases.positive == "lesion"


def test_splits_are_40_8_16_of_64_by_subject() -> None:
    cases = cohort(64, seed=0)
    assert cases.splits == {"train": 40, "val": 8, "test": 16}
    assert cases.n_subjects == 64
    assert [c.split for c in cases][:1] == ["train"]


def test_the_same_seed_gives_the_same_cohort_and_another_another() -> None:
    a, b = (cohort(4, seed=5, shape=(24, 24)) for _ in range(2))
    assert checksum(a) == checksum(b) != checksum(cohort(4, seed=6, shape=(24, 24)))
    assert checksum(a) != checksum(cohort(4, seed=5, shape=(24, 24), task="classify"))


def test_objects_are_those_of_the_label_map() -> None:
    shape = (64, 64)
    for kind in ("ct-slice", "cells"):
        labels = cohort(8, seed=2, kind=kind, shape=shape)[0].truth().labels
        objects = cohort(8, seed=2, kind=kind, shape=shape, task="instances")[0].truth()
        numbers = objects.label_map()
        assert np.array_equal(numbers > 0, labels > 0)
        assert np.array_equal(np.concatenate([[0], objects.labels + 1])[numbers], labels)
        boxes = cohort(8, seed=2, kind=kind, shape=shape, task="detect")[0].truth()
        assert np.array_equal(boxes.edges, objects.boxes().edges)
    tasks = {t: checksum(cohort(3, seed=2, kind="cells", shape=shape, task=t)) for t in ("detect", "instances")}
    assert tasks["detect"] != tasks["instances"]


def test_a_subject_does_not_depend_on_the_size_of_the_cohort() -> None:
    few, many = cohort(4, seed=5, shape=(24, 24)), cohort(9, seed=5, shape=(24, 24))
    assert np.array_equal(few[3].image().pixels(), many[3].image().pixels())


def test_figures_of_one_cohort_stay() -> None:
    """Guards the phantoms against changes by accident: figures of seed 0, written down when they were drawn first."""
    truths = [c.truth() for c in cohort(3, seed=0, shape=(48, 48))]
    means = [float(c.image().pixels().mean()) for c in cohort(3, seed=0, shape=(48, 48))]
    assert [int((t.labels > 0).sum()) for t in truths] == pytest.approx([276, 241, 248], abs=3)
    assert means == pytest.approx([-496.7, -470.2, -508.4], abs=0.5)


def test_some_subjects_have_no_lesion() -> None:
    cases = cohort(16, seed=0, shape=(48, 48))
    assert sum(not c.truth().mask("lesion").any() for c in cases) == 2
    assert all(c.truth().mask("organ").any() for c in cases)
    labels = [e.labels[0] for e in cohort(16, seed=0, task="classify").entries]
    assert labels.count("lesion") == 8


def test_spacing_follows_the_field_of_view() -> None:
    assert cohort(3, seed=0, shape=(48, 96))[0].image().geometry.spacing == (7.5, 3.75)


def test_otsu_sees_something_but_not_enough() -> None:
    """What makes the phantom fit for the demo: thresholds find part of the organ, never most of it."""
    cases = cohort(24, seed=0)
    method = Histogram().fit(cases.split("train"), cases.split("val"))
    scores = []
    for case in cases.split("test"):
        answer, truth = method.predict(case).labels == 1, case.truth().labels > 0
        scores.append(2 * (answer & truth).sum() / (answer.sum() + truth.sum()))
    assert 0.35 < np.mean(scores) < 0.7


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(NotFoundError, match="ultrasound"):
        cohort(4, seed=0, kind="ultrasond")
    with pytest.raises(InputError, match="2 subjects"):
        cohort(2, seed=0)
    with pytest.raises(InputError, match="3 axes"):
        cohort(4, seed=0, kind="ct-volume", shape=(32, 32))
    with pytest.raises(InputError, match="do not answer this"):
        cohort(4, seed=0, task="register")
