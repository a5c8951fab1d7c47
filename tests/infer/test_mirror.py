from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest

from isocenter.errors import BundleError
from isocenter.infer.mirror import answered, flown


def lopsided(batch):
    """Logits that depend on the place: mirroring must change them, and averaging must make them symmetric."""
    ramp = np.arange(batch.shape[-1], dtype=np.float32)
    return np.concatenate([batch * ramp, batch], axis=1)


def test_mirrored_answers_are_turned_back_and_averaged(rng):
    array = rng.normal(size=(1, 3, 6, 5)).astype(np.float32)
    [out] = answered(lopsided, [array], mirror=("z", "x"), classes=2)
    by_hand = []
    for turn in [(), (1,), (3,), (1, 3)]:
        by_hand.append(np.flip(lopsided(np.flip(array, turn)[None])[0], turn))
    np.testing.assert_allclose(out, np.mean(by_hand, axis=0), atol=1e-6)
    np.testing.assert_allclose(out[0], array[0] * 2.0, atol=1e-5)


def test_axes_are_named_from_the_last(rng):
    seen = []

    def engine(batch):
        seen.append(batch[0, 0].copy())
        return batch

    array = rng.normal(size=(1, 4, 5)).astype(np.float32)
    list(answered(engine, [array], mirror=("y",), classes=1))
    assert np.array_equal(seen[1], array[0, ::-1])


def test_one_answer_per_image_is_averaged_only():
    out = list(answered(lambda batch: batch[:, 0, 0, :2], [np.array([[[1.0, 2.0, 5.0]]])], mirror=("x",), classes=2))
    assert out[0].tolist() == [3.0, 2.0]


def test_answers_that_are_not_of_the_plan_are_refused(rng):
    array = rng.normal(size=(1, 4, 4)).astype(np.float32)
    with pytest.raises(BundleError, match="another shape"):
        list(answered(lambda batch: batch, [array], classes=2))
    with pytest.raises(BundleError, match="not finite"):
        list(answered(lambda batch: batch * np.nan, [array], classes=1))


def test_flight_keeps_order_and_bound():
    running, most, begun, lock = 0, 0, [], threading.Lock()

    def ask(i):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002 * (i % 3))
        with lock:
            running -= 1
        return np.array(i)

    def calls():
        for i in range(20):
            begun.append(i)
            yield i

    results = flown(ask, calls(), 4)
    assert int(next(results)) == 0 and len(begun) == 4, "inputs are made only as they are needed"
    assert [int(v) for v in results] == list(range(1, 20))
    assert 1 < most <= 4


def test_a_failing_call_ends_the_flight():
    def ask(i):
        if i == 3:
            raise BundleError("broken")
        return np.array(i)

    before = threading.active_count()
    with pytest.raises(BundleError):
        list(flown(ask, itertools.count(), 3))
    assert threading.active_count() == before
