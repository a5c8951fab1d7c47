"""Images of any grid are brought together by their pixels; what shares nothing is refused with the evidence."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Case, Geometry, Image, NotEvaluated, Transform, as_settings, build
from isocenter.data.warping import warped
from isocenter.errors import IsocenterError, NotFoundError, RecipeError
from isocenter.ops.motions import motion
from isocenter.tasks.register.intensity import Intensity
from isocenter.tasks.register.landmarks import Landmarks

FLAT, SOLID = (90, 100), (26, 36, 40)
# A slice across the body and a volume whose axes run otherwise than the world's.
SLICE = Geometry(FLAT, ((0.0, 1.2, 10.0), (0.9, 0.0, 20.0), (0.0, 0.1, 30.0), (0.0, 0.0, 1.0)))
TILTED = Geometry(SOLID, ((0.0, 0, -1.1, 30.0), (0.0, 1.2, 0.1, -10), (2.0, 0, 0, 5), (0.0, 0, 0, 1)))
GRIDS = {
    "px": Geometry(FLAT), "mm": Geometry.from_spacing(FLAT, (0.8, 0.6), origin=(50.0, -20.0)), "slice": SLICE,
    "volume": Geometry.from_spacing(SOLID, (2.0, 1.0, 1.0), origin=(5.0, 6.0, 7.0)), "tilted": TILTED,
    "volume in px": Geometry(SOLID),
}


def texture(shape, seed):
    noise = np.random.default_rng(seed).normal(size=shape)
    return sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (1.5, 3, 5)).astype(np.float32)


def small(geometry, seed=0, degrees=8.0):
    """A turn and a shift about the middle of a grid, in its world."""
    n = geometry.ndim
    w = len(geometry.affine) - 1 if geometry.affine else n
    middle = (np.array(geometry.shape) - 1)[None] / 2
    centre = np.zeros(3)
    centre[:w] = (geometry.to_world(middle) if geometry.affine else middle[:, ::-1])[0]
    rng = np.random.default_rng(seed)
    turn = np.radians(degrees) * rng.choice([-1, 1], 3)
    if n == 2 and w == 3:  # about the plane's own normal, along the plane
        m = geometry.matrix
        axes = m[:3, :2] / np.linalg.norm(m[:3, :2], axis=0)
        normal = np.cross(axes[:, 0], axes[:, 1])
        numbers = np.concatenate([axes @ rng.uniform(-6, 6, 2), normal * turn[0]])
    else:
        shift = np.concatenate([rng.uniform(-6, 6, w), np.zeros(3 - w)])
        numbers = np.concatenate([shift, turn if n == 3 else [0, 0, turn[2]]])
    matrix = motion("rigid", numbers, centre, 1.0)[0]
    kept = [*range(w), 3]
    return matrix[np.ix_(kept, kept)]


def pair(name, seed=0, noise=0.1):
    moving = Image.from_array(texture(GRIDS[name].shape, seed), geometry=GRIDS[name])
    true = Transform.of_matrix(small(GRIDS[name]), GRIDS[name], GRIDS[name])
    pixels = warped(true, moving, outside=np.nan).pixels()
    pixels = np.exp(-0.4 * pixels) * 90 + np.random.default_rng(seed + 1).normal(size=pixels.shape) * noise * 90
    return Case("x", {"fixed": Image.from_array(pixels, geometry=GRIDS[name]), "moving": moving}, "fixed"), true


def apart(answer, true):
    """Mean distance in pixels over what both images show."""
    at, there = true.sampled(11)
    inside = ((there > 0) & (there < np.array(true.moving.shape) - 1)).all(axis=1)
    return float(np.linalg.norm(answer.indices(at[inside]) - there[inside], axis=1).mean())


@pytest.mark.parametrize("name", list(GRIDS))
def test_two_kinds_of_images_are_brought_together_on_any_grid(name):
    case, true = pair(name)
    found = Intensity(samples=6000, turn=15.0).predict(case)
    assert apart(found, true) < 0.5
    evidence = dict(found.evidence)
    assert evidence["similarity_after"] > 2 * evidence["similarity_before"]
    assert 0.5 < evidence["overlap"] <= 1
    assert evidence["halves_apart"] < 0.2
    assert found.fixed.unit == case.image("fixed").geometry.unit


@pytest.mark.parametrize("name", ["slice", "tilted"])
def test_what_surrounds_a_point_is_a_measure_of_its_own(name):
    case, true = pair(name)
    found = Intensity(measure="mind", samples=4000, turn=15.0).predict(case)
    assert apart(found, true) < 0.8
    assert dict(found.evidence)["similarity_after"] <= 1


def test_images_of_other_spacing_and_direction_meet_in_the_world():
    case, true = pair("volume")
    plain = Geometry.from_spacing((40, 30, 34), (1.3, 1.2, 1.1), origin=(5.0, 7.0, 8.0))
    other = plain.reoriented((2, 0, 1), (True, False, True))
    back = Transform(true.parts, other, true.moving)
    fixed = warped(back, case.image("moving"), outside=np.nan)
    found = Intensity(samples=6000, turn=15.0).predict(replace(case, images={**case.images, "fixed": fixed}))
    assert apart(found, back) < 0.5


def test_families_hold_what_they_are():
    case, _ = pair("px")
    for family in ("translation", "rigid", "similarity", "affine"):
        inner = Intensity(family=family, samples=2000, turn=15.0).predict(case)
        if family == "translation":
            assert not inner or np.allclose(inner.matrix[:2, :2], np.eye(2))
            continue
        gram = inner.matrix[:2, :2] @ inner.matrix[:2, :2].T
        assert np.allclose(gram, np.eye(2)) == (family == "rigid")
        assert np.allclose(gram, gram[0, 0] * np.eye(2)) == (family != "affine")


def test_a_half_turn_is_found_in_flat_images():
    case, _ = pair("px", noise=0)
    moving = case.image("moving")
    turned = Image.from_array(moving.pixels()[::-1, ::-1].copy())
    found = Intensity(samples=4000).predict(replace(case, images={"fixed": turned, "moving": moving}))
    assert np.allclose(found.indices(np.array([[0, 0], [89, 99.0]])), [[89, 99], [0, 0]], atol=0.3)


@dataclass(frozen=True)
class Said:
    """A map that somebody knows."""

    answer: object

    def predict(self, case):
        """That map."""
        return self.answer


def test_it_begins_where_another_method_ended():
    case, true = pair("slice")
    m = small(SLICE).copy()
    m[:3, 3] += 1.5 * SLICE.matrix[:3, 0]
    near = Transform.of_matrix(m, SLICE, SLICE)
    found = Intensity(start=Said(near), samples=6000).predict(case)
    assert apart(found, true) < 0.4 < apart(near, true)
    bent = near.as_field()
    assert apart(Intensity(start=Said(bent), samples=6000).predict(case), true) < 0.4
    refused = NotEvaluated("nothing was found")
    assert Intensity(start=Said(refused)).predict(case) is refused
    with pytest.raises(RecipeError, match="does not answer"):
        Intensity(start="landmarks")


def test_a_part_is_part_of_the_recipe():
    recipe = Intensity(start=Landmarks(), family="affine")
    plain = Intensity(family="affine")
    assert build(Intensity, json.loads(json.dumps(as_settings(plain)))) == plain
    assert recipe.start == Landmarks()


@pytest.mark.parametrize("name", ["px", "volume"])
def test_masks_say_what_takes_part(name):
    case, true = pair(name)
    spoilt = case.image("fixed").pixels().copy()
    cut = tuple(slice(0, s // 3) for s in spoilt.shape)
    spoilt[cut] = texture(spoilt[cut].shape, 7) * 1e4
    mask = np.ones(spoilt.shape, np.uint8)
    mask[cut] = 0
    images = {**case.images, "fixed": Image.from_array(spoilt, geometry=GRIDS[name]),
              "fixed_mask": Image.from_array(mask, geometry=GRIDS[name])}
    found = Intensity(samples=6000, turn=15.0).predict(replace(case, images=images))
    assert apart(found, true) < 0.5
    other = Image.from_array(np.ones((5, 5)))
    answer = Intensity().predict(replace(case, images={**images, "moving_mask": other}))
    assert "another grid" in answer.reason
    nothing = Image.from_array(mask * 0, geometry=GRIDS[name])
    assert "alike" in Intensity().predict(replace(case, images={**images, "fixed_mask": nothing})).reason


def test_what_shares_nothing_is_refused_with_the_evidence():
    first, second = pair("px", seed=0)[0], pair("px", seed=50)[0]
    answer = Intensity(samples=4000).predict(
        replace(first, images={**first.images, "moving": second.image("moving")}))
    assert isinstance(answer, NotEvaluated)
    assert "share no content" in answer.reason
    assert "apart" in answer.measured


@pytest.mark.parametrize("array", [
    np.zeros((1, 1)), np.zeros((64, 64)), np.full(FLAT, 7.0), np.full((40, 40), np.nan), np.arange(3.0)[:, None],
    np.eye(2), np.random.default_rng(0).random((48, 48)) * 1e300, np.where(np.eye(30) > 0, np.inf, 1.0),
])  # fmt: skip
def test_empty_and_tiny_images_are_not_evaluated_or_right(array):
    image = Image.from_array(array)
    other = Image.from_array(texture(FLAT, 0))
    for fixed, moving in ((image, other), (other, image), (image, image)):
        answer = Intensity(samples=2000).predict(Case("x", {"fixed": fixed, "moving": moving}, "fixed"))
        assert isinstance(answer, NotEvaluated) or np.isfinite(answer.matrix).all()


def test_dimensions_films_roles_and_channels_are_said():
    case, _ = pair("px")
    solid = pair("volume in px")[0].image("moving")
    assert "dimension" in Intensity().predict(replace(case, images={**case.images, "moving": solid})).reason
    inclined = pair("slice")[0].image("moving")
    assert "dimension" in Intensity().predict(replace(case, images={**case.images, "moving": inclined})).reason
    with pytest.raises(NotFoundError, match="'moving'"):
        Intensity().predict(Case("x", {"fixed": case.image("fixed")}, "fixed"))
    with pytest.raises(NotFoundError, match="no channel"):
        Intensity(channel="red").predict(case)
    film = Image.from_array(np.zeros((3, 32, 40)), axes="tyx")
    with pytest.raises(IsocenterError, match="film"):
        Intensity().predict(replace(case, images={**case.images, "moving": film}))


def test_slices_in_other_planes_meet_at_their_centres():
    case, true = pair("slice")
    m = SLICE.matrix.copy()
    m[:3, :2] = m[[2, 0, 1], :2]
    elsewhere = Image.from_array(case.image("moving").pixels(), geometry=Geometry(FLAT, tuple(map(tuple, m))))
    found = Intensity(samples=6000, turn=15.0).predict(replace(case, images={**case.images, "moving": elsewhere}))
    assert apart(found, true) < 0.5


def test_the_same_answer_twice_without_looking_at_the_truth():
    case, _ = pair("mm")

    def forbidden():
        raise AssertionError("looked at the truth")

    blind = replace(case, load_truth=forbidden, notes={"transform": "x"}, id="y")
    a, b = (Intensity(samples=2000, turn=15.0).predict(c) for c in (case, blind))
    assert np.array_equal(a.matrix, b.matrix)
    assert a.evidence == b.evidence
