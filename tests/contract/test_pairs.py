"""What every method that brings two images together keeps: over everything that the catalog finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from isocenter import catalog
from isocenter.data import Case, Cases, Correspondence, Entry, Geometry, Image, NotEvaluated, Transform, Watch, build
from isocenter.data.findings.transform import to_world
from isocenter.errors import IsocenterError, NotFoundError
from isocenter.ops.warping import grid_points, sampled

METHODS = catalog.methods("register")
SEEING = [m for m in METHODS if m != "given"]
STUDYING = [m for m in METHODS if hasattr(catalog.find("register", m), "fit")]
# Methods that find their way in flat images alone.
FLAT = ("landmarks",)
SETTINGS: dict[str, dict[str, Any]] = {
    "given": {"column": "reader"},
    "dense_field": {"study.epochs": 1, "study.steps": 2, "study.batch_size": 2, "width": 4},
}
SHAPES = {2: (120, 136), 3: (26, 32, 30)}
SHIFT = 2.5

each = pytest.mark.parametrize("method", METHODS)
each_seeing = pytest.mark.parametrize("method", SEEING)
each_studying = pytest.mark.parametrize("method", STUDYING)
each_rank = pytest.mark.parametrize("rank", [2, 3])


def texture(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Something to see everywhere, brighter in the middle."""
    noise = np.random.default_rng(seed).normal(size=shape)
    found = sum(ndimage.gaussian_filter(noise, s) * s ** (len(shape) / 2) for s in (1.5, 3.0))
    axes = np.meshgrid(*[(np.arange(n) - (n - 1) / 2) / (n / 2.6) for n in shape], indexing="ij")
    bump = np.exp(-sum(a**2 for a in axes) ** 2)
    return np.asarray((found + 2.5) * bump, np.float32)


def pair(seed: int, rank: int) -> Case:
    """An image and the same, moved by a few mm, seen on a coarser grid that begins elsewhere."""
    shape = SHAPES[rank]
    fixed = Image.from_array(texture(seed, shape), spacing=(1.0,) * rank)
    small = tuple(round(n / 1.2) + 4 for n in shape)
    grid = Geometry.from_spacing(small, (1.2,) * rank, origin=(-1.0,) * rank)
    matrix = np.eye(rank + 1)
    matrix[:rank, rank] = SHIFT
    truth = Transform.of_matrix(matrix, fixed.geometry, grid)
    back = truth.inverse()
    places = back.indices(grid_points(small).reshape(-1, rank)).reshape(*small, rank)
    moving = Image.from_array(sampled(fixed.pixels(), places, order=3), geometry=grid)
    return Case(f"pair{seed}", {"fixed": fixed, "moving": moving}, "fixed", subject=f"p{seed}", group=f"p{seed}",
                load_truth=lambda: truth, load_given=lambda name: truth)


@cache
def data(rank: int) -> Cases:
    made = [pair(i, rank) for i in range(6)]
    splits = ["train"] * 4 + ["val"] * 2
    entries = (Entry(c.id, lambda c=c: c, c.subject, c.group, s) for c, s in zip(made, splits, strict=True))
    return Cases(tuple(entries), "pairs", "register")


@cache
def fitted(method: str, rank: int) -> Any:
    if rank == 3 and method in FLAT:
        pytest.skip("sees two axes")
    made = build(catalog.find("register", method), SETTINGS.get(method, {}))
    if not hasattr(made, "fit"):
        return made
    cases = data(rank)
    return made.fit(cases.split("train"), cases.split("val"), watch=Watch(threads=1))


def moved(found: Transform, rank: int) -> np.ndarray:
    at = grid_points(found.fixed.shape, 7).reshape(-1, rank)
    return found.points(to_world(found.fixed, at))


@each_rank
@each
def test_the_answer_lies_between_the_cases_own_grids(method: str, rank: int) -> None:
    case = data(rank)[5]
    found = fitted(method, rank).predict(case)
    assert isinstance(found, Transform), found
    assert found.fixed.same_grid(case.images["fixed"].geometry)
    assert found.moving.same_grid(case.images["moving"].geometry)
    assert all(np.isfinite(v) for _, v in found.evidence)
    assert (found.jacobian() > 0).all(), "no answer folds"


@each_rank
@each_seeing
def test_a_small_shift_is_found(method: str, rank: int) -> None:
    if method in STUDYING:
        pytest.skip("two steps of training find nothing; its own tests ask for more")
    case = data(rank)[5]
    found = fitted(method, rank).predict(case)
    inner = grid_points(found.fixed.shape, 9)[(slice(3, -3),) * rank].reshape(-1, rank)
    world = to_world(found.fixed, inner)
    assert np.linalg.norm(found.points(world) - case.truth().points(world), axis=1).mean() < 1.0


