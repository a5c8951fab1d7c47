"""Logistic regression as a method."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from isocenter.data import Before, Case, Cases, Entry, Image, NotEvaluated, Probabilities, Progress, Watch, build
from isocenter.errors import BundleError, InputError, LabelError, RecipeError
from isocenter.simulate import cohort
from isocenter.tasks.classify.linear import FittedLinear, Linear


def pictures(n: int, classes: int = 2, seed: int = 0, shape: tuple[int, ...] = (24, 24)) -> tuple[list, np.ndarray]:
    """Noise with a bright corner that depends on the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = [rng.normal(100, 10, shape) for _ in range(n)]
    for array, label in zip(x, y, strict=True):
        array[..., :8, label * 8 : label * 8 + 8] += 12
    return x, y


def cases(n: int, **options) -> Cases:
    x, y = pictures(n, **options)
    return Cases.from_arrays(x, y, classes=["normal", "mass", "cyst"][: options.get("classes", 2)])


def accuracy(method: FittedLinear, test: Cases) -> float:
    return float(np.mean([method.predict(c).decision == e.labels for c, e in zip(test, test.entries, strict=True)]))


@pytest.mark.parametrize("options", [{}, {"classes": 3}, {"shape": (6, 24, 24)}])
def test_it_learns(options: dict) -> None:
    method = Linear().fit(cases(60, **options), cases(30, seed=1, **options))
    assert accuracy(method, cases(30, seed=2, **options)) > 0.9


def test_texture_tells_what_a_thumbnail_cannot() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    fine = [rng.normal(0, 1, (32, 32)) for _ in y]
    x = [np.kron(f[:16, :16], np.ones((2, 2))) if label else f for f, label in zip(fine, y, strict=True)]
    train, valid, test = (Cases.from_arrays(x[i::3], y[i::3]) for i in range(3))
    assert accuracy(Linear().fit(train, valid), test) == 1.0
    assert accuracy(Linear(texture=False).fit(train, valid), test) < 0.85


