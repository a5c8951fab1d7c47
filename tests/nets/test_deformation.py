"""Learning's own warps, integrals and likeness, against those that answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from isocenter.errors import RecipeError
from isocenter.nets.deformation import Goal, averaged, integrated, local_correlation, roughness, warped
from isocenter.ops import refining
from isocenter.ops.pulling import pulled

GRIDS = [((20, 24), (10, 12)), ((8, 16, 16), (8, 8, 8))]


def drawn(shape: tuple[int, ...], coarse: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pair = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), 2) for _ in range(2)])
    speed = np.stack([ndimage.gaussian_filter(rng.normal(size=coarse), 2) for _ in coarse])
    return (pair / pair.std()).astype(np.float32), (3 * speed / np.abs(speed).max()).astype(np.float32)


def nobody(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.full((1, 2, *shape), 255, dtype=torch.uint8)


@pytest.mark.parametrize("grid", GRIDS)
def test_warps_and_integrals_are_those_of_the_answer(grid: tuple) -> None:
    shape, _ = grid
    pair, speed = drawn(*grid)
    move = refining.integrated(speed, shape)
    found = integrated(torch.from_numpy(speed)[None], shape)
    assert np.allclose(found[0], move, atol=1e-4) and np.abs(move).max() > 1
    there = warped(torch.from_numpy(pair)[None], torch.from_numpy(move)[None])
    assert np.allclose(there[0], pulled(pair, move), atol=1e-4)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("similarity", ["ncc", "mse"])
def test_the_loss_and_its_gradient_are_what_refinement_follows(grid: tuple, similarity: str) -> None:
    pair, speed = drawn(*grid)
    velocity = torch.from_numpy(speed)[None].requires_grad_()
    loss = Goal(similarity, 5, 0.7)(velocity, (torch.from_numpy(pair)[None], nobody(grid[0])))
    loss.backward()
    value, slope = refining.energy(speed, pair[0], pair[1], refining.Aim(similarity, 5, 0.7))
    assert float(loss.detach()) == pytest.approx(value, rel=1e-4)
    assert np.abs(velocity.grad[0].numpy() - slope).max() < 2e-3 * np.abs(slope).max()


def test_means_and_correlation_are_those_of_refinement() -> None:
    (pair, _), shape = drawn((14, 15), (7, 7)), (14, 15)
    a, b = (torch.from_numpy(p)[None, None] for p in pair)
    assert np.allclose(averaged(a, 5)[0, 0], refining.averaged(pair[0], 5), atol=1e-5)
    alike = local_correlation(a, b, 5)
    assert alike.shape == (1, 1, *shape)
    assert float(alike.mean()) == pytest.approx(refining.likeness(pair[1], pair[0], 5), abs=1e-5)


def test_roughness_is_that_of_refinement_and_flat_axes_have_none() -> None:
    speed = drawn((8, 16, 16), (4, 8, 8))[1]
    assert float(roughness(torch.from_numpy(speed)[None])) == pytest.approx(refining.roughness(speed)[0], rel=1e-5)
    assert float(roughness(torch.ones(1, 3, 1, 4, 4))) == 0


def test_regions_pull_a_registration_where_images_say_nothing() -> None:
    images = torch.zeros(1, 2, 16, 16)
    labels = torch.zeros(1, 2, 16, 16, dtype=torch.uint8)
    labels[0, 0, 4:10, 4:10] = 1
    labels[0, 1, 4:10, 6:12] = 1
    still = torch.zeros(1, 2, 8, 8, requires_grad=True)
    loss = Goal("mse", 5, 1.0, 1.0, 1)(still, (images, labels))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(1 - 4 / 6, abs=1e-3)
    # The moving region lies two pixels farther along x: that is where the fixed one's pixels are to look.
    assert float(still.grad[0, 1, 2:5, 2:5].sum()) < 0
    there = torch.zeros(1, 2, 8, 8)
    there[:, 1] = 2.0
    assert float(Goal("mse", 5, 0.0, 1.0, 1)(there, (images, labels))) < 0.05


def test_regions_that_nobody_drew_or_that_one_image_lacks_weigh_nothing() -> None:
    velocity, images = torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 16, 16)
    goal = Goal("mse", 5, 1.0, 1.0, 2)
    assert float(goal(velocity, (images, nobody((16, 16))))) == 0
    labels = torch.zeros(1, 2, 16, 16, dtype=torch.uint8)
    labels[0, 0, :4] = 2
    assert float(goal(velocity, (images, labels))) == 0
    labels[0, 1, :4] = 2
    labels[0, 1, 8:] = 255
    assert float(goal(velocity, (images, labels))) == pytest.approx(0, abs=1e-6)


def test_an_unknown_similarity_is_refused() -> None:
    with pytest.raises(RecipeError, match="no similarity"):
        Goal("mutual")
