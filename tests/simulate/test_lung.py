"""The simulated lung shows what its scene says."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.errors import InputError
from isocenter.simulate.lung import BELOW, NAMES, PLEURA, RANGE, LungScene, lung

SHAPE = (96, 120)


def made(scene: LungScene, seed: int = 0, **how):
    return lung(SHAPE, np.random.default_rng(seed), scene, **how)


def test_the_line_lies_at_its_depth_and_is_as_thick_as_asked_for() -> None:
    pixels, truth = made(LungScene(depth=0.3, thickness=5))
    line = truth.labels[0] == 1
    rows = np.arange(SHAPE[0])[:, None]
    depths = (line * rows).sum(0) / line.sum(0)
    assert line.any(axis=0).all()
    assert abs(depths.mean() - 0.3 * SHAPE[0]) < 0.5
    assert abs(truth.depth - depths.mean()) < 0.3
    assert abs(line.sum(axis=0).mean() - 5) < 0.5
    assert pixels[0][line].mean() > pixels[0][~line].mean() + 80
    # Levels in dB: averaged over speckle, the line is that much brighter than what lies below it.
    away = pixels[0][np.abs(rows - depths) < 0.5].mean() - pixels[0][(rows > depths + 12) & (rows < depths + 20)].mean()
    assert abs(away - 255 * (PLEURA - BELOW) / RANGE) < 30


def test_roughness_is_the_root_mean_square_of_the_fine_course() -> None:
    def fine(rough: float) -> float:
        _, truth = made(LungScene(depth=0.4, roughness=rough))
        line = truth.labels[0] == 1
        depths = (line * np.arange(SHAPE[0])[:, None]).sum(0) / line.sum(0)
        return float(np.sqrt(np.mean(np.square(np.diff(depths)))))

    assert fine(0.0) < fine(1.0) < fine(3.0)


@pytest.mark.parametrize("convex", [False, True])
def test_a_lines_lie_at_multiples_and_b_lines_erase_them(convex: bool) -> None:
    _, truth = made(LungScene(depth=0.25, thickness=3, a_lines=2, b_lines=2), convex=convex)
    assert set(np.unique(truth.labels)) == {0, 1, 2, 3}
    if convex:
        return
    rows = np.arange(SHAPE[0])[:, None]
    labels = truth.labels[0]
    band = (labels == 3).any(axis=0)
    assert not (labels == 2)[:, band].any()
    assert abs(band.mean() - truth.covered) < 0.02
    assert (labels[-1] == 3).sum() == band.sum()
    clear = np.flatnonzero(~band)
    depths = ((labels == 1) * rows).sum(0) / (labels == 1).sum(0)
    for beam in clear[::10]:
        found = np.flatnonzero(labels[:, beam] == 2)
        assert np.min(np.abs(found - 2 * depths[beam])) < 2.5
        assert np.min(np.abs(found - 3 * depths[beam])) < 3.5


def test_breaks_are_gaps() -> None:
    _, truth = made(LungScene(breaks=2))
    shown = (truth.labels[0] == 1).any(axis=0)
    assert np.count_nonzero(np.diff(shown.astype(int)) == -1) == 2
    assert 0.08 < 1 - shown.mean() < 0.18


def test_the_lung_slides_and_the_tissue_stays() -> None:
    pixels, truth = made(LungScene(depth=0.4, sliding=2.0), frames=3)
    rows = np.arange(SHAPE[0])[:, None]
    line = (truth.labels[0] == 1) | ((rows > truth.depth + 8) & (rows < truth.depth + 30))
    film = pixels.astype(float)

    def alike(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
        return float(np.corrcoef(a[mask], b[mask])[0, 1])

    moved = np.roll(film[0], 2, axis=1)
    lung_ = line.copy()
    lung_[:, :4] = False
    tissue = np.broadcast_to(rows < truth.depth - 12, SHAPE)
    assert alike(film[1], moved, lung_) > alike(film[1], film[0], lung_) + 0.05
    assert alike(film[1], film[0], tissue) > 0.9
    assert alike(film[2], film[0], tissue) > 0.85


def test_a_fan_is_dark_outside_and_the_same_seed_gives_the_same_film() -> None:
    pixels, truth = made(LungScene(), convex=True, frames=2)
    assert pixels.shape == truth.labels.shape == (2, *SHAPE)
    assert (pixels[:, :20, :10] == 0).all() and pixels[0, 20:, 50:70].mean() > 20
    again, _ = made(LungScene(), convex=True, frames=2)
    assert np.array_equal(pixels, again)
    other, _ = made(LungScene(), seed=1, convex=True)
    assert not np.array_equal(pixels[:1], other)
    assert len(NAMES) == 4


def test_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="48 pixels"):
        lung((40, 100), np.random.default_rng(0), LungScene())


def test_thicker_means_thicker_and_deeper_deeper() -> None:
    thick = [np.mean((made(LungScene(depth=0.4, thickness=t))[1].labels == 1).sum(axis=1)) for t in (3, 6, 9)]
    assert np.allclose(thick, (3, 6, 9), atol=0.6)
    deep = [made(LungScene(depth=d))[1].depth for d in (0.2, 0.3)]
    assert np.isclose(deep[1] - deep[0], 0.1 * SHAPE[0])


def test_b_lines_move_with_the_lung() -> None:
    _, truth = made(LungScene(b_lines=1, sliding=3.0), frames=3)
    middles = [np.flatnonzero((frame == 3).any(axis=0)).mean() for frame in truth.labels]
    assert np.allclose(np.diff(middles), 3, atol=0.6)
    _, still = made(LungScene(b_lines=1), frames=2)
    assert np.array_equal(still.labels[0], still.labels[1])


def test_gaps_stay_clear_of_b_lines() -> None:
    for seed in range(4):
        _, truth = made(LungScene(b_lines=2, breaks=2), seed=seed)
        line, band = ((truth.labels[0] == k).any(axis=0) for k in (1, 3))
        assert line[band].mean() > 0.8
