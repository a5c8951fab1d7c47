"""Known maps found again by splines, of one kind of image and of two; folds prevented; what is no pair refused."""

import json

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Case, Geometry, Image, NotEvaluated, Transform, as_settings, build
from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.metrics.register import folding_record, inverse_record
from isocenter.ops.warping import grid_points, sampled
from isocenter.tasks.register.bspline import BSpline


def texture(shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    return sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (2, 4, 8)).astype(np.float32)


def pair(shape=(80, 72), size=1.5, *, geometry=None, contrast=None):
    """A texture and the same seen through a known map; `contrast` changes the values of the fixed one."""
    geometry = geometry or Geometry(shape)
    rng = np.random.default_rng(5)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), 7, mode="wrap") for _ in shape])
    field *= size / np.linalg.norm(field, axis=0).mean()
    moving = texture(shape)
    fixed = sampled(moving, grid_points(shape) + np.moveaxis(field, 0, -1), order=3, outside=None)
    sides = {"fixed": fixed if contrast is None else contrast(fixed), "moving": moving}
    return Case("x", {k: Image.from_array(v, geometry=geometry) for k, v in sides.items()}, "fixed"), field


def error(answer, field):
    at = grid_points(field.shape[1:]).reshape(-1, len(field))
    inner = ((at > 4) & (at < np.array(field.shape[1:]) - 5)).all(1)
    return float(np.linalg.norm(answer.indices(at) - at - field.reshape(len(field), -1).T, axis=1)[inner].mean())


@pytest.mark.parametrize("shape", [(80, 72), (32, 40, 36)])
@pytest.mark.parametrize("measure", ["squares", "correlation", "mutual"])
def test_a_known_map_is_found_again_and_nothing_folds(shape, measure):
    case, field = pair(shape)
    found = BSpline(measure=measure).predict(case)
    assert error(found, field) < 0.6
    assert folding_record(found, found)["values"]["all"] == 0.0
    assert inverse_record(found, found)["values"]["all"] < 0.05
    evidence = dict(found.evidence)
    assert evidence["similarity_after"] > evidence["similarity_before"]
    assert 0 < evidence["least_jacobian"] == pytest.approx(found.jacobian().min(), rel=1e-3)


def test_images_of_two_kinds_are_brought_together_by_mutual_information_alone():
    case, field = pair((96, 90), contrast=lambda v: -np.abs(v - v.mean()))
    found = BSpline(measure="mutual").predict(case)
    assert error(found, field) < 0.8
    other = BSpline(measure="correlation").predict(case)
    assert isinstance(other, NotEvaluated) or error(other, field) > 2 * error(found, field)


def test_the_map_is_in_the_world_of_an_oblique_grid():
    affine = ((0, 0, -1.0, 3.0), (0, 1.5, 0, 2.0), (2.0, 0.1, 0, 1.0), (0, 0, 0, 1))
    case, field = pair((28, 40, 44), geometry=Geometry((28, 40, 44), affine))
    assert error(BSpline().predict(case), field) < 0.6


def test_a_map_that_folds_is_calmed_until_it_does_not():
    moving = texture((64, 64))
    fixed = moving / moving.std() + texture((64, 64), 1) / texture((64, 64), 1).std()
    case = Case("x", {"fixed": Image.from_array(fixed), "moving": Image.from_array(moving)}, "fixed")
    found = BSpline(spacing=3.0, bending=0.0, steps=60).predict(case)
    evidence = dict(found.evidence)
    assert evidence["folded_first"] > 0 and evidence["calmed"] >= 1
    assert folding_record(found, found)["values"]["all"] == 0.0


