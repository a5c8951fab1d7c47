from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from isocenter.data import Image
from isocenter.errors import BundleError
from isocenter.infer.envelope import OUTSIDE, Envelope, looks, modality, pixel, scaled

rng = np.random.default_rng(0)
D = 158
ARRAYS = {"mean": np.zeros(D, np.float32), "scale": np.ones(D, np.float32), "white": np.eye(D, dtype=np.float32)}
ROUND = Envelope(2, ("MR",), (0.5, 2.0), (0.0, 200.0), None, False, 3.0, {"n_train": 30}, ARRAYS)


def test_it_comes_back_from_json_and_arrays() -> None:
    back = Envelope.from_state(json.loads(json.dumps(ROUND.as_json())), ROUND.state())
    assert back.as_json() == ROUND.as_json() and set(back.arrays) == set(ARRAYS)
    assert np.array_equal(back.arrays["white"], ARRAYS["white"])
    free = Envelope(3)
    assert Envelope.from_state(free.as_json(), {}).as_json() == free.as_json()


@pytest.mark.parametrize("broken", [
    {"rank": None}, {"limit": "far"}, {"pixel": [1]}, {"modalities": 3}, {"limit": float("nan")},
])  # fmt: skip
def test_a_broken_description_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(BundleError):
        Envelope.from_state(ROUND.as_json() | broken, ROUND.state())


@pytest.mark.parametrize("broken", [
    {"envelope/white": np.eye(3, dtype=np.float32)}, {"envelope/scale": np.zeros(D, np.float32)},
    {"envelope/mean": np.full(D, np.nan, np.float32)}, {"envelope/mean": np.zeros(D, np.int32)},
    {"envelope/white": np.zeros((D, D, 1), np.float32)},
])  # fmt: skip
def test_broken_arrays_are_refused(broken: dict[str, np.ndarray]) -> None:
    with pytest.raises(BundleError, match="do not fit"):
        Envelope.from_state(ROUND.as_json(), ROUND.state() | broken)
    with pytest.raises(BundleError, match="do not fit"):
        Envelope.from_state(ROUND.as_json(), {})


def test_arrays_of_other_features_are_refused_when_asked() -> None:
    small = {"mean": np.zeros(4, np.float32), "scale": np.ones(4, np.float32), "white": np.eye(4, dtype=np.float32)}
    with pytest.raises(BundleError, match="other features"):
        Envelope(2, limit=1.0, arrays=small).distance(rng.normal(size=(1, 30, 30)))


def test_films_nan_and_other_kinds_are_left_to_the_method() -> None:
    assert ROUND.refused(Image.from_array(rng.normal(size=(3, 9, 9)), axes="tyx")) is None
    assert ROUND.refused(Image.from_array(np.full((9, 9), np.nan))) is None
    assert ROUND.refused(Image.from_array(rng.normal(size=(9, 9)) * 1j)) is None


def test_blank_images_are_refused() -> None:
    found = Envelope(2).refused(Image.from_array(np.full((9, 9), 3)))
    assert found is not None and "blank" in found.reason and not found


def test_the_distance_is_mahalanobis() -> None:
    image = rng.normal(size=(1, 40, 40))
    [row] = looks(image, 2)
    assert ROUND.distance(image) == pytest.approx(float(np.sqrt((row**2).mean())), rel=1e-6)
    assert Envelope(2).distance(image) is None and ROUND.distance(np.zeros((1, 9, 9))) is None


def test_slices_of_a_volume() -> None:
    assert len(looks(rng.normal(size=(1, 30, 20, 20)), 2)) == 5
    assert len(looks(rng.normal(size=(1, 1, 20, 20)), 2)) == 1
    assert [len(r) for r in looks(rng.normal(size=(1, 5, 20, 20)), 3)] == [237]


def test_a_volume_before_slices_is_named_as_one() -> None:
    strict = replace(ROUND, limit=1e-6)
    flat, deep = (strict.refused(Image.from_array(rng.normal(size=shape))) for shape in ((40, 40), (3, 40, 40)))
    assert flat is not None and flat.reason == f"{OUTSIDE}: it looks different"
    assert deep is not None and deep.reason == f"{flat.reason}, a volume where train had images of 2 axes"


def test_facts_of_an_image() -> None:
    image = Image.from_array(np.zeros((4, 4)), spacing=(4.0, 1.0), modality="DX")
    assert modality(image) == "XR" and pixel(image) == pytest.approx(2.0)
    plain = Image.from_array(np.zeros((4, 4)))
    assert modality(plain) is None and pixel(plain) is None
    assert scaled((0.0, 255.0), "uint8", by_type=True) == (0.0, 1.0)
    assert scaled((0.0, 255.0), "float32", by_type=True) == (0.0, 255.0) == scaled((0.0, 255.0), "uint8", by_type=False)


def test_it_costs_at_most_20_ms() -> None:
    image = Image.from_array(rng.integers(0, 255, (512, 512), dtype=np.uint8))
    took = []
    for _ in range(8):
        start = time.perf_counter()
        ROUND.refused(image)
        took.append(time.perf_counter() - start)
    assert min(took) <= 0.02
