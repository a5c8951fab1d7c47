"""Known maps found again on any grid, folds prevented, and what is no pair refused with the evidence."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Case, Geometry, Image, NotEvaluated, Transform, as_settings, build
from isocenter.data.findings.transform import Linear
from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.metrics.register import folding_record, inverse_record
from isocenter.ops.warping import grid_points, sampled
from isocenter.tasks.register.demons import Demons


def texture(shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    return sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (2, 4, 8)).astype(np.float32)


def displacement(shape, size, seed=5):
    rng = np.random.default_rng(seed)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), 7, mode="wrap") for _ in shape])
    return field * size / np.linalg.norm(field, axis=0).mean()


def pair(shape=(80, 72), size=2.0, *, geometry=None):
    """A texture and the same seen through a known map; both on one grid."""
    geometry = geometry or Geometry(shape)
    field, moving = displacement(shape, size), texture(shape)
    fixed = sampled(moving, grid_points(shape) + np.moveaxis(field, 0, -1), order=3, outside=None)
    sides = {"fixed": fixed, "moving": moving}
    return Case("x", {k: Image.from_array(v, geometry=geometry) for k, v in sides.items()}, "fixed"), field


def error(answer, field):
    """Mean distance in pixels, away from the edge."""
    at = grid_points(field.shape[1:]).reshape(-1, len(field))
    inner = ((at > 4) & (at < np.array(field.shape[1:]) - 5)).all(1)
    return float(np.linalg.norm(answer.indices(at) - at - field.reshape(len(field), -1).T, axis=1)[inner].mean())


@dataclass(frozen=True)
class Told:
    """A start that is known."""

    matrix: tuple

    def predict(self, case):
        grids = (case.image(role).geometry for role in ("fixed", "moving"))
        return Transform.of_matrix(np.array(self.matrix), *grids)


@pytest.mark.parametrize("shape", [(80, 72), (32, 40, 36)])
@pytest.mark.parametrize("measure", ["squares", "local"])
def test_a_known_map_is_found_again_and_nothing_folds(shape, measure):
    case, field = pair(shape, 1.5)
    found = Demons(measure=measure, smoothness=1.5).predict(case)
    assert error(found, field) < 0.7
    assert folding_record(found, found)["values"]["all"] == 0.0
    evidence = dict(found.evidence)
    assert evidence["similarity_after"] > 0.97 > evidence["similarity_before"]
    assert 0 < evidence["least_jacobian"] == pytest.approx(found.jacobian().min(), rel=1e-3)


def test_there_and_back_again_is_where_it_was():
    case, _ = pair()
    found = Demons().predict(case)
    assert inverse_record(found, found)["values"]["all"] < 0.05
    other = Demons().predict(replace(case, images={"fixed": case.images["moving"], "moving": case.images["fixed"]}))
    at = grid_points((80, 72)).reshape(-1, 2)
    inner = ((at > 8) & (at < 64)).all(1)
    assert np.linalg.norm(other.indices(found.indices(at)) - at, axis=1)[inner].mean() < 0.05


AFFINES = {
    "oblique slice": (((1.2, 0.0, 5.0), (0.0, 0.4, -3.0), (0.3, 0.2, 8.0), (0, 0, 1)), (80, 72)),
    "mirrored volume": (((0, 0, -1.0, 3.0), (0, 1.5, 0, 2.0), (2.0, 0, 0, 1.0), (0, 0, 0, 1)), (28, 40, 44)),
}


@pytest.mark.parametrize("name", list(AFFINES))
def test_the_map_is_in_the_world_of_any_grid(name):
    affine, shape = AFFINES[name]
    case, field = pair(shape, 1.5, geometry=Geometry(shape, affine))
    found = Demons(smoothness=1.5).predict(case)
    assert error(found, field) < 0.6
    assert folding_record(found, found)["values"]["all"] == 0.0


def test_the_moving_image_may_lie_on_another_grid_and_a_start_brings_it_near():
    case, field = pair(geometry=Geometry.from_spacing((80, 72), (1.0, 1.0)))
    moving = case.images["moving"]
    there = np.array([[0.8, -0.6, 400.0], [0.6, 0.8, -90.0], [0, 0, 1.0]])
    turned = Geometry((80, 72), tuple(map(tuple, there @ moving.geometry.matrix)))
    far = replace(case, images={**case.images, "moving": replace(moving, geometry=turned)})
    assert "do not meet" in Demons().predict(far).reason
    found = Demons(start=Told(tuple(map(tuple, there)))).predict(far)
    assert error(found, field) < 0.7
    assert len(found.parts) == 2 and isinstance(found.parts[1], Linear)
    assert found.moving.same_grid(turned)


def test_unknown_pixels_and_a_changed_gain_do_no_harm():
    case, field = pair()
    pixels = case.images["fixed"].pixels() * 3 + 700
    pixels[20:30, 20:30] = np.nan
    found = Demons().predict(replace(case, images={**case.images, "fixed": Image.from_array(pixels)}))
    assert error(found, field) < 1.0


def test_a_large_image_is_worked_on_coarsely_and_answered_on_its_own_grid(monkeypatch):
    monkeypatch.setattr("isocenter.tasks.register._working.MOST", 40 * 36)
    case, field = pair(size=3.0)
    found = Demons().predict(case)
    assert found.parts[0].displacement.shape == (2, 80, 72)
    assert error(found, field) < 1.5
    assert folding_record(found, found)["values"]["all"] == 0.0


def test_a_map_that_folds_is_calmed_until_it_does_not():
    rng = np.random.default_rng(0)
    moving = texture((64, 64))
    fixed = 0.5 * moving / moving.std() + 0.5 * texture((64, 64), 1) / texture((64, 64), 1).std()
    fixed += 0.3 * rng.normal(size=fixed.shape)
    case = Case("x", {"fixed": Image.from_array(fixed), "moving": Image.from_array(moving)}, "fixed")
    found = Demons(smoothness=0.3, fluid=0.0, steps=60).predict(case)
    evidence = dict(found.evidence)
    assert evidence["folded_first"] > 0 and evidence["calmed"] >= 1
    assert folding_record(found, found)["values"]["all"] == 0.0


def of(fixed, moving=None, **more):
    fixed = Image.from_array(fixed, **more)
    return Case("x", {"fixed": fixed, "moving": fixed if moving is None else Image.from_array(moving, **more)}, "fixed")


BAD = {
    "unrelated": (of(texture((64, 64)), texture((64, 64), 9)), "not alike"),
    "constant": (of(np.full((20, 20), 4.0)), "alike"),
    "nothing finite": (of(np.full((20, 20), np.nan)), "finite"),
    "one pixel": (of(np.ones((1, 1))), "small"),
    "a line": (of(np.arange(40.0)[None]), "small"),
    "dimension": (Case("x", {"fixed": Image.from_array(texture((20, 20))),
                             "moving": Image.from_array(texture((20, 20, 20)))}, "fixed"), "dimension"),
    "units": (Case("x", {"fixed": Image.from_array(texture((20, 20))),
                         "moving": Image.from_array(texture((20, 20)), spacing=(1, 1))}, "fixed"), "unit"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_no_pair_is_refused_with_the_evidence(name):
    case, words = BAD[name]
    found = Demons().predict(case)
    assert isinstance(found, NotEvaluated) and words in found.reason


@pytest.mark.parametrize("shape", [(4, 4), (17, 5, 1), (2, 6, 5)])
def test_small_images_are_answered(shape):
    values = np.random.default_rng(0).normal(size=shape)
    found = Demons().predict(of(values))
    assert np.allclose(found.indices(np.zeros((1, len(shape)))), 0, atol=1e-3)


def test_films_missing_roles_and_parts_that_do_not_answer():
    film = Image.from_array(np.zeros((3, 20, 20)), axes="tyx")
    with pytest.raises(InputError, match="frame"):
        Demons().predict(Case("x", {"fixed": film, "moving": film}, "fixed"))
    with pytest.raises(NotFoundError, match="moving"):
        Demons().predict(Case("x", {"fixed": Image.from_array(texture((20, 20)))}, "fixed"))
    with pytest.raises(RecipeError, match="does not answer"):
        Demons(start="register/intensity")


def test_a_start_without_an_answer_is_passed_on():
    class Lost:
        def predict(self, case):
            return NotEvaluated("nothing there")

    assert Demons(start=Lost()).predict(pair()[0]).reason == "nothing there"


def test_the_recipe_comes_back():
    made = Demons(measure="local", smoothness=2.0)
    assert build(Demons, json.loads(json.dumps(as_settings(made)))) == made


def test_the_same_answer_twice_and_the_input_untouched():
    case, _ = pair((40, 40))
    kept = case.images["fixed"].pixels().copy()
    a, b = (Demons().predict(case).parts[0].displacement for _ in range(2))
    assert np.array_equal(a, b) and np.array_equal(case.images["fixed"].pixels(), kept)


def test_a_channel_may_be_named_and_colours_become_one():
    case, field = pair()
    rng = np.random.default_rng(1)

    def coloured(image):
        noise = 9 * rng.normal(size=image.shape).astype(np.float32)
        return Image.from_array(np.stack([noise, image.pixels()]), axes="cyx", channels=("noise", "tissue"))

    both = replace(case, images={k: coloured(v) for k, v in case.images.items()})
    assert error(Demons(channel="tissue").predict(both), field) < 0.7
    with pytest.raises(NotFoundError, match="tissue"):
        Demons(channel="tisue").predict(both)


def test_a_moving_image_of_other_pixels_and_direction_is_brought_along():
    case, _ = pair((64, 60), geometry=Geometry.from_spacing((64, 60), (1.0, 1.0)))
    pixels, grid = case.images["moving"].pixels(), case.images["moving"].geometry
    turned = Image.from_array(pixels.T[:, ::-1].copy(), geometry=grid.reoriented((1, 0), (False, True)))
    other = Demons().predict(replace(case, images={**case.images, "moving": turned}))
    same = Demons().predict(case)
    at = grid_points((64, 60)).reshape(-1, 2) @ np.fliplr(np.eye(2))
    assert np.allclose(other.points(at), same.points(at), atol=1e-3)
    assert other.moving.same_grid(turned.geometry)


def test_the_answer_goes_through_a_file_and_back(tmp_path):
    from isocenter.io.transforms import read_transform, write_transform

    case, _ = pair((24, 30, 28), geometry=Geometry.from_spacing((24, 30, 28), (2.0, 1.0, 1.5)))
    found = Demons().predict(case)
    write_transform(found, tmp_path / "field.nii.gz")
    again = read_transform(tmp_path / "field.nii.gz", found.fixed, found.moving)
    at = found.sampled(7)[0]
    assert np.allclose(again.indices(at), found.indices(at), atol=1e-2)


def test_regions_come_along():
    from isocenter.data import Segmentation
    from isocenter.data.warping import warped

    case, field = pair((80, 72), 2.0)
    grid = case.images["moving"].geometry
    disc = (np.hypot(*(grid_points((80, 72)) - [40, 36]).transpose(2, 0, 1)) < 14).astype(np.uint8)
    true = sampled(disc, grid_points((80, 72)) + np.moveaxis(field, 0, -1), order=0) > 0
    found = warped(Demons().predict(case), Segmentation(disc, ("background", "disc"), grid)).labels > 0
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.97
    assert 2 * (disc.astype(bool) & true).sum() / (disc.sum() + true.sum()) < 0.95