def test_several_labels_at_once() -> None:
    x, _ = pictures(80)
    y = np.stack([np.arange(80) % 2, np.arange(80) // 2 % 2], axis=1)
    for array, labels in zip(x, y, strict=True):
        array[-8:, :8] += 15 * labels[0]
        array[-8:, 8:16] += 15 * labels[1]
    train, valid = (Cases.from_arrays(x[i : i + 40], y[i : i + 40], classes=["a", "b"]) for i in (0, 40))
    method = Linear().fit(train, valid)
    found = [method.predict(c) for c in valid]
    assert found[0].multilabel
    assert len(method.about["plan"]["thresholds"]) == 2
    assert np.mean([set(f.decision) == set(e.labels) for f, e in zip(found, valid.entries, strict=True)]) > 0.9


def test_penalty_temperature_and_threshold_come_from_val() -> None:
    train, valid = cases(60), cases(31, seed=1)
    method = Linear().fit(train, valid)
    losses = {h["penalty"]: h["valid_log_loss"] for h in method.about["history"]}
    assert len(losses) == 12
    assert method.about["plan"]["positive"] == "mass"
    assert len(method.about["plan"]["thresholds"]) == 1
    assert list({h["penalty"] for h in Linear(penalty=0.5).fit(train, valid).about["history"]}) == [0.5]


def test_the_same_data_give_the_same_bits_and_come_back() -> None:
    train, valid = cases(40), cases(20, seed=1)
    one, two = (Linear().fit(train, valid) for _ in range(2))
    assert all(np.array_equal(one.state()[k], two.state()[k]) for k in one.state())
    back = Linear.from_state(json.loads(json.dumps(one.about)), one.state())
    assert back.predict(valid[0]) == one.predict(valid[0])


def test_grey_pictures_stored_in_colour_are_grey() -> None:
    x, y = pictures(20)
    three = Cases.from_arrays([Image.from_array(np.stack([a] * 3), axes="cyx") for a in x], y)
    method = Linear().fit(three, three)
    assert method.about["plan"]["channels"] == 1
    assert method.predict(Case.of(Image.from_array(x[0]))) == method.predict(three[0])


def test_colour_is_used() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    x = [rng.normal(100, 5, (3, 12, 12)) for _ in y]
    for array, label in zip(x, y, strict=True):
        array[0] += 10 * label
        array[1] -= 10 * label
    data = Cases.from_arrays([Image.from_array(a, axes="cyx") for a in x], y)
    method = Linear().fit(data, data)
    assert method.about["plan"]["channels"] == 3
    assert accuracy(method, data) == 1.0


def test_a_constant_feature_and_an_outlier_do_no_harm() -> None:
    x, y = pictures(40)
    for array in x:
        array[10:, :] = 0
    data = Cases.from_arrays(x, y)
    method = Linear().fit(data, data)
    wild = x[0].copy()
    wild[20, 20] = 1e12
    found = method.predict(Case.of(Image.from_array(wild)))
    assert np.isfinite(found.values).all()


def test_pixels_that_are_no_numbers_are_not_evaluated() -> None:
    method = Linear().fit(cases(20), cases(20))
    assert isinstance(method.predict(Case.of(Image.from_array(np.full((24, 24), np.nan)))), NotEvaluated)


def test_progress_reaches_the_end() -> None:
    said: list[Progress] = []
    Linear().fit(cases(20), cases(10), watch=Watch(report=said.append))
    assert said[-1].share == 1.0
    assert [p.share for p in said] == sorted(p.share for p in said)


def test_misuse_is_refused() -> None:
    lacking = Cases.from_arrays(pictures(10)[0], [0] * 10, classes=["normal", "mass"])
    with pytest.raises(LabelError, match="mass"):
        Linear().fit(lacking, lacking)
    mixed = Cases.from_arrays([np.zeros((4, 4)), np.zeros((4, 4, 4))], [0, 1])
    with pytest.raises(InputError, match="slice"):
        Linear().fit(mixed, mixed)
    method = Linear().fit(cases(20), cases(20))
    with pytest.raises(InputError, match="3D"):
        method.predict(Case.of(Image.from_array(np.zeros((4, 4, 4)))))
    with pytest.raises(BundleError, match="coefficients"):
        Linear.from_state(method.about, {**method.state(), "coefficients": np.zeros((2, 3))})


@pytest.mark.parametrize(
    "settings", [{"before": {"channel": "red"}}, {"before": {"intensity": "window"}}, {"size": 0}, {"sise": 3}]
)
def test_settings_that_cannot_be_honoured_are_refused(settings: dict) -> None:
    with pytest.raises(RecipeError):
        build(Linear, settings)


def test_a_window_is_honoured() -> None:
    recipe = Linear(before=Before(intensity="window", window=(50.0, 150.0)), texture=False, size=4)
    assert accuracy(recipe.fit(cases(40), cases(20, seed=1)), cases(20, seed=2)) > 0.9


def test_simulated_ultrasound() -> None:
    data = cohort(60, seed=0, kind="ultrasound", task="classify", shape=(48, 48))
    method = Linear().fit(data.split("train"), data.split("val"))
    test = data.split("test")
    p = [method.predict(c).of("lesion") for c in test]
    assert roc_auc_score([e.labels[0] == "lesion" for e in test.entries], p) > 0.7


def test_breast_ultrasound_beats_the_thumbnail_baseline(real_data) -> None:
    folder: Path = real_data("breast-us-busi")
    with np.load(folder / "classify-96.npz") as store:
        split = store["split"].astype(str)
        keep = split != "test"
        names = [str(n) for n in store["label_names"]]
        malignant = store["labels"][keep] == names.index("malignant")
        x, split = store["images"][keep], split[keep]
    data = Cases.from_arrays(list(x), malignant.astype(int), splits=list(split), classes=["other", "malignant"])
    method = Linear().fit(data.split("train"), data.split("val"))
    valid = data.split("val")
    p = [method.predict(c).of("malignant") for c in valid]
    assert roc_auc_score([e.labels[0] == "malignant" for e in valid.entries], p) >= 0.836


def test_more_penalty_means_smaller_coefficients() -> None:
    train, valid = cases(40), cases(20, seed=1)
    sizes = [float((Linear(penalty=p).fit(train, valid).state()["coefficients"] ** 2).sum()) for p in (0.01, 0.1, 1.0)]
    assert sizes == sorted(sizes, reverse=True)


def test_three_classes_are_decided_by_the_largest_probability() -> None:
    method = Linear().fit(cases(60, classes=3), cases(30, classes=3, seed=1))
    assert method.about["plan"]["thresholds"] == []
    found = method.predict(cases(3, classes=3, seed=2)[1])
    assert found.decision == (found.label,)
    assert sum(found.values) == pytest.approx(1.0)


def test_a_case_without_class_is_left_out() -> None:
    x, y = pictures(20)
    known, unknown = Cases.from_arrays(x, y), Cases.from_arrays(x[:3])
    mixed = replace(known, entries=unknown.entries + known.entries)
    one, two = Linear().fit(known, known), Linear().fit(mixed, known)
    assert all(np.array_equal(one.state()[k], two.state()[k]) for k in one.state())


def test_the_shape_of_a_region_is_learnt() -> None:
    """Discs and bars of one size in noise: only the mask tells them apart."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32] - 16
    shapes = [(y**2 + x**2 <= 25), (np.abs(y) <= 1) & (np.abs(x) <= 12)]

    def made(i: int) -> Case:
        mask = np.roll(shapes[i % 2], rng.integers(-3, 4, 2), (0, 1))
        images = {"image": Image.from_array(rng.normal(size=(32, 32))), "mask": Image.from_array(mask)}
        truth = Probabilities.truth(("disc", "bar"), [("disc", "bar")[i % 2]])
        return Case(f"{i}", images, load_truth=lambda: truth)

    held = [made(i) for i in range(36)]
    entries = tuple(Entry(c.id, lambda c=c: c, labels=(c.truth().label,)) for c in held)
    data = Cases(entries, "shapes", "classify", ("disc", "bar"), tasks=("classify",))
    train, valid, test = (replace(data, entries=data.entries[s]) for s in (slice(18), slice(18, 26), slice(26, 36)))
    assert accuracy(Linear(features="radiomics", region="mask").fit(train, valid), test) == 1.0
    assert accuracy(Linear().fit(train, valid), test) < 1.0
    hidden = replace(held[0], images={"image": held[0].image(), "mask": Image.from_array(np.zeros((32, 32)))})
    assert isinstance(Linear(features="radiomics", region="mask").fit(train, valid).predict(hidden), NotEvaluated)
