from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Augment, Intensity, Spatial
from isocenter.fit.augment import Pose, drawn, positions, resolved, sampled, sampled_labels, shaded

OFF = Spatial((0, 0), (0, 0), (1, 1), (0, 0), (), 0.0)


def pose_of(spatial: Spatial, seed: int = 0, patch: tuple[int, ...] = (16, 16), **more: object) -> Pose:
    rng = np.random.default_rng(seed)
    return drawn(rng, spatial, patch, np.asarray([(p - 1) / 2 for p in patch]), **more)


def moved_seed(spatial: Spatial) -> int:
    """A seed whose sample is not one of the plain cuts."""
    return next(s for s in range(50) if not np.allclose(pose_of(spatial, s).matrix, np.eye(2)))


def test_a_plain_cut_gives_the_pixels_themselves() -> None:
    image = np.random.default_rng(0).normal(size=(2, 20, 22)).astype(np.float32)
    labels = (image[0] > 0).astype(np.uint8)
    where = positions(Pose(np.array([9.5, 11.5]), np.eye(2)), (8, 8))
    assert np.allclose(sampled(image, where), image[:, 6:14, 8:16], atol=1e-5)
    assert np.array_equal(sampled_labels(labels, where, 2), labels[6:14, 8:16])


@pytest.mark.parametrize("rank", [2, 3])
def test_image_and_labels_move_together(rank: int) -> None:
    grid = np.indices((24,) * rank)
    inside = np.abs(grid - np.array([9, 14, 11][:rank]).reshape(-1, *(1,) * rank)).max(0) < 5
    spatial = Spatial((-90, 90), (-0.1, 0.1), (0.7, 1.4), (-10, 10), ("y", "x"), 1.0)
    for seed in range(6):
        pose = pose_of(spatial, seed, (24,) * rank)
        where = positions(pose, (24,) * rank)
        image = sampled(inside[None].astype(np.float32), where)[0]
        labels = sampled_labels(inside.astype(np.uint8), where, 2)
        known = labels != 255
        agree = ((image > 0.5) == (labels == 1))[known]
        assert agree.mean() > 0.995
        assert known.mean() > 0.3


def test_beyond_the_image_nothing_is_learnt() -> None:
    where = positions(Pose(np.array([0.0, 0.0]), np.eye(2)), (9, 9))
    labels = sampled_labels(np.ones((6, 6), np.uint8), where, 2)
    assert (labels[:4] == 255).all()
    assert (labels[4:, 4:] == 1).all()


@pytest.mark.parametrize("centre", [(3.0, 20.0), (40.0, 70.0), (79.0, -4.0)])
def test_only_the_part_that_is_reached_matters(centre: tuple[float, float]) -> None:
    image = np.random.default_rng(0).normal(size=(1, 80, 90)).astype(np.float32)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]]) * 0.9
    where = positions(Pose(np.array(centre), turn), (12, 12))
    # A second way to the same samples: mirror by hand, then interpolate.
    padded = np.pad(image[0], 40, mode="symmetric")
    expected = ndimage.map_coordinates(padded, where.numpy().reshape(-1, 2).T + 40, order=1).reshape(12, 12)
    assert np.allclose(sampled(image, where)[0], expected, atol=1e-4)


def test_ignore_stays_ignore() -> None:
    labels = np.ones((12, 12), np.uint8)
    labels[:, :6] = 255
    spatial = Spatial((20, 20), (0, 0), (1, 1), (0, 0), (), 0.0)
    where = positions(pose_of(spatial, moved_seed(spatial), (12, 12)), (12, 12))
    found = sampled_labels(labels, where, 2)
    assert 0 not in found
    assert 0.3 < (found == 255).mean() < 0.7


def test_a_rotation_turns_by_its_angle_in_millimetres() -> None:
    spatial = Spatial((30, 30), (0, 0), (1, 1), (0, 0), (), 0.0)
    seed = moved_seed(spatial)
    flat = pose_of(spatial, seed).matrix
    assert flat @ flat.T == pytest.approx(np.eye(2))
    assert np.rad2deg(np.arccos(flat[0, 0])) == pytest.approx(30)
    unit = np.array([4.0, 1.0])
    tall = pose_of(spatial, seed, spacing=tuple(unit)).matrix
    assert unit[:, None] * tall / unit[None, :] == pytest.approx(flat)