def test_a_start_brings_the_moving_image_near():
    class Known:
        def predict(self, case):
            grids = (case.image(role).geometry for role in ("fixed", "moving"))
            return Transform.of_matrix(np.array([[1, 0, 300.0], [0, 1, -200.0], [0, 0, 1]]), *grids)

    case, field = pair(geometry=Geometry.from_spacing((80, 72), (1.0, 1.0)))
    away = Geometry.from_spacing((80, 72), (1.0, 1.0), origin=(300.0, -200.0))
    images = {**case.images, "moving": Image.from_array(case.images["moving"].pixels(), geometry=away)}
    far = Case("x", images, "fixed")
    assert "do not meet" in BSpline().predict(far).reason
    assert error(BSpline(start=Known()).predict(far), field) < 0.6


@pytest.mark.parametrize("measure", ["correlation", "mutual"])
def test_what_is_no_pair_is_refused_with_the_evidence(measure):
    unrelated = {"fixed": Image.from_array(texture((64, 64))), "moving": Image.from_array(texture((64, 64), 9))}
    found = BSpline(measure=measure).predict(Case("x", unrelated, "fixed"))
    assert isinstance(found, NotEvaluated) and "chance" in found.reason and "SD" in found.measured
    flat = Image.from_array(np.full((20, 20), 3.0))
    found = BSpline(measure=measure).predict(Case("x", {"fixed": flat, "moving": flat}, "fixed"))
    assert isinstance(found, NotEvaluated) and found.reason == "all pixels are alike"


@pytest.mark.parametrize("shape", [(4, 4), (17, 5, 1), (2, 6, 5)])
def test_small_images_are_answered(shape):
    image = Image.from_array(np.random.default_rng(0).normal(size=shape))
    found = BSpline().predict(Case("x", {"fixed": image, "moving": image}, "fixed"))
    assert np.allclose(found.indices(np.zeros((1, len(shape)))), 0, atol=1e-2)


def test_films_missing_roles_parts_that_do_not_answer_and_the_recipe():
    film = Image.from_array(np.zeros((3, 20, 20)), axes="tyx")
    with pytest.raises(InputError, match="frame"):
        BSpline().predict(Case("x", {"fixed": film, "moving": film}, "fixed"))
    with pytest.raises(NotFoundError, match="moving"):
        BSpline().predict(Case("x", {"fixed": Image.from_array(texture((20, 20)))}, "fixed"))
    with pytest.raises(RecipeError, match="does not answer"):
        BSpline(start=3)
    made = BSpline(measure="mutual", spacing=4.0)
    assert build(BSpline, json.loads(json.dumps(as_settings(made)))) == made


def test_the_same_answer_twice():
    case, _ = pair((40, 40))
    a, b = (BSpline().predict(case).parts[0].displacement for _ in range(2))
    assert np.array_equal(a, b)


def test_a_finer_lattice_bends_finer_and_a_coarse_one_less():
    case, field = pair((96, 90), 2.0)
    fine, coarse = (error(BSpline(spacing=s).predict(case), field) for s in (8.0, 60.0))
    assert fine < 0.5 * coarse


def test_a_slice_in_space_bends_in_its_own_plane():
    affine = ((1.2, 0.0, 5.0), (0.0, 0.4, -3.0), (0.3, 0.2, 8.0), (0, 0, 1))
    case, field = pair((80, 72), geometry=Geometry((80, 72), affine))
    found = BSpline().predict(case)
    assert error(found, field) < 0.7
    at = grid_points((80, 72)).reshape(-1, 2)
    moved = found.points(found.fixed.to_world(at)) - found.fixed.to_world(at)
    normal = np.cross(np.array(affine)[:3, 0], np.array(affine)[:3, 1])
    assert np.abs(moved @ normal).max() < 1e-3 * np.linalg.norm(moved, axis=1).max()


def test_unknown_pixels_take_no_part():
    case, field = pair()
    pixels = case.images["moving"].pixels().copy()
    pixels[30:40, 30:40] = np.nan
    found = BSpline().predict(Case("x", {**case.images, "moving": Image.from_array(pixels)}, "fixed"))
    assert error(found, field) < 0.8
