"""Discs that move to the left or to the right: every frame alike, their order apart."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from isocenter.data import Case, Cases, Image, NotEvaluated, Watch, knobs, merged
from isocenter.errors import InputError
from isocenter.nets import recurrent
from isocenter.tasks.classify import rnn
from isocenter.tasks.classify._sequence import FittedSequence
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.classify.rnn import Rnn

QUICK = {"hidden": 16, "pooling": "last", "study.epochs": 10, "study.batch_size": 8, "study.learning_rate": 5e-3}


def clips(n: int = 36, *, seed: int = 0, axes: str = "tyx", frames: int = 8, size: int = 20) -> Cases:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    films = []
    for i in range(n):
        row, columns = rng.uniform(7, size - 7), np.linspace(4, size - 5, frames) + rng.uniform(-1, 1)
        film = np.stack([((y - row) ** 2 + (x - c) ** 2 < 12) * 2.0 for c in columns])
        film = (film[::-1] if i % 2 else film) + rng.normal(0, 0.3, film.shape)
        films.append(Image.from_array(film.astype(np.float32), axes=axes))
    labels = ["left" if i % 2 else "right" for i in range(n)]
    return Cases.from_arrays(films, labels, splits=["train"] * (n - n // 3) + ["val"] * (n // 3))


def fit(recipe: Any, settings: dict[str, Any], cases: Cases) -> Any:
    return merged(recipe, settings).fit(cases.split("train"), cases.split("val"), watch=Watch())


def share(method: Any, cases: Cases) -> float:
    return float(np.mean([method.predict(c).label == c.truth().label for c in cases]))


@pytest.fixture(scope="module")
def answerer() -> FittedSequence:
    return fit(Rnn(), QUICK, clips())


def test_it_tells_the_order_in_which_a_network_for_single_frames_cannot(answerer: FittedSequence) -> None:
    new = clips(20, seed=1)
    assert share(answerer, new) >= 0.9
    frames = {"width": 8, "form.context": 0, "study.epochs": 4, "study.batch_size": 8}
    blind = fit(Cnn(), frames, clips(axes="zyx"))
    there, back = (Case.of(Image.from_array(p)) for p in (new[0].image().pixels(), new[0].image().pixels()[::-1]))
    assert blind.predict(there).values == pytest.approx(blind.predict(back).values, abs=1e-4)


def test_longer_and_shorter_clips_are_resampled_along_them(answerer: FittedSequence) -> None:
    assert answerer.plan.size == (8, 20, 20)
    assert share(answerer, clips(12, seed=2, frames=19)) >= 0.9
    assert share(answerer, clips(12, seed=2, frames=5)) >= 0.9


def test_a_film_and_the_same_slices_as_a_volume_are_the_same(answerer: FittedSequence) -> None:
    film, volume = clips(2), clips(2, axes="zyx")
    assert answerer.predict(film[1]).values == answerer.predict(volume[1]).values


def test_it_comes_back_without_torch_and_opens_with_it(answerer: FittedSequence) -> None:
    again = Rnn.from_state(json.loads(json.dumps(answerer.about)), answerer.state())
    case = clips(4, axes="zyx")[3]
    assert again.predict(case).values == answerer.predict(case).values
    opened = again.opened()
    with torch.inference_mode():
        logits = opened.module.eval()(opened.prepare(case))[0]
    found = torch.softmax(logits / again.plan.temperature, 0).numpy()
    assert found == pytest.approx(answerer.predict(case).values, abs=1e-3)


@pytest.mark.parametrize(("cell", "pooling"), [("lstm", "attention"), ("gru", "mean"), ("lstm", "max")])
def test_every_cell_and_pooling_is_trained_and_exported(cell: str, pooling: str) -> None:
    cases = clips(8)
    brief = QUICK | {"study.epochs": 1, "study.steps": 1, "cell": cell, "pooling": pooling, "slices": 4}
    found = fit(Rnn(), brief, cases)
    assert found.plan.size == (4, 20, 20) and sum(found.predict(cases[0]).values) == pytest.approx(1)


def test_several_labels_at_once() -> None:
    films = [c.image() for c in clips(8)]
    y = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 2)
    cases = Cases.from_arrays(films, y, classes=["a", "b"], splits=["train"] * 4 + ["val"] * 4)
    found = fit(Rnn(), QUICK | {"study.epochs": 1, "study.steps": 1}, cases).predict(cases[0])
    assert found.multilabel and found.classes == ("a", "b")


def test_what_is_no_sequence_is_refused(answerer: FittedSequence) -> None:
    single = Cases.from_arrays(np.zeros((4, 20, 20)), [0, 1, 0, 1], splits=["train"] * 2 + ["val"] * 2)
    with pytest.raises(InputError, match="no sequence"):
        fit(Rnn(), QUICK, single)
    with pytest.raises(InputError, match="no sequence"):
        answerer.predict(single[0])
    bad = Case.of(Image.from_array(np.full((8, 20, 20), np.nan), axes="tyx"))
    assert isinstance(answerer.predict(bad), NotEvaluated)


def test_choices_are_those_of_the_network() -> None:
    assert set(rnn.CELLS) == set(recurrent.CELLS) and rnn.POOLINGS == recurrent.POOLINGS
    assert len(knobs(Rnn)) >= 7
