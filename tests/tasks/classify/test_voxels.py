"""The linear classifier on voxels as a method."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import detrend
from sklearn.metrics import roc_auc_score

from isocenter import io
from isocenter.data import Attribution, Case, Cases, Image, NotEvaluated, Probabilities, Watch, build
from isocenter.errors import BundleError, InputError, LabelError, NotFoundError, RecipeError
from isocenter.tasks.classify.voxels import FittedVoxels, Voxels

SHAPE = (4, 10, 12)
WHERE, ELSEWHERE = (slice(1, 3), slice(2, 5), slice(6, 10)), (slice(2, 4), slice(6, 9), slice(0, 4))


def volumes(n: int, seed: int = 0, effect: float = 1.0, classes: int = 2, subjects: int = 0) -> Cases:
    """Noise, with one small part that depends on the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = rng.normal(50, 5, (n, *SHAPE))
    for array, label in zip(x, y, strict=True):
        array[WHERE if label == 1 else ELSEWHERE] += 5 * effect * (label > 0)
    cases = Cases.from_arrays(list(x), y, classes=["rest", "task", "other"][:classes])
    if not subjects:
        return cases
    named = [replace(e, open=lambda e=e, i=i: replace(e.open(), group=f"s{i % subjects}"))
             for i, e in enumerate(cases.entries)]
    return replace(cases, entries=tuple(named))


def accuracy(method: FittedVoxels, cases: Cases) -> float:
    return float(np.mean([method.predict(c).label == e.labels[0] for c, e in zip(cases, cases.entries, strict=True)]))


@pytest.mark.parametrize("kind", ["svm", "logistic"])
@pytest.mark.parametrize("classes", [2, 3])
def test_it_learns_and_chance_does_not(kind: str, classes: int) -> None:
    train, valid, test = (volumes(45, seed, effect=2.0, classes=classes) for seed in range(3))
    method = Voxels(kind=kind, permutations=39).fit(train, valid)
    assert accuracy(method, test) > 0.8
    found = method.about["permutation"]
    assert found["p"] == pytest.approx(1 / 40) and found["accuracy"] > 0.8
    assert found["by_chance"] == pytest.approx(1 / classes, abs=0.12)
    assert "p = 0.025" in method.about["said"][0] and "n = 45" in method.about["said"][0]


def test_where_there_is_nothing_p_says_so() -> None:
    values = [Voxels(permutations=19).fit(volumes(20, 2 * s, effect=0.0), volumes(20, 2 * s + 1, effect=0.0))
              .about["permutation"]["p"] for s in range(12)]
    assert np.mean(values) > 0.3 and min(values) >= 0.05


def test_the_map_shows_where_the_class_is() -> None:
    train, valid = volumes(60), volumes(30, 1)
    method = Voxels(permutations=0).fit(train, valid)
    inside = np.zeros(SHAPE, bool)
    inside[WHERE] = True
    for kind in ("weights", "pattern"):
        found = method.weighted(valid[0], kind=kind, target="task")
        assert isinstance(found, Attribution) and found.method == kind and found.target == "task"
        assert found.geometry.same_grid(valid[0].image().geometry)
        assert roc_auc_score(inside.ravel(), found.values.ravel()) > 0.9
        against = method.weighted(valid[0], kind=kind, target="rest")
        assert np.allclose(found.values, -against.values)
    assert method.weighted(valid[1]).target == method.predict(valid[1]).label


