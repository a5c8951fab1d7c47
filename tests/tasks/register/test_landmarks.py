"""Two views of one thing are brought together; two things are refused with the evidence."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Case, Image, NotEvaluated, Transform, as_settings, build
from isocenter.data.warping import warped
from isocenter.errors import IsocenterError, NotFoundError, RecipeError
from isocenter.tasks.register.landmarks import Landmarks

SHAPE = (200, 230)
MAPS = {
    "rigid": [[0.94, -0.342, 40.0], [0.342, 0.94, -20], [0, 0, 1]],
    "similarity": [[0.9, -0.3, 40.0], [0.3, 0.9, -20], [0, 0, 1]],
    "affine": [[0.95, 0.15, 4.0], [-0.1, 1.05, 6], [0, 0, 1]],
    "perspective": [[1.0, 0.1, 0.0], [-0.05, 0.95, 10], [4e-4, 2e-4, 1]],
}


def texture(seed):
    noise = np.random.default_rng(seed).normal(size=SHAPE)
    return sum(ndimage.gaussian_filter(noise, s) * s for s in (1.5, 3, 6)).astype(np.float32)


def pair(matrix, *, spacing=None, seed=0, noise=0.05):
    moving = Image.from_array(texture(seed), spacing=spacing)
    true = Transform.of_matrix(np.array(matrix, float), moving.geometry, moving.geometry)
    pixels = warped(true, moving).pixels()
    pixels = np.exp(0.5 * pixels) * 90 + np.random.default_rng(seed + 1).normal(size=SHAPE) * noise * 90
    return Case("x", {"fixed": Image.from_array(pixels, spacing=spacing), "moving": moving}, "fixed"), true


def apart(answer, true):
    at = true.sampled(15)[0]
    inside = (true.indices(at) > 0).all(1) & (true.indices(at) < np.array(SHAPE)).all(1)
    return float(np.linalg.norm(answer.indices(at[inside]) - true.indices(at[inside]), axis=1).mean())


@pytest.mark.parametrize("kind", list(MAPS))
def test_two_views_are_brought_together_under_another_gain_and_noise(kind):
    case, true = pair(MAPS[kind])
    found = Landmarks().predict(case)
    assert apart(found, true) < 0.7
    evidence = dict(found.evidence)
    assert evidence["chance_log10"] < -20
    assert 10 < evidence["inliers"] <= evidence["matches"] <= evidence["key_points_fixed"]


@pytest.mark.parametrize("how", [{"kind": "orb"}, *({"family": f} for f in ("affine", "polynomial", "thin_plate"))])
def test_every_way_finds_a_simple_map(how):
    case, true = pair(MAPS["affine"])
    assert apart(Landmarks(**how).predict(case), true) < 2.5


def test_the_map_is_in_millimetres_where_the_spacing_is_known():
    case, _ = pair([[1, 0, 12.0], [0, 1, -6], [0, 0, 1]], spacing=(0.5, 0.5))
    found = Landmarks(family="rigid").predict(case)
    assert found.fixed.unit == "mm"
    assert np.allclose(found.matrix[:2, 2], [12, -6], atol=0.3)


def test_two_different_things_are_refused_with_the_evidence():
    first, second = pair(MAPS["rigid"], seed=0)[0], pair(MAPS["rigid"], seed=40)[0]
    for how in ({}, {"family": "thin_plate"}, {"kind": "orb"}):
        answer = Landmarks(**how).predict(replace(first, images={**first.images, "moving": second.images["moving"]}))
        assert isinstance(answer, NotEvaluated)
        assert "share no content" in answer.reason or "too few" in answer.reason
        assert "pairs" in answer.measured


@pytest.mark.parametrize("array", [np.zeros((1, 1)), np.zeros((64, 64)), np.full(SHAPE, 7.0), np.arange(9.0)[:, None],
                                   np.full((40, 40), np.nan), np.random.default_rng(0).random((48, 48)) * 1e9])
def test_empty_and_tiny_images_are_not_evaluated(array):
    image = Image.from_array(array)
    for images in ({"fixed": image, "moving": Image.from_array(texture(0))}, {"fixed": image, "moving": image}):
        answer = Landmarks().predict(Case("x", images, "fixed"))
        assert isinstance(answer, NotEvaluated) or np.allclose(answer.matrix, np.eye(3), atol=1e-2)


def test_roles_channels_films_and_volumes_are_said():
    case = pair(MAPS["rigid"])[0]
    image = case.image("fixed")
    with pytest.raises(NotFoundError, match="'moving'"):
        Landmarks().predict(Case("x", {"fixed": image}, "fixed"))
    with pytest.raises(NotFoundError, match="'fixed'"):
        Landmarks().predict(Case.of(image))
    with pytest.raises(NotFoundError, match="no channel 'greem'"):
        Landmarks(channel="greem").predict(case)
    film = Image.from_array(np.zeros((3, 32, 40)), axes="tyx")
    with pytest.raises(IsocenterError, match="film"):
        Landmarks().predict(Case("x", {"fixed": film, "moving": film}, "fixed"))
    volume = Image.from_array(np.zeros((4, 32, 40)))
    answer = Landmarks().predict(Case("x", {"fixed": volume, "moving": volume}, "fixed"))
    assert "flat images" in answer.reason


def test_one_channel_is_chosen_by_name():
    case, true = pair(MAPS["similarity"])
    noise = np.random.default_rng(0).normal(size=SHAPE) * 500
    both = {role: Image.from_array(np.stack([noise, i.pixels()]), axes="cyx", channels=("a", "b"))
            for role, i in case.images.items()}
    assert apart(Landmarks(channel="b").predict(replace(case, images=both)), true) < 1


def given(n, w, seed=0):
    rng = np.random.default_rng(seed)
    fixed = rng.random((n, w)) * 30
    turn = np.linalg.qr(rng.normal(size=(w, w)))[0]
    turn[:, 0] *= np.linalg.det(turn)
    return fixed, fixed @ turn.T + 3


@pytest.mark.parametrize("w", [2, 3])
@pytest.mark.parametrize("family", ["rigid", "affine", "thin_plate", "polynomial", None])
def test_landmarks_set_by_hand_decide_the_map(w, family):
    fixed, moving = given(20, w)
    image = Image.from_array(np.zeros((33,) * w))
    case = Case("x", {"fixed": image, "moving": image}, "fixed")
    rows = tuple(map(tuple, np.concatenate([fixed, moving], 1).tolist()))
    found = Landmarks(points=rows, family=family).predict(case)
    assert np.abs(found.points(fixed) - moving).max() < 1e-3
    recipe = Landmarks(points=rows, family=family)
    assert build(Landmarks, json.loads(json.dumps(as_settings(recipe)))) == recipe


def test_a_wrong_landmark_counts_unless_robust():
    fixed, moving = given(20, 2)
    moving[0] += 15
    image = Image.from_array(np.zeros((40, 40)))
    case = Case("x", {"fixed": image, "moving": image}, "fixed")
    rows = tuple(map(tuple, np.concatenate([fixed, moving], 1).tolist()))
    plain, robust = (Landmarks(points=rows, family="rigid", robust=r, threshold=0.02).predict(case) for r in (0, 1))
    assert np.abs(robust.points(fixed) - moving)[1:].max() < 1e-3 < np.abs(plain.points(fixed) - moving)[1:].max()
    assert dict(robust.evidence)["inliers"] == 19


@pytest.mark.parametrize(("rows", "family", "reason"), [
    (((1.0, 1, 2, 2),), "affine", "do not determine"),
    (tuple((float(i), float(i), float(i), float(i)) for i in range(9)), "affine", "do not determine"),
    (((5.0, 5, 5, 5),) * 6, "thin_plate", "do not determine"),
    (((1.0, 2, 3, 4, 5, 6),) * 6, "rigid", "not of these images"),
    ((), "rigid", "not of these images"),
    (((0.0, 0, 39, 0), (39, 0, 0, 0), (0, 39, 39, 39), (39, 39, 0, 39)), "affine", "folds"),
])  # fmt: skip
def test_singular_foreign_and_mirrored_landmarks_are_refused(rows, family, reason):
    image = Image.from_array(np.zeros((40, 40)))
    answer = Landmarks(points=rows, family=family).predict(Case("x", {"fixed": image, "moving": image}, "fixed"))
    assert isinstance(answer, NotEvaluated)
    assert reason in answer.reason


def test_rows_of_another_length_are_refused():
    with pytest.raises(RecipeError, match="a point in each image"):
        Landmarks(points=((1.0, 2.0, 3.0),))


def test_the_same_answer_twice_without_looking_at_the_truth():
    case, _ = pair(MAPS["perspective"])

    def forbidden():
        raise AssertionError("looked at the truth")

    blind = replace(case, load_truth=forbidden, notes={"transform": "x"}, id="y")
    a, b = Landmarks().predict(case), Landmarks().predict(blind)
    assert np.array_equal(a.matrix, b.matrix)
    assert a.evidence == b.evidence


def test_the_map_keeps_the_pairs_it_was_made_of_in_both_worlds():
    case, true = pair(MAPS["similarity"], spacing=(0.5, 0.5))
    found = Landmarks().predict(case)
    evidence, kept = dict(found.evidence), found.matches
    assert len(kept) == evidence["matches"]
    assert kept.inliers.sum() == evidence["inliers"]
    error = np.linalg.norm(found.points(kept.fixed) - kept.moving, axis=1)
    assert error[kept.inliers].max() < 2.0
    assert error[kept.inliers].mean() < error[~kept.inliers].mean()
    assert np.median(np.linalg.norm(true.points(kept.fixed) - kept.moving, axis=1)[kept.inliers]) < 0.5
    assert found.inverse().matches is None