@each_rank
@each
def test_the_same_answer_twice_and_nothing_in_it_of_notes_or_truth(method: str, rank: int) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("looked at what a method must not see")

    case = data(rank)[4]
    first = fitted(method, rank).predict(case)
    fitted(method, rank).predict(data(rank)[5])
    blind = replace(case, load_truth=refuse, facts={}, subject="other")
    second = fitted(method, rank).predict(blind)
    assert np.array_equal(moved(first, rank), moved(second, rank))
    assert first.evidence == second.evidence


@each_seeing
def test_it_does_not_change_its_input(method: str) -> None:
    case = data(2)[5]
    pixels = {role: image.pixels().copy() for role, image in case.images.items()}
    kept = {role: p.copy() for role, p in pixels.items()}
    held = {role: image.replaced(lambda role=role: pixels[role]) for role, image in case.images.items()}
    fitted(method, 2).predict(replace(case, images=held))
    assert all(np.array_equal(pixels[role], kept[role]) for role in kept)


@each
def test_a_missing_role_is_refused(method: str) -> None:
    image = data(2)[0].images["fixed"]
    for images in ({}, {"fixed": image}, {"PET": image, "CT": image}):
        if method == "given":
            continue  # what was given was read with the table
        with pytest.raises(NotFoundError):
            fitted(method, 2).predict(Case("x", images))


@each_seeing
def test_a_film_is_refused(method: str) -> None:
    film = Image.from_array(np.zeros((3, 32, 40)), axes="tyx", spacing=(1.0, 1.0))
    with pytest.raises(IsocenterError, match="frame"):
        fitted(method, 2).predict(Case("x", {"fixed": film, "moving": film}, "fixed"))


@each_seeing
def test_a_picture_and_a_volume_are_not_brought_together(method: str) -> None:
    images = {"fixed": data(2)[0].images["fixed"], "moving": data(3)[0].images["fixed"]}
    try:
        found = fitted(method, 2).predict(Case("x", images, "fixed"))
    except IsocenterError:
        return
    assert isinstance(found, NotEvaluated) and found.reason


TINY: dict[str, Callable[[], np.ndarray]] = {
    "one pixel": lambda: np.full((1, 1), 7.0),
    "three pixels": lambda: np.array([[1.0, 2.0, 3.0]]),
    "a column": lambda: np.arange(9.0)[:, None],
    "constant": lambda: np.full((60, 70), 40.0),
    "nan": lambda: np.full((60, 70), np.nan),
    "inf": lambda: np.full((60, 70), np.inf),
}


@pytest.mark.parametrize("name", list(TINY))
@pytest.mark.parametrize("side", ["fixed", "moving", "both"])
@each_seeing
def test_where_nothing_is_to_be_seen_no_map_is_made_up(method: str, side: str, name: str) -> None:
    image, whole = Image.from_array(TINY[name](), spacing=(1.0, 1.0)), data(2)[5].images
    images = {role: image if side in (role, "both") else whole[role] for role in ("fixed", "moving")}
    found = fitted(method, 2).predict(Case("x", images, "fixed"))
    assert isinstance(found, NotEvaluated), dict(found.evidence)
    assert found.reason


@each_rank
@each_seeing
def test_two_images_without_common_content_are_not_evaluated(method: str, rank: int) -> None:
    rng = np.random.default_rng(0)
    noise = [Image.from_array(rng.random(SHAPES[rank]).astype(np.float32), spacing=(1.0,) * rank) for _ in range(2)]
    found = fitted(method, rank).predict(Case("x", dict(zip(("fixed", "moving"), noise, strict=True)), "fixed"))
    assert isinstance(found, NotEvaluated), dict(found.evidence)
    assert found.measured or found.limit, "the evidence is said"


@each_rank
@each_studying
def test_it_comes_back_from_its_state(method: str, rank: int) -> None:
    made = fitted(method, rank)
    about = json.loads(json.dumps(made.about))
    again = catalog.find("register", method).from_state(about, {k: np.asarray(v) for k, v in made.state().items()})
    case = data(rank)[5]
    assert np.allclose(moved(made.predict(case), rank), moved(again.predict(case), rank), atol=1e-5)


def test_regions_and_landmarks_are_a_truth_too() -> None:
    case = data(2)[0]
    points = to_world(case.images["fixed"].geometry, np.array([[10.0, 20.0], [30.0, 9.0]]))
    made = Correspondence(case.images["fixed"].geometry, case.images["moving"].geometry, (points, points + SHIFT))
    assert np.allclose(case.truth().points(made.points[0]), made.points[1])
