"""Simulated films."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Instances
from isocenter.simulate.film import Course, drawn, film


def test_the_same_seed_is_the_same_film() -> None:
    a, b = (film((200, 300), np.random.default_rng(4), Course(30, 10, 2.0, 0.05, 0.1)) for _ in range(2))
    assert np.array_equal(a.positions, b.positions) and a.parents == b.parents
    c = film((200, 300), np.random.default_rng(5), Course(30, 10, 2.0, 0.05, 0.1))
    assert len(c) != len(a) or not np.array_equal(c.positions, a.positions)


def test_steps_and_drops_are_as_asked() -> None:
    tracks = film((4000, 4000), np.random.default_rng(0), Course(400, 30, 3.0))
    assert len(tracks) == 400 * 30 and not tracks.parents
    moved = tracks.steps().moved
    assert abs(np.sqrt((moved**2).mean()) - 3.0) < 0.1
    fewer = film((4000, 4000), np.random.default_rng(0), Course(400, 30, 3.0, dropped=0.1))
    assert abs(1 - len(fewer) / len(tracks) - 0.1) < 0.01


@pytest.mark.parametrize("shape", [(300, 200), (40, 100, 120)])
def test_points_stay_inside_and_divisions_halve(shape: tuple[int, ...]) -> None:
    tracks = film(shape, np.random.default_rng(1), Course(50, 20, 4.0, dividing=0.2))
    assert (tracks.positions >= 0).all() and (tracks.positions <= np.asarray(shape) - 1).all()
    assert len(tracks.children()) == 10 and all(len(c) == 2 for c in tracks.children().values())
    spans, size = tracks.spans(), tracks.boxes().sizes.prod(axis=1)
    for child, parent in tracks.parents:
        assert spans[child][0] == spans[parent][1] + 1
        share = size[tracks.numbers == child][0] / size[tracks.numbers == parent][-1]
        assert abs(share - 0.5) < 1e-9


@pytest.mark.parametrize("shape", [(96, 128), (16, 48, 56)])
def test_what_is_drawn_lies_where_the_tracks_say(shape: tuple[int, ...]) -> None:
    tracks = film(shape, np.random.default_rng(2), Course(6, 5, 2.0))
    image, truth = drawn(tracks, np.random.default_rng(3))
    assert image.axes == "t" + "zyx"[-len(shape):] and image.shape == (5, *shape) and image.dtype == "uint8"
    assert isinstance(truth.objects, Instances) and 0 < len(truth) <= len(tracks)
    pixels = image.pixels()
    for i in range(len(truth)):
        inside = pixels[truth.frames[i]][truth.objects.where(i)][truth.objects.masks[i]]
        assert inside.mean() > 90
        middle = truth.boxes().edges[i].mean(axis=0)
        assert np.abs(middle - truth.positions[i]).max() < 8
