"""Simulated examinations hold what they say they hold, where the body lies."""

import numpy as np
import pytest

from isocenter.data import Geometry
from isocenter.simulate.follow_up import Ball, drawn, examination, moved

GRID = Geometry.from_spacing((20, 60, 60), (2.0, 1.0, 1.0))


def test_a_ball_has_its_volume_and_a_disc_its_area():
    _, labels = examination([Ball((30.0, 30.0, 20.0), 10.0)], GRID)
    assert (labels == 1).sum() * 2.0 == pytest.approx(Ball((0, 0, 0), 10.0).size, rel=0.03)
    assert Ball((0.0, 0.0), 2.0).size == pytest.approx(4 * np.pi)


def test_a_body_that_lies_elsewhere_has_its_lesions_elsewhere():
    lies = moved(3, turn=0, shift=(5, -3, 2))
    _, labels = examination([Ball((30.0, 30.0, 20.0), 6.0)], GRID, lies=lies)
    middle = GRID.to_world(np.argwhere(labels))
    assert np.allclose(middle.mean(0), (35, 27, 22), atol=0.1)
    turned = moved(2, turn=90, shift=(0, 0)) @ [1.0, 0.0, 1.0]
    assert np.allclose(turned, (0, 1, 1))


def test_the_image_moves_with_the_body_and_lesions_are_brighter():
    flat = Geometry.from_spacing((60, 60), (1.0, 1.0))
    first, labels = examination([Ball((30.0, 30.0), 6.0)], flat, noise=0)
    second, _ = examination([Ball((30.0, 30.0), 6.0)], flat, noise=0, lies=moved(2, turn=0, shift=(4, 0)))
    a, b = first.pixels(), second.pixels()
    assert np.allclose(a[:, :-4], b[:, 4:], atol=1e-3)
    plain = examination([], flat, noise=0)[0].pixels()
    assert np.allclose((a - plain)[labels == 1], 60.0, atol=1e-3)


def test_a_border_that_is_seen_farther_out_makes_labels_larger_but_not_the_image():
    (image, labels), (same, wide) = (examination([Ball((30.0, 30.0, 20.0), 8.0)], GRID, border=b) for b in (0, 1.0))
    assert wide.sum() > labels.sum()
    assert np.array_equal(image.pixels(), same.pixels())
    assert not np.array_equal(image.pixels(), examination([], GRID, seed=1)[0].pixels())


def test_labels_alone_are_those_of_the_examination_and_stop_at_the_edge():
    balls = [Ball((1.0, 2.0, 3.0), 9.0), Ball((30.0, 30.0, 20.0), 4.0), Ball((900.0, 0.0, 0.0), 5.0)]
    lies = moved(3, turn=20, shift=(3, 1, -2))
    labels = drawn(balls, GRID, lies=lies)
    assert np.array_equal(labels, examination(balls, GRID, lies=lies)[1])
    assert set(np.unique(labels)) == {0, 1, 2}
    at = np.argwhere(labels == 1)
    own = (GRID.to_world(at) - lies[:3, 3]) @ lies[:3, :3]
    assert np.linalg.norm(own - (1, 2, 3), axis=1).max() <= 9.0 + 1e-9


def test_borders_may_reach_farther_along_an_axis():
    ball = [Ball((30.0, 30.0, 20.0), 6.0)]
    plain, tall = (np.argwhere(drawn(ball, GRID, border=b)) for b in (0.0, (4.0, 0.0, 0.0)))
    assert np.ptp(tall[:, 0]) > np.ptp(plain[:, 0]) and np.ptp(tall[:, 2]) == np.ptp(plain[:, 2])
