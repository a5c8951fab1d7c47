"""A registration of one pair made better: the velocity along which likeness and smoothness gain, by exact gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.ops.array import Array
from isocenter.ops.pulling import pulled, pushed
from isocenter.ops.resample import resize, taps

NCC, MSE = SIMILARITIES = ("ncc", "mse")
# Halvings before a velocity is integrated: a step of 1 / 128.
SQUARINGS = 7
# Added to the product of two variances, in units of the images' own (SD 1): flat windows say nothing.
FLAT = 1e-3


@dataclass(frozen=True)
class Aim:
    """What a registration of two images is to reach.

    Parameters
    ----------
    similarity
        ``"ncc"``: squared correlation in windows (Avants et al. 2008); ``"mse"``: squared differences.
    window
        Side of the windows in pixels, odd.
    smoothness
        Weight of the mean squared difference of neighbouring velocities, in pixels, against the likeness.
    """

    similarity: str = NCC
    window: int = 9
    smoothness: float = 1.0


def integrated(velocity: Array, shape: Sequence[int]) -> Array:
    """The displacement after unit time along a stationary velocity: a map without folds.

    Scaling and squaring: Arsigny et al., MICCAI 2006.

    Parameters
    ----------
    velocity
        float (axes, *coarse): in pixels of the whole grid, array order.
    shape
        The whole grid, over the same box.

    Returns
    -------
    float32 (axes, *shape): in pixels of it.

    >>> integrated(np.full((2, 2, 2), 1.5), (4, 4))[:, 0, 0].tolist()
    [1.5, 1.5]
    """
    ratio = _ratio(velocity, shape)
    return resize(_steps(velocity * ratio)[-1] / ratio, shape)


def refined(velocity: Array, fixed: Array, moving: Array, aim: Aim, *, steps: int) -> Array:
    """The velocity after some steps of L-BFGS towards the aim, both ways, from where it is.

    Instance optimisation: Balakrishnan et al., IEEE TMI 38 (2019) 1788. The gradient runs back through the integration.
    L-BFGS: Byrd et al., SIAM J. Sci. Comput. 16 (1995) 1190.

    Parameters
    ----------
    velocity
        float32 (axes, *coarse): in pixels of the images' grid.
    fixed, moving
        float32 (*grid), of SD about 1.
    aim
        What counts.
    steps
        Most steps; 0 gives the velocity back.
    """
    if not steps:
        return velocity
    from scipy.optimize import minimize

    sides = Side.of(fixed, aim), Side.of(moving, aim)

    def judged(flat: Array) -> tuple[float, Array]:
        value, slope = _energy(flat.reshape(velocity.shape), *sides, aim)
        return value, slope.ravel()

    # Values differ by thousandths, and what L-BFGS takes for no progress is a share of them.
    found = minimize(judged, velocity.ravel().astype(np.float64), jac=True, method="L-BFGS-B",
                     options={"maxiter": steps, "maxfun": 2 * steps, "ftol": 1e-7, "gtol": 0.0})
    return np.asarray(found.x.reshape(velocity.shape), np.float32)


def energy(velocity: Array, fixed: Array, moving: Array, aim: Aim) -> tuple[float, Array]:
    """What is to be small, and its gradient float64 by the velocity; arguments as of `refined`."""
    return _energy(np.asarray(velocity, np.float64), Side.of(fixed, aim), Side.of(moving, aim), aim)


def _energy(velocity: Array, fixed: Side, moving: Side, aim: Aim) -> tuple[float, Array]:
    total, slope = roughness(velocity)
    total, slope = aim.smoothness * total, aim.smoothness * slope
    shape = fixed.values.shape
    ratio = _ratio(velocity, shape)
    for sign, here, there in ((1.0, fixed, moving), (-1.0, moving, fixed)):
        fields = _steps(sign * velocity * ratio)
        move = resize(fields[-1] / ratio, shape)
        value, by_found = here.unlike(pulled(there.values[None], move)[0])
        by_move = pushed(there.values[None], move, by_found[None])[1]
        by_fields = _returned(fields, _shrunk(by_move, velocity.shape[1:]) / ratio)
        total, slope = total + 0.5 * value, slope + 0.5 * sign * ratio * by_fields
    return total, slope


@dataclass(frozen=True, eq=False)
class Side:
    """An image that others are compared with, and what of that stays the same.

    Parameters
    ----------
    values
        float32 (*grid).
    aim
        What counts.
    mean, variance, counts
        float64 (*grid): in the window around each pixel, and pixels of that; empty where no window counts.
    """

    values: Array
    aim: Aim
    mean: Array
    variance: Array
    counts: Array

    @classmethod
    def of(cls, values: Array, aim: Aim) -> Side:
        """The side of an image (*grid)."""
        values = np.asarray(values, np.float32)
        if aim.similarity == MSE:
            return cls(values, aim, np.empty(0), np.empty(0), np.empty(0))
        counts, a = window_counts(values.shape, aim.window), values.astype(np.float64)
        mean = _summed(a, aim.window) / counts
        return cls(values, aim, mean, np.maximum(_summed(a * a, aim.window) / counts - mean * mean, 0.0), counts)

    def unlike(self, found: Array) -> tuple[float, Array]:
        """How unlike an image (*grid) is, and the gradient (*grid) by its values."""
        a, b = np.asarray(self.values, np.float64), np.asarray(found, np.float64)
        if self.aim.similarity == MSE:
            return float(np.mean((b - a) ** 2)), 2.0 * (b - a) / a.size
        window, counts, mean_a, var_a = self.aim.window, self.counts, self.mean, self.variance
        mean_b = _summed(b, window) / counts
        var_b = np.maximum(_summed(b * b, window) / counts - mean_b * mean_b, 0.0)
        cross = _summed(a * b, window) / counts - mean_a * mean_b
        below = var_a * var_b + FLAT
        alike = cross * cross / below
        # By the sums over windows, of which a mean's way back is again one.
        by_cross = cross / below * (-2.0 / a.size / counts)
        by_var = alike * var_a / below * (var_b > 0) / (a.size * counts)
        slope = a * _summed(by_cross, window) + 2.0 * b * _summed(by_var, window)
        slope -= _summed(by_cross * mean_a + 2.0 * by_var * mean_b, window)
        return float(1.0 - alike.mean()), slope


def likeness(found: Array, fixed: Array, window: int) -> float:
    """Mean squared correlation of two images (*grid) of SD about 1 in windows, 0 to 1."""
    return 1.0 - Side.of(fixed, Aim(NCC, window)).unlike(found)[0]


def averaged(image: Array, window: int) -> Array:
    """Means over windows of odd side; at the edge over what lies inside."""
    return np.asarray(_summed(image, window) / window_counts(image.shape, window))


def window_counts(shape: Sequence[int], window: int) -> Array:
    """float64 (*shape): pixels of the window around each pixel that lie inside the grid."""
    half, out = window // 2, np.ones(tuple(shape))
    for axis, n in enumerate(shape):
        at = np.arange(n)
        inside = np.minimum(at + half, n - 1) - np.maximum(at - half, 0) + 1
        out = out * inside.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
    return out


def roughness(velocity: Array) -> tuple[float, Array]:
    """Mean over axes of the mean squared difference of neighbours of (c, *grid), and its gradient."""
    total, slope = 0.0, np.zeros_like(velocity)
    axes = [a for a in range(1, velocity.ndim) if velocity.shape[a] > 1]
    for axis in axes:
        step = np.diff(velocity, axis=axis)
        share = 1.0 / (step.size * len(axes))
        total += share * float(np.sum(step * step))
        lead = (slice(None),) * axis
        slope[(*lead, slice(1, None))] += 2.0 * share * step
        slope[(*lead, slice(None, -1))] -= 2.0 * share * step
    return total, slope


def _summed(image: Array, window: int) -> Array:
    from scipy.ndimage import uniform_filter1d

    out = image
    for axis in range(image.ndim):
        out = uniform_filter1d(out, window, axis, mode="constant")
    return np.asarray(out * window**image.ndim)


def _ratio(velocity: Array, shape: Sequence[int]) -> Array:
    """Pixels of the coarse grid in one of the whole grid, by axis, to be multiplied with a velocity."""
    found = np.asarray(velocity.shape[1:]) / np.asarray(tuple(shape))
    return np.asarray(found.reshape(-1, *(1,) * len(found)))


def _steps(velocity: Array) -> list[Array]:
    """The fields of scaling and squaring, first to last, float32 in pixels of their own grid."""
    fields = [np.asarray(velocity / 2**SQUARINGS, np.float32)]
    for _ in range(SQUARINGS):
        fields.append(fields[-1] + pulled(fields[-1], fields[-1]))
    return fields


def _returned(fields: Sequence[Array], gradient: Array) -> Array:
    """What a gradient by the last field of `_steps` is by the velocity."""
    for field in fields[-2::-1]:
        by_field, by_move = pushed(field, field, gradient)
        gradient = gradient + by_field + by_move
    return np.asarray(gradient / 2**SQUARINGS)


def _shrunk(gradient: Array, shape: Sequence[int]) -> Array:
    """What a gradient by ``resize(field, ...)`` is by the field (c, *shape)."""
    for axis, n in enumerate(shape, start=1):
        if gradient.shape[axis] != n:
            index, weight = taps(n, gradient.shape[axis])
            mixing = np.zeros((len(index), n), np.float32)
            np.add.at(mixing, (np.arange(len(index))[:, None], index), weight)
            gradient = np.moveaxis(np.moveaxis(gradient, axis, -1) @ mixing, -1, axis)
    return gradient
