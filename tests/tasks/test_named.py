from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import BundleError
from isocenter.tasks._named import class_name, class_of, under
from isocenter.tasks.classify.linear import Linear
from isocenter.tasks.segment._fitted import FittedSegmenter
from isocenter.tasks.segment.histogram import Histogram


def test_a_method_is_found_again_by_its_name() -> None:
    assert class_of(class_name(Histogram()), "segment") is Histogram
    assert class_of("isocenter.tasks.segment._fitted:FittedSegmenter", "segment") is FittedSegmenter


@pytest.mark.parametrize(
    "name",
    ["os:system", "isocenter.tasks.segment.histogram:np", "isocenter.tasks.segment.histogram:Nothing", "builtins:dict",
     "isocenter.tasks._named:re", "isocenter.verbs.train:Method",
     "isocenter.tasks.classify.linear:Linear"],
)  # fmt: skip
def test_the_word_of_a_bundle_calls_nothing_else(name: str) -> None:
    with pytest.raises(BundleError, match="no method of isocenter"):
        class_of(name, "segment")


def test_each_folder_knows_its_own() -> None:
    assert class_of(class_name(Linear()), "classify") is Linear
    with pytest.raises(BundleError):
        class_of(class_name(Histogram()), "classify")


def test_arrays_stand_under_the_name_of_their_method() -> None:
    arrays = {f"{n}.{k}": np.full(1, i) for i, n in enumerate(("on", "on.deep", "one")) for k in ("a", "w/b.c")}
    assert under("on.deep", arrays) == {"a": np.ones(1), "w/b.c": np.ones(1)}
    assert list(under("on", arrays)) == ["a", "w/b.c", "deep.a", "deep.w/b.c"]
    assert under("o", arrays) == {}