def test_scaling_up_makes_things_larger() -> None:
    spatial = Spatial((0, 0), (0, 0), (2, 2), (0, 0), (), 0.0)
    assert pose_of(spatial, moved_seed(spatial)).matrix == pytest.approx(np.eye(2) / 2)


def test_flips_come_for_half_of_the_samples_and_only_on_their_axis() -> None:
    spatial = Spatial((0, 0), (0, 0), (1, 1), (0, 0), ("x",), 0.0)
    signs = [np.diag(pose_of(spatial, s).matrix) for s in range(200)]
    assert all(s[0] == 1 for s in signs)
    assert 70 < sum(s[1] == -1 for s in signs) < 130


def test_everything_off_is_the_identity() -> None:
    for seed in range(5):
        pose = pose_of(OFF, seed)
        assert pose.matrix == pytest.approx(np.eye(2))
        assert pose.warp is None
    image = np.random.default_rng(0).normal(size=(1, 8, 8)).astype(np.float32)
    off = Intensity((1, 1), 0.0, (1, 1), 0.0, 0.0, 1.0)
    assert np.allclose(shaded(np.random.default_rng(0), image, off, 1.0), image, atol=1e-5)
    assert np.array_equal(shaded(np.random.default_rng(0), image, Intensity(), 1.0), image)


def test_elastic_displacement_is_smooth_and_of_its_size() -> None:
    spatial = Spatial((0, 0), (0, 0), (1, 1), (0, 0), (), 3.0)
    shifts = []
    for seed in range(20):
        pose = pose_of(spatial, seed, (48, 48))
        if pose.warp is not None:
            plain = positions(Pose(pose.centre, pose.matrix), (48, 48))
            field = (positions(pose, (48, 48)) - plain).numpy()
            shifts.append(field.std())
            assert np.abs(np.diff(field, axis=0)).max() < 1.5
    assert 0.3 < np.mean(shifts) < 3.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gain", (0.5, 0.6)),
        ("offset", 1.0),
        ("gamma", (2.0, 2.5)),
        ("noise", 0.5),
        ("blur", 2.0),
        ("low_resolution", 3.0),
    ],
)
def test_each_intensity_step_does_what_it_says(name: str, value: object) -> None:
    image = np.random.default_rng(1).normal(size=(1, 32, 32)).astype(np.float32)
    made = shaded(np.random.default_rng(5), image, Intensity(**{name: value}), 1.0)
    assert made.dtype == np.float32
    assert made.shape == image.shape
    change = made - image
    rough = lambda a: np.abs(np.diff(a, axis=1)).mean()  # noqa: E731
    checks = {
        "gain": made.std() < 0.7 * image.std(),
        "offset": change.std() < 1e-5 < abs(change.mean()),
        "gamma": made.mean() == pytest.approx(image.mean(), abs=1e-3)
        and made.std() == pytest.approx(image.std(), rel=1e-3),
        "noise": 0 < change.std() <= 0.5,
        "blur": rough(made) < 0.8 * rough(image),
        "low_resolution": rough(made) < 0.9 * rough(image),
    }
    assert checks[name]
    assert np.abs(change).max() > 0


def test_share_zero_leaves_the_patch_alone() -> None:
    image = np.random.default_rng(1).normal(size=(3, 8, 8)).astype(np.float32)
    strong = Intensity((0.5, 2), 1.0, (0.5, 2), 1.0, 2.0, 3.0)
    assert np.array_equal(shaded(np.random.default_rng(0), image, strong, 0.0), image)


def test_one_knob_does_not_move_the_others() -> None:
    a = pose_of(Spatial((-30, 30), (0, 0), (1, 1), (0, 0), (), 0.0), 7)
    b = pose_of(Spatial((-30, 30), (0, 0), (1, 1), (0, 0), (), 2.0), 7)
    assert np.array_equal(a.matrix, b.matrix)


def test_none_is_filled_from_the_defaults() -> None:
    defaults = Augment(OFF, Intensity((1, 1), 0.0, (1, 1), 0.0, 0.0, 1.0), 0.3)
    made = resolved(Augment(Spatial(rotation=(-5, 5)), Intensity(), None), defaults)
    assert made.spatial.rotation == (-5, 5)
    assert made.spatial.scaling == (1, 1)
    assert made.share == 0.3
