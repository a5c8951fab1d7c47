"""What every method of every question keeps, whoever wrote it: over everything that the catalog finds."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import typing
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from isocenter import catalog
from isocenter.data import (
    OBJECT,
    Attribution,
    Boxes,
    Case,
    Cases,
    Image,
    Instances,
    NotEvaluated,
    Perturbation,
    Probabilities,
    Segmentation,
    Values,
    Watch,
    as_settings,
    build,
    knobs,
)
from isocenter.errors import IsocenterError, LabelError, NotFoundError, RecipeError
from isocenter.simulate import cohort

TASKS = ("segment", "classify", "regress", "detect", "instances")
# What works on another method's explanation is asked about in its own tests.
PARTED = ("locate",)
METHODS = [(task, method) for task in TASKS for method in catalog.methods(task) if method not in PARTED]
# A given finding looks at no pixel.
SEEING = [(task, method) for task, method in METHODS if method != "given"]
STUDYING = [(task, method) for task, method in METHODS if hasattr(catalog.find(task, method), "fit")]
EVERY = [(task, method) for task in catalog.tasks() for method in catalog.methods(task)]
# The least that a network can study: enough to be written, read back and asked.
BRIEF = {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4}
NETWORKS = (
    "unet", "fcn", "vgg_decoder", "deeplab", "cnn", "contours", "mask_rcnn", "cascade_rcnn", "yolo", "ssd", "retinanet",
    "autoencoder",
)  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "given": {"column": "reader"},
    **dict.fromkeys(NETWORKS, BRIEF),
    "cascade": {f"{stage}.{k}": v for stage in ("coarse", "fine") for k, v in BRIEF.items()} | {"side": 16},
    "rnn": {k: v for k, v in BRIEF.items() if k != "width"} | {"hidden": 4},
    "fusion": {"branch.size": 8, "branch.width": 4, "branch.depth": 2, "learning.epochs": 1},
    "segment/ensemble": {f"unet.{k}": v for k, v in BRIEF.items()} | {"seeds": 2},
    "classify/ensemble": {f"cnn.{k}": v for k, v in BRIEF.items()} | {"seeds": 2},
}
# Methods whose classes are their own, whatever the data call theirs.
NAMED = {"lung_lines": {"pleural_line", "a_line", "b_line"}}
FITTED = (
    "FittedSegmenter", "FittedClassifier", "FittedContours", "FittedDetector", "FittedRegions", "FittedCascade",
    "FittedEnsemble", "FittedRegressor", "FittedSequence",
    "FittedAttributes",
)  # fmt: skip
# Methods that see two axes: volumes go in slice by slice.
FLAT = ("mask_rcnn", "cascade_rcnn")
# Methods that see the slices of a volume, or the frames of a film, in their order.
SEQUENCES = ("rnn",)
# Methods that learn from facts which phantoms lack: the class itself stands for one.
FACTED = ("attributes",)
KINDS = {2: ("ct-slice", (32, 40)), 3: ("ct-volume", (8, 24, 20))}
# Objects are learnt from fields that hold several.
FIELDS = {2: ("cells", (48, 56)), 3: ("cell-stack", (8, 24, 20))}

GRADIENTS = next(k.choices for k in knobs(catalog.find("explain", "gradients")) if k.name == "kind")

every_method = pytest.mark.parametrize(("task", "method"), EVERY)
each_method = pytest.mark.parametrize(("task", "method"), METHODS)
each_seeing = pytest.mark.parametrize(("task", "method"), SEEING)
each_studying = pytest.mark.parametrize(("task", "method"), STUDYING)
each_rank = pytest.mark.parametrize("rank", [2, 3])


def settings_of(task: str, method: str) -> dict[str, Any]:
    """What a method of a task is asked with."""
    return SETTINGS.get(f"{task}/{method}", SETTINGS.get(method, {}))


@cache
def data(task: str, rank: int) -> Cases:
    """Eight simulated subjects; their own truth is what a reader "gave"."""
    kind, shape = (FIELDS if task in ("detect", "instances") else KINDS)[rank]
    cases = cohort(8, seed=0, kind=kind, shape=shape, task=task)
    opened = [e.open() for e in cases.entries]
    read = [replace(c, load_given=lambda name, c=c: c.truth()) for c in opened]
    return replace(
        cases, entries=tuple(replace(e, open=lambda c=c: c) for e, c in zip(cases.entries, read, strict=True))
    )


def with_facts(cases: Cases) -> Cases:
    """Whether there is a lesion, as a fact of every case."""
    told = [replace(c := e.open(), facts={"lesion": float(c.truth().label == "lesion")}) for e in cases.entries]
    return replace(cases, entries=tuple(
        replace(e, open=lambda c=c: c) for e, c in zip(cases.entries, told, strict=True)))


@cache
def fitted(task: str, method: str, rank: int) -> Any:
    """What answers: the method itself, or what it becomes by study."""
    if rank == 3 and method in FLAT:
        pytest.skip("sees two axes")
    if rank == 2 and method in SEQUENCES:
        pytest.skip("a single image is no sequence")
    made = build(catalog.find(task, method), settings_of(task, method))
    if not hasattr(made, "fit"):
        return made
    cases = with_facts(data(task, rank)) if method in FACTED else data(task, rank)
    return made.fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Segmentation):
        return isinstance(b, Segmentation) and a.names == b.names and np.array_equal(a.labels, b.labels)
    if isinstance(a, Boxes):
        scores = a.scores is b.scores is None or np.array_equal(a.scores, b.scores)
        return np.array_equal(a.edges, b.edges) and np.array_equal(a.labels, b.labels) and scores
    if isinstance(a, Instances):
        return np.array_equal(a.label_map(), b.label_map()) and np.array_equal(a.labels, b.labels)
    return bool(a == b)


@every_method
def test_names_and_words(task: str, method: str) -> None:
    cls = catalog.find(task, method)
    assert cls.__name__.lower() == method.replace("_", "")
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen, "the constructor is the recipe, and a recipe does not change"
    assert cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}("), "say what it is"
    assert catalog.summary(task, method).endswith(".")


@every_method
def test_every_field_is_described(task: str, method: str) -> None:
    cls = catalog.find(task, method)
    assert len(dataclasses.fields(cls)) <= 7
    for knob in knobs(cls):
        assert len(knob.text) >= 4, f"{knob.name} has no text"
        numbers = [v for v in np.ravel(knob.default) if isinstance(v, (int, float)) and not isinstance(v, bool)]
        for value in numbers if knob.default is not None else []:
            assert knob.low is None or value >= knob.low, knob.name
            assert knob.high is None or value <= knob.high, knob.name
        if isinstance(knob.default, str) and knob.choices:
            assert knob.default in knob.choices, knob.name
        # A window is in the image's own unit, so that any number may be right.
        if re.search(r"\b(int|float)\b", knob.type) and not knob.name.endswith("window"):
            assert knob.low is not None or knob.high is not None, f"{knob.name} has no range"


@each_method
def test_a_recipe_is_plain_values_and_comes_back(task: str, method: str) -> None:
    cls = catalog.find(task, method)
    recipe = build(cls, settings_of(task, method))
    assert build(cls, json.loads(json.dumps(as_settings(recipe)))) == recipe


@every_method
def test_an_unknown_field_is_refused_with_the_nearest(task: str, method: str) -> None:
    cls = catalog.find(task, method)
    name = dataclasses.fields(cls)[0].name
    with pytest.raises(RecipeError, match=f"Did you mean {name}"):
        build(cls, {name + "e": 1})


@each_method
def test_protocol(task: str, method: str) -> None:
    cls: Any = catalog.find(task, method)
    assert hasattr(cls, "predict") or hasattr(cls, "fit")
    if hasattr(cls, "fit"):
        assert hasattr(cls, "from_state"), "what studies must be able to come back from a bundle"
        hints = typing.get_type_hints(
            cls.fit, vars(sys.modules[cls.__module__]) | dict.fromkeys(FITTED, Any)
        )
        assert {"train", "valid", "watch"} <= set(hints)
    if hasattr(cls, "predict"):
        assert "NotEvaluated" in str(cls.predict.__annotations__["return"])


@each_rank
@each_method
def test_the_answer_lies_on_the_cases_own_grid(task: str, method: str, rank: int) -> None:
    for case in data(task, rank).split("test"):
        answer = fitted(task, method, rank).predict(case)
        assert type(answer).__name__ == catalog.task(task).finding
        if isinstance(answer, Segmentation):
            assert answer.geometry.same_grid(case.image().geometry)
            assert answer.labels.shape == case.image().geometry.shape
            assert answer.names[0] == "background"
            assert set(answer.regions) in ({"organ", "lesion"}, {"foreground"}, NAMED.get(method))
        if isinstance(answer, (Boxes, Instances)):
            assert answer.geometry.same_grid(case.image().geometry)
            assert answer.classes in (data(task, rank).classes, (OBJECT,))
        if isinstance(answer, Probabilities):
            assert answer.classes == data(task, rank).classes
        if isinstance(answer, Values):
            [(name, value)] = answer.items.items()
            assert (name,) == data(task, rank).classes and value.unit == {2: "mm2", 3: "ml"}[rank]


@each_rank
@each_method
def test_the_same_answer_twice(task: str, method: str, rank: int) -> None:
    case = data(task, rank)[6]
    method_ = fitted(task, method, rank)
    assert same(method_.predict(case), method_.predict(case))


@each_rank
@each_method
def test_an_answer_does_not_depend_on_what_was_asked_before(task: str, method: str, rank: int) -> None:
    first, second = data(task, rank)[6], data(task, rank)[7]
    asked = fitted(task, method, rank)
    alone = asked.predict(first)
    asked.predict(second)
    assert same(asked.predict(first), alone)


@each_seeing
def test_notes_facts_and_truth_are_never_looked_at(task: str, method: str) -> None:
    case = data(task, 2)[6]

    def forbidden() -> Any:
        raise AssertionError("a method looked at the truth of the case that it answers")

    blind = replace(case, id="x", subject="", group="", facts={"age": 1.0}, notes={"label": "x"}, load_truth=forbidden)
    assert same(fitted(task, method, 2).predict(blind), fitted(task, method, 2).predict(case))


@each_studying
def test_study_leaves_the_recipe_and_answers_with_the_classes_of_train(task: str, method: str) -> None:
    made = build(catalog.find(task, method), settings_of(task, method))
    kept = as_settings(made)
    found = fitted(task, method, 2)
    assert as_settings(made) == kept
    answer = found.predict(data(task, 2)[7])
    names = answer.regions if isinstance(answer, Segmentation) else getattr(answer, "classes", None)
    names = tuple(answer.items) if isinstance(answer, Values) else names
    assert names in (data(task, 2).classes, ("foreground",), (OBJECT,))


@each_studying
def test_what_was_fitted_shows_itself_in_short_and_comes_back_by_its_own_class(task: str, method: str) -> None:
    """Methods that hold others know them by the class that answers."""
    found = fitted(task, method, 2)
    assert len(repr(found)) < 4000
    if task in ("classify", "segment"):
        again = type(found).from_state(json.loads(json.dumps(found.about)), found.state())
        assert same(again.predict(data(task, 2)[7]), found.predict(data(task, 2)[7]))


@each_rank
@each_studying
def test_it_comes_back_from_its_state(task: str, method: str, rank: int) -> None:
    cls: Any = catalog.find(task, method)
    before = fitted(task, method, rank)
    about = json.loads(json.dumps(before.about))
    assert "recipe" in about
    state = before.state()
    assert all(isinstance(name, str) and isinstance(array, np.ndarray) for name, array in state.items())
    assert all(array.dtype.kind in "fiub" for array in state.values()), "no objects: nothing is pickled"
    after = cls.from_state(about, {k: v.copy() for k, v in state.items()})
    for case in data(task, rank).split("test"):
        assert same(before.predict(case), after.predict(case))


@each_method
def test_a_missing_role_is_refused(task: str, method: str) -> None:
    image = data(task, 2)[0].image()
    for images in ({}, {"PET": image, "CT": image}):
        case = Case("x", images, load_given=data(task, 2)[0].load_given)
        if method == "given" and task in ("classify", "regress"):
            continue  # a reader's class or number needs no image here
        with pytest.raises(NotFoundError):
            fitted(task, method, 2).predict(case)


@each_seeing
def test_a_film_is_refused(task: str, method: str) -> None:
    film = Case.of(Image.from_array(np.zeros((3, 32, 40)), axes="tyx", spacing=(11.25, 9.0)))
    with pytest.raises(IsocenterError, match="frame"):
        fitted(task, method, 2).predict(film)


TINY: dict[str, Callable[[], np.ndarray]] = {
    "one pixel": lambda: np.full((1, 1), 7.0),
    "three pixels": lambda: np.array([[1.0, 2.0, 3.0]]),
    "a column": lambda: np.arange(9.0)[:, None],
    "constant": lambda: np.full((32, 40), 40.0),
    "zero": lambda: np.zeros((32, 40), np.int16),
    "huge values": lambda: np.random.default_rng(0).random((32, 40)) * 1e9,
}


@pytest.mark.parametrize("name", list(TINY))
@each_seeing
def test_empty_and_tiny_inputs_are_answered_or_not_evaluated(task: str, method: str, name: str) -> None:
    image = Image.from_array(TINY[name](), spacing=(11.25, 9.0))
    answer = fitted(task, method, 2).predict(Case.of(image))
    if isinstance(answer, Segmentation):
        assert answer.labels.shape == image.shape
    elif isinstance(answer, (Boxes, Instances)):
        assert answer.geometry.shape == image.shape
    elif isinstance(answer, Probabilities):
        assert np.isfinite(answer.values).all()
    elif isinstance(answer, Values):
        assert all(np.isfinite(v.number) for v in answer.items.values())
    else:
        assert isinstance(answer, NotEvaluated)
        assert answer.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@each_seeing
def test_pixels_that_are_no_numbers_do_not_become_an_answer_by_accident(task: str, method: str, bad: float) -> None:
    image = Image.from_array(np.full((32, 40), bad), spacing=(11.25, 9.0))
    assert isinstance(fitted(task, method, 2).predict(Case.of(image)), NotEvaluated)


@each_seeing
def test_it_does_not_change_its_input(task: str, method: str) -> None:
    case = data(task, 2)[7]
    pixels = case.image().pixels()
    kept = pixels.copy()
    held = replace(case, images={"image": case.image().replaced(lambda: pixels)})
    fitted(task, method, 2).predict(held)
    assert np.array_equal(pixels, kept)


@each_rank
@each_method
@pytest.mark.parametrize("kind", GRADIENTS)
def test_networks_can_be_explained_on_the_cases_own_grid(task: str, method: str, rank: int, kind: str) -> None:
    network = fitted(task, method, rank)
    cls: Any = catalog.find("explain", "gradients")
    if not hasattr(network, "opened"):
        with pytest.raises(RecipeError, match="occlusion"):
            cls(of=network)
        return
    case = data(task, rank)[7]
    found = cls(of=network, kind=kind).predict(case)
    if isinstance(found, NotEvaluated):
        assert "finds no" in found.reason
        return
    assert isinstance(found, Attribution)
    assert found.values.shape == case.image().geometry.shape
    assert found.geometry.same_grid(case.image().geometry)
    assert np.isfinite(found.values).all()
    if kind == "integrated-gradients" and found.completeness is not None:
        assert found.completeness <= 0.01


@each_rank
@each_method
@pytest.mark.parametrize("name", ["fgsm", "pgd", "apgd", "deepfool", "square"])
def test_networks_can_be_attacked_on_the_cases_own_grid(task: str, method: str, rank: int, name: str) -> None:
    cls: Any = catalog.find("attack", name)
    brief = {"fgsm": {}, "pgd": {"steps": 2}, "apgd": {"steps": 2}, "deepfool": {"steps": 2}, "square": {"queries": 3}}
    asked, case = fitted(task, method, rank), data(task, rank)[7]
    if name != "square" and not hasattr(asked, "opened"):
        with pytest.raises(RecipeError, match="square"):
            cls(of=asked)
        return
    if name == "square" and not (task == "classify" or hasattr(asked, "opened")):
        pytest.skip("square asks any predictor the same way; one network of each kind says it")
    if task not in ("segment", "classify"):
        with pytest.raises(LabelError, match="attacks classes"):
            cls(of=asked).predict(case)
        return
    found = cls(of=asked, **brief[name]).predict(case)
    if isinstance(found, NotEvaluated):
        assert name == "deepfool"
        return
    assert isinstance(found, Perturbation)
    assert found.geometry.same_grid(case.image().geometry) and found.values.shape[1:] == case.image().geometry.shape
    assert np.isfinite(found.values).all() and type(found.after).__name__ == catalog.task(task).finding
    if found.epsilon is not None:
        assert found.size <= found.epsilon * 1.001


def test_every_task_module_is_imported_and_every_recipe_made_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from isocenter import catalog\n"
        "from isocenter.data import build\n"
        f"settings = {SETTINGS!r}\n"
        "for task in catalog.tasks():\n"
        "    for method in catalog.methods(task):\n"
        "        cls = catalog.find(task, method)\n"
        "        own = settings.get(f'{task}/{method}', settings.get(method, {}))\n"
        "        if task not in ('explain', 'attack'): build(cls, own)\n"
        "print('skimage' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "False"]
