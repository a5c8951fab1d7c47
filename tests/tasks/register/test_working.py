"""Two images on one grid, and answers that fold nowhere."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Case, Geometry, Image, NotEvaluated, Transform
from isocenter.data.findings.transform import Field
from isocenter.ops.velocity import least_determinant
from isocenter.ops.warping import grid_points, sampled
from isocenter.tasks.register import _working as module
from isocenter.tasks.register._working import TRIES, transformed, unfolded, working

SHAPE = (40, 36)


def texture(seed=0, shape=SHAPE):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3).astype(np.float32)


def of(fixed, moving, **more):
    sides = {"fixed": fixed, "moving": moving}
    return Case("x", {k: v if isinstance(v, Image) else Image.from_array(v, **more) for k, v in sides.items()}, "fixed")


def on(case, start=None, measure="squares"):
    return working(case, start, channel=None, measure=measure)


class Bent:
    """A start that is no matrix."""

    def __init__(self, displacement):
        self.displacement = displacement

    def predict(self, case):
        fixed, moving = (case.image(role).geometry for role in ("fixed", "moving"))
        return Transform((Field(self.displacement, fixed),), fixed, moving)


def test_pixels_are_shares_from_0_to_1_and_the_gain_is_none():
    values = texture()
    work = on(of(values, 50 * values - 1000))
    assert np.allclose(work.fixed, work.moving, atol=1e-4)
    assert np.isclose((work.fixed < 0).mean(), 0.01, atol=0.005) and work.fixed.max() <= 1.2
    assert work.alike() == pytest.approx(1.0)


def test_around_each_pixel_slow_changes_of_gain_are_none():
    values = texture(shape=(120, 130)) / texture().std()
    slow = 1 + np.linspace(0, 3, 130)
    squares, local = (on(of(values, values * slow + 3 * slow), measure=m) for m in ("squares", "local"))
    assert squares.alike() < 0.7 and local.alike() > 0.9


def test_the_moving_image_lies_where_the_header_and_the_start_bring_it():
    values = texture()
    grid = Geometry.from_spacing(SHAPE, (2.0, 2.0))
    fixed, moving = (Image.from_array(v, geometry=grid) for v in (values, values))
    shifted = Image.from_array(values, geometry=Geometry.from_spacing(SHAPE, (2.0, 2.0), origin=(8.0, -6.0)))
    work = on(of(fixed, shifted))
    assert work.weight.sum() == (SHAPE[0] - 3) * (SHAPE[1] - 4)
    true = sampled(values, grid_points(SHAPE) + np.array([3.0, -4.0]), outside=None)
    assert np.corrcoef(work.moving[0][work.weight > 0], true[work.weight > 0])[0, 1] > 0.99
    bent = np.zeros((2, *SHAPE))
    bent[0] = 4.0
    assert np.corrcoef(on(of(fixed, moving), Bent(bent)).moving[0, :, :-2].ravel(), values[:, 2:].ravel())[0, 1] > 0.99


def test_a_large_image_is_seen_on_a_coarser_grid_of_the_same_box(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20 * 18)
    values = texture(shape=(40, 36))
    work = on(of(values, values, spacing=(1.0, 2.0)))
    assert work.shape == (20, 18) and work.spacing == (2.0, 4.0)
    assert work.alike() > 0.99


def test_a_finer_moving_image_is_smoothed_before_it_is_sampled():
    rng = np.random.default_rng(0)
    fine = np.kron(texture(), np.ones((6, 6))) + rng.normal(size=(240, 216))
    fixed = Image.from_array(texture(), spacing=(6.0, 6.0))
    grid = fixed.geometry.resampled((240, 216))
    work = on(of(fixed, Image.from_array(fine, geometry=grid)))
    single = np.corrcoef(fine[3::6, 3::6].ravel(), texture().ravel())[0, 1]
    assert work.alike() > single + 0.2


def test_where_one_is_unknown_nothing_counts():
    values = texture()
    hole = values.copy()
    hole[5:9, 5:9] = np.nan
    work = on(of(values, hole))
    assert work.weight[5:9, 5:9].sum() == 0 and work.weight.sum() == values.size - 16
    assert np.isfinite(work.moving).all() and work.alike() == pytest.approx(1.0)


def test_what_is_alike_beyond_chance_counts_though_it_is_little():
    noise = np.random.default_rng(1).normal(size=(2, 120, 120))
    fixed, moving = 0.5 * noise[0] + texture(0, (120, 120)) * 4, noise[1] * 2 + texture(0, (120, 120)) * 4
    work = on(of(fixed, moving))
    assert work.alike() < module.NEAR and work.above_chance() > module.SURE
    assert "chance" in on(of(texture(0), texture(1))).reason


def test_the_first_answer_that_folds_nowhere_is_taken():
    work = on(of(texture(), texture()))
    wild = 6 * np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    asked = []

    def made(n):
        asked.append(n)
        return wild * np.float32(0.1**n)

    found = unfolded(work, made)
    evidence = dict(found.evidence)
    assert asked == list(range(int(evidence["calmed"]) + 1)) and asked[-1] > 0
    assert evidence["folded_first"] == pytest.approx(100 * least_determinant(wild)[1])
    assert evidence["folded_first"] > 0
    assert (found.jacobian() > 0).all()
    refused = unfolded(work, lambda n: wild)
    assert isinstance(refused, NotEvaluated) and "folds" in refused.reason and asked[-1] < TRIES


def test_a_start_that_folds_by_itself_is_no_answer():
    fold = np.zeros((2, *SHAPE))
    fold[0, :, 17:19] = np.array([6.0, -6.0])
    work = on(of(texture(), texture()), Bent(fold))
    found = unfolded(work, lambda n: np.zeros((2, *SHAPE), np.float32))
    assert isinstance(found, NotEvaluated) and "folds" in found.reason


@pytest.mark.parametrize("affine", [None, ((0.0, 2.0, 1.0), (-1.0, 0.5, 3.0), (0, 0, 1)),
                                    ((0.0, 2.0, 1.0), (-1.0, 0.5, 3.0), (0.3, 0.4, 0.0), (0, 0, 1))])
def test_pixels_become_world_units(affine):
    grid = Geometry(SHAPE, affine)
    values = Image.from_array(texture(), geometry=grid)
    work = on(of(values, values))
    displacement = np.stack([np.full(SHAPE, 1.5), np.full(SHAPE, -2.0)]).astype(np.float32)
    made = transformed(work, displacement, {"a": 1.0})
    assert np.allclose(made.indices(np.array([[7.0, 9.0]])), [[8.5, 7.0]], atol=1e-4)
    assert dict(made.evidence) == {"a": 1.0}