def test_a_pattern_does_not_show_what_only_cancels_noise() -> None:
    """One voxel holds class and noise, its neighbour the same noise alone: weighted, but no place of the class."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    noise = np.repeat(3 * rng.normal(size=60), 2)
    x = 0.05 * rng.normal(size=(120, 1, 2))
    x[:, 0, 0] += y + noise
    x[:, 0, 1] += noise
    cases = Cases.from_arrays(list(x), y)
    method = Voxels(penalty=1e-5, permutations=0).fit(cases, cases)
    weights, pattern = (method.weighted(cases[0], kind=k, target="1").values[0] for k in ("weights", "pattern"))
    assert weights[1] < -0.9 * weights[0]
    assert abs(pattern[1]) < 0.3 * pattern[0]


def test_contributions_sum_to_the_answer() -> None:
    train, valid = volumes(40), volumes(20, 1)
    method = Voxels(kind="logistic", permutations=0).fit(train, valid)
    plan = method.about["plan"]
    for case in valid:
        p = method.predict(case).of("task")
        parts = method.weighted(case, kind="contribution", target="task").values.sum(dtype=float)
        logit = plan["temperature"] * np.log(p / (1 - p))
        assert parts + method.state()["intercepts"][1] == pytest.approx(logit, abs=1e-4)


def test_labels_are_shuffled_as_subjects_allow() -> None:
    train, valid = volumes(24, subjects=3), volumes(24, 1)
    method = Voxels(permutations=9).fit(train, valid)
    other = Voxels(permutations=9).fit(train, valid, watch=Watch(seed=1))
    assert method.about["permutation"]["by_chance"] != other.about["permutation"]["by_chance"]
    again = Voxels(permutations=9).fit(train, valid)
    assert again.about == method.about
    assert all(np.array_equal(again.state()[k], method.state()[k]) for k in method.state())
    none = Voxels(permutations=0).fit(train, valid)
    assert "p" not in none.about["permutation"] and none.about["said"] == []


def test_it_comes_back_and_several_labels_are_answered() -> None:
    rng = np.random.default_rng(0)
    y = np.stack([np.arange(60) % 2, np.arange(60) // 2 % 2], axis=1)
    x = rng.normal(size=(60, 6, 6)) + y[:, :1, None] * (np.arange(6) < 3) - y[:, 1:, None] * (np.arange(6) >= 3)
    cases = Cases.from_arrays(list(x), y, classes=["a", "b"])
    method = Voxels(permutations=3, intensity="standardise").fit(cases, cases)
    back = Voxels.from_state(json.loads(json.dumps(method.about)), method.state())
    found = [back.predict(c) for c in cases]
    assert found[0] == method.predict(cases[0]) and found[0].multilabel
    assert isinstance(found[0], Probabilities) and back.weighted(cases[0], target="b").values[:, 3:].mean() < 0


def test_another_grid_is_refused_with_a_remedy() -> None:
    same = volumes(10)
    arrays = [*(c.image().pixels() for c in same), np.zeros((4, 10, 13))]
    larger = Cases.from_arrays(arrays, [0, 1] * 5 + [1], classes=same.classes)
    with pytest.raises(InputError, match=r"voxels.*\(4, 10, 13\).*\(4, 10, 12\).*Resample"):
        Voxels().fit(larger, same)
    with pytest.raises(InputError, match="Resample"):
        Voxels().fit(same, larger)
    method = Voxels(permutations=0).fit(same, same)
    found = method.predict(larger[10])
    assert isinstance(found, NotEvaluated) and "another grid" in found.reason
    assert isinstance(method.weighted(larger[10]), NotEvaluated)


def test_misuse_is_refused() -> None:
    cases = volumes(10)
    method = Voxels(permutations=0).fit(cases, cases)
    with pytest.raises(NotFoundError, match="task"):
        method.weighted(cases[0], target="tusk")
    with pytest.raises(BundleError, match="do not fit"):
        Voxels.from_state(method.about, {**method.state(), "weights": np.zeros((2, 3))})
    lacking = Cases.from_arrays([c.image().pixels() for c in cases], [0] * 10, classes=["rest", "task"])
    with pytest.raises(LabelError, match="task"):
        Voxels().fit(lacking, lacking)
    with pytest.raises(LabelError, match="no case"):
        Voxels().fit(cases, Cases.from_arrays([c.image().pixels() for c in cases]))
    with pytest.raises(RecipeError):
        build(Voxels, {"kind": "kernel"})
    bad = Case.of(Image.from_array(np.full(SHAPE, np.nan)))
    assert isinstance(method.predict(bad), NotEvaluated) and isinstance(method.weighted(bad), NotEvaluated)


def test_voxels_that_never_change_say_nothing() -> None:
    cases = volumes(20)
    flat = Cases.from_arrays([np.where(np.arange(12) < 6, 0.0, c.image().pixels()) for c in cases], np.arange(20) % 2)
    method = Voxels(permutations=0).fit(flat, flat)
    assert (method.weighted(flat[0], target="1").values[..., :6] == 0).all()
    odd = flat[0].image().pixels().copy()
    odd[..., 0] = 1e9
    assert method.predict(Case.of(Image.from_array(odd))) == method.predict(flat[0])


def viewed(folder: Path) -> tuple[list[np.ndarray], list[str], list[int]]:
    """Mean image of each block of a run of train, less each voxel's linear drift; what was seen; the run."""
    blocks, labels, runs = [], [], []
    for run in range(1, 7):
        place = folder / f"task001_run{run:03d}"
        film = io.read_image(place / "bold_1slice.nii.gz").pixels().astype(float)
        film = detrend(film, axis=0)
        time = 2.5 * np.arange(len(film))
        with (place / "bold_events.tsv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                # The blood follows some 5 s later.
                begin = float(row["onset"]) + 5
                blocks.append(film[(time >= begin) & (time < begin + float(row["duration"]))].mean(axis=0))
                labels.append(row["trial_type"])
                runs.append(run)
    return blocks, labels, runs


def test_what_somebody_saw_is_read_from_functional_images(real_data) -> None:
    """Haxby et al., Science 293 (2001) 2425: one slice, eight kinds of pictures, so that chance is 1 in 8.

    Only the six runs of train are looked at, each asked in turn of a method that learnt from the five others.
    """
    blocks, labels, runs = viewed(real_data("fmri-haxby") / "sub001" / "BOLD")
    names = sorted(set(labels))
    every = Cases.from_arrays(blocks, [names.index(name) for name in labels], classes=names)
    assert len(names) == 8 and len(every) == 48

    def tested(run: int, permutations: int) -> dict[str, float]:
        sides = [tuple(e for e, r in zip(every.entries, runs, strict=True) if (r == run) is last)
                 for last in (False, True)]
        made = Voxels(permutations=permutations).fit(*(replace(every, entries=s) for s in sides))
        return made.about["permutation"]

    assert np.mean([tested(run, 0)["accuracy"] for run in range(1, 7)]) > 0.4
    once = tested(4, 99)
    assert once["p"] == 0.01 and once["by_chance"] == pytest.approx(0.125, abs=0.05)
