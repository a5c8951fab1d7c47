"""Facts as properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Cases, Image
from isocenter.errors import LabelError, NotFoundError
from isocenter.tasks.classify._properties import Properties


def cases(*facts: dict[str, Any]) -> Cases:
    made = Cases.from_arrays(np.zeros((len(facts), 4, 4)), ["a"] * len(facts))
    opened = [replace(e.open(), facts=f) for e, f in zip(made.entries, facts, strict=True)]
    return replace(made, entries=tuple(replace(e, open=lambda c=c: c)
                                       for e, c in zip(made.entries, opened, strict=True)))


def test_yes_and_no_are_one_property_and_words_one_each() -> None:
    train = cases({"mass": "Yes", "shape": "oval"}, {"mass": 0.0, "shape": "round "}, {"mass": None, "shape": "oval"})
    known = Properties.learnt(train, ())
    assert known.names == ("mass", "shape=oval", "shape=round")
    assert [known.of(c) for c in train] == [("mass", "shape=oval"), ("shape=round",), None]
    asked = known.asked(train)
    assert len(asked) == 2 and asked.multilabel and asked.classes == known.names
    assert asked.entries[0].labels == ("mass", "shape=oval") and asked[1].truth().values == (0.0, 0.0, 1.0)
    assert Properties.learnt(train, ("mass",)).names == ("mass",)
    assert known.as_json() == {"mass": [], "shape": ["oval", "round"]}


def test_what_is_no_property_is_refused() -> None:
    with pytest.raises(LabelError, match="number where yes or no"):
        Properties.learnt(cases({"age": 63.0}, {"age": 1.0}), ())
    with pytest.raises(LabelError, match="free text"):
        Properties.learnt(cases(*({"note": f"seen by {i}"} for i in range(30))), ())
    with pytest.raises(NotFoundError, match="Did you mean mass"):
        Properties.learnt(cases({"mass": "yes"}), ("mas",))
    with pytest.raises(NotFoundError, match="--facts"):
        Properties.learnt(cases({}), ())


def test_another_word_than_those_of_train_is_refused() -> None:
    known = Properties.learnt(cases({"mass": "yes", "shape": "oval"}, {"mass": "no", "shape": "round"}), ())
    image = {"image": Image.from_array(np.zeros((4, 4)))}
    for facts in ({"mass": "perhaps", "shape": "oval"}, {"mass": "no", "shape": "square"}):
        with pytest.raises(LabelError, match="another word"):
            known.of(Case("x", image, facts=facts))
