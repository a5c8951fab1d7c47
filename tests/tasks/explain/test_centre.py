from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated
from isocenter.errors import NotFoundError
from isocenter.tasks.explain.centre import Centre, centred


@pytest.mark.parametrize("shape", [(8, 12), (4, 6, 10)])
def test_every_threshold_leaves_a_centred_box(shape):
    values = centred(shape)
    assert values.shape == shape and values.dtype == np.float32 and values.min() > 0 and values.max() <= 1
    for share in (0.25, 0.5, 0.75):
        box = np.argwhere(values >= 1 - share)
        low, high = box.min(axis=0), box.max(axis=0)
        assert np.array_equal(low + high, np.array(shape) - 1)
        assert np.prod(high - low + 1) == len(box)
        assert np.all(np.abs((high - low + 1) - share * np.array(shape)) <= 1)


def test_it_looks_at_nothing_but_names_the_class_of_the_answer(kit):
    net = kit.Net(kit.convolutional())
    one, two = (Centre(of=net).predict(kit.case(seed=s)) for s in (0, 1))
    assert np.array_equal(one.values, two.values) and one.method == "centre"
    assert one.target == net.predict(kit.case()).label
    assert Centre(of=net, target="mass").predict(kit.case()).target == "mass"
    assert Centre().predict(kit.case()).target == "any"
    with pytest.raises(NotFoundError):
        Centre(of=net, target="mas").predict(kit.case())
    assert isinstance(Centre().predict(Case.of(Image.from_array(np.full((4, 4), np.inf)))), NotEvaluated)
