"""Key points and their matches: a turned image is found again; pairs by likeness against a plain search."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.ops.keypoints import KINDS, KeyPoints, apart, blurred, evened, found, likeness, matched


def texture(seed, shape=(180, 200)):
    noise = np.random.default_rng(seed).normal(size=shape)
    return sum(ndimage.gaussian_filter(noise, s) * s for s in (2, 4, 8)).astype(np.float32)


def points(descriptors):
    values = np.asarray(descriptors, np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return KeyPoints(np.zeros((len(values), 2)), values)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quarter_turn_is_found_again(kind):
    image = texture(0)
    a, b = found(evened(image), kind, side=640), found(evened(np.rot90(image).copy()), kind, side=640)
    pairs = matched(likeness(a, b), 0.85)
    assert len(pairs) > 20
    expected = np.stack([image.shape[1] - 1 - a.at[pairs[:, 0], 1], a.at[pairs[:, 0], 0]], 1)
    assert (np.linalg.norm(b.at[pairs[:, 1]] - expected, axis=1) < 3).mean() > 0.9


@pytest.mark.parametrize(("shape", "sigma"), [((200, 213), 9.0), ((90, 301), 17.3), ((40, 50), 2.0), ((5, 4), 30.0)])
def test_a_wide_blur_is_that_of_gauss(shape, sigma):
    image = texture(5, shape) + np.linspace(0, 3, shape[1], dtype=np.float32)
    exact = ndimage.gaussian_filter(image, sigma, truncate=4.0)
    found = blurred(image, sigma)
    assert found.shape == image.shape and found.dtype == np.float32
    assert np.abs(found - exact).max() < 0.06 * image.std()


def test_gain_offset_and_shading_are_evened_out():
    image = texture(1)
    shaded = (3.0 * image + 50) * np.linspace(1, 1.5, image.shape[1]) + np.linspace(0, 40, image.shape[0])[:, None]
    assert np.corrcoef(evened(image).ravel(), evened(shaded).ravel())[0, 1] > 0.9
    assert evened(np.full((40, 50), 7.0)).std() == 0


def test_a_larger_image_is_looked_at_smaller_and_places_are_its_own():
    image = np.kron(texture(2), np.ones((2, 2), np.float32))
    places = found(evened(image), "sift", side=200).at
    small = found(evened(texture(2)), "sift", side=200).at
    away = np.linalg.norm(places[:, None] - (2 * small + 0.5)[None], axis=-1).min(axis=1)
    assert np.median(away) < 2
    assert places.max() > 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("image", [np.zeros((10, 300)), np.full((64, 64), 0.5), np.zeros((1, 1))])
def test_nothing_to_see_gives_no_key_point(kind, image):
    none = found(image.astype(np.float32), kind, side=640)
    assert none.at.shape == (0, 2)
    assert matched(likeness(none, found(evened(texture(3)), kind, side=640)), 0.9).shape == (0, 2)


def test_pairs_are_mutual_and_clear():
    rng = np.random.default_rng(4)
    a, b = points(rng.normal(size=(30, 8))), points(rng.normal(size=(40, 8)))
    far = np.linalg.norm(a.descriptors[:, None] - b.descriptors[None], axis=-1)
    expected = []
    for i, row in enumerate(far):
        first, second = np.argsort(row)[:2]
        if far[:, first].argmin() == i and row[first] <= 0.8 * row[second]:
            expected.append((i, first))
    assert matched(likeness(a, b), 0.8).tolist() == [list(p) for p in expected]
    assert len(matched(likeness(a, b), 1.0)) > len(expected) > 0


def test_one_place_is_one_witness():
    source = np.array([[1.0, 1], [1.2, 1.1], [5, 5], [9, 9]])
    target = np.array([[2.0, 2], [8, 8], [7, 7], [7.1, 6.9]])
    assert apart(source, target).tolist() == [0, 2]
    assert len(apart(np.zeros((0, 2)), np.zeros((0, 2)))) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_descriptors_are_of_length_1_and_no_more_than_the_most(kind, monkeypatch):
    monkeypatch.setattr("isocenter.ops.keypoints.MOST", 25)
    some = found(evened(texture(5)), kind, side=640)
    assert 10 < len(some.at) <= 25
    assert np.allclose(np.linalg.norm(some.descriptors, axis=1), 1, atol=1e-5)
    assert likeness(some, some).argmax(axis=1).tolist() == list(range(len(some.at)))


def test_pairs_that_are_out_of_the_question_are_never_matched():
    like = np.array([[0.9, -np.inf, 0.1], [0.2, -np.inf, 0.8]], np.float32)
    assert matched(like, 0.9).tolist() == [[0, 0], [1, 2]]
    assert len(matched(np.full((3, 3), -np.inf, np.float32), 1.0)) == 0
