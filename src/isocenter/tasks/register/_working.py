"""Two images on one grid in the fixed image's world, as methods that bend want them; and their answer without folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isocenter.data import Case, Image, NotEvaluated, Predictor, Transform
from isocenter.data.findings.transform import Field, dimension
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.ops.bspline import binned
from isocenter.ops.resample import resize
from isocenter.ops.similarity import mutual
from isocenter.ops.smoothing import gaussian
from isocenter.ops.velocity import carry, least_determinant, spatial, spread
from isocenter.ops.warping import grid_points, sampled
from isocenter.tasks.register._grey import grey

# Pixels of the grid that is worked on, at most: more tell nothing about what bends.
MOST = 1 << 22
# Pixels along two axes without which nothing is seen to bend.
FEW = 4
# Share of the fixed image that must lie in the moving one.
MEET = 0.1
# Noise can be bent into noise, to a correlation of 0.5 and more. So what bends is only asked where the images are alike
# before: by their correlation, or by how many SDs they are more alike than when one is shifted. Of images of two kinds
# mutual information says it, against that of so many shifts.
NEAR, SURE, SHIFTS = 0.3, 4.0, 24
# Shares of pixels that become 0 and 1, and of how many pixels they are taken.
LOW, HIGH, SAMPLE = 0.01, 0.99, 1 << 18
# Of a measure that looks around each pixel: how far, in pixels, and what contrast counts as none.
AROUND, FAINT = 8.0, 0.1
# What a pixel keeps of its size, at least, and how often an answer that folds is made anew, calmer each time.
LEAST, TRIES = 0.01, 10


@dataclass(frozen=True, eq=False)
class Working:
    """What is worked on.

    Parameters
    ----------
    fixed, moving
        float32 (1, *grid), finite; the moving image lies where the start brings it.
    weight
        float32 (*grid): 0 where one of them is unknown, else 1.
    start
        Between the two images' own grids; the grid covers the box of the fixed image's.
    mutual
        Whether mutual information says how alike they are; else correlation.
    """

    fixed: Array
    moving: Array
    weight: Array
    start: Transform
    mutual: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid."""
        return tuple(self.weight.shape)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Of the grid per axis, in mm or pixels of the fixed image."""
        fine = self.start.fixed
        lengths = fine.spacing or (1.0,) * fine.ndim
        return tuple(s * n / m for s, n, m in zip(lengths, fine.shape, self.shape, strict=True))

    def alike(self, displacement: Array | None = None) -> float:
        """Correlation, or mutual information in nats, the moving one carried by a displacement in the grid's pixels."""
        moving = self.moving
        if displacement is not None:
            field = spatial(displacement)
            moving = np.empty_like(moving)
            carry(self.moving.reshape(1, *field.shape[1:]), field, moving.reshape(1, *field.shape[1:]))
        if self.mutual:
            return self._information(moving[0])
        a, b = (self._centred(v) for v in (self.fixed, moving))
        both, aa, bb = (float((p * q).sum(dtype=np.float64)) for p, q in ((a, b), (a, a), (b, b)))
        return float(both / max(np.sqrt(aa * bb), 1e-12))

    def above_chance(self) -> float:
        """By how many SDs the images are more alike than after shifts of one of them around the edges, all or some."""
        from scipy import fft

        if self.mutual:
            rng, axes = np.random.default_rng(0), tuple(range(len(self.shape)))
            ways = [tuple(rng.integers(1, max(n, 2)) for n in self.shape) for _ in range(SHIFTS)]
            chance = [self._information(np.roll(self.moving[0], way, axes)) for way in ways]
            return float((self.alike() - np.mean(chance)) / max(float(np.std(chance)), 1e-12))
        a, b = (fft.rfftn(self._centred(v)) for v in (self.fixed, self.moving))
        every = fft.irfftn(a * np.conj(b), s=self.weight.shape)
        return float((every.flat[0] - every.mean()) / max(float(every.std()), 1e-12))

    def _information(self, moving: Array) -> float:
        known = self.weight.ravel() > 0
        sides = [binned(v, "mutual").ravel()[known] for v in (self.fixed[0], moving)]
        return float(mutual(sides[0], sides[1], np.empty(len(sides[0]))))

    def _centred(self, values: Array) -> Array:
        mean = float((values[0] * self.weight).sum(dtype=np.float64)) / float(self.weight.sum(dtype=np.float64))
        return np.asarray((values[0] - np.float32(mean)) * self.weight)


def refuse_start(start: object) -> None:
    """RecipeError where the part does not answer."""
    if start is not None and not isinstance(start, Predictor):
        raise RecipeError("the part that it begins with does not answer", where="start", got=type(start).__name__,
                          remedy='Name a part: {"use": "register/METHOD"}, or a bundle of one that studies')


def working(
    case: Case, start: Predictor[Transform] | None, *, channel: str | None, measure: str
) -> Working | NotEvaluated:
    """Both images on one grid.

    Parameters
    ----------
    case
        With the images `fixed` and `moving`.
    start
        What brings the moving image near; None: the world as it is.
    channel
        As `grey`.
    measure
        Shares of pixels become 0 and 1; ``"local"``: then what is around each pixel becomes mean 0 and SD 1, so that
        slow changes of brightness and contrast are none; ``"mutual"``: images of two kinds.

    Returns
    -------
    NotEvaluated where the start has no answer, the images differ in dimension or unit, do not meet, or one of them is
    of one value.

    Raises
    ------
    NotFoundError
        The case has no image `fixed` or `moving`, or an image has no such channel.
    InputError
        An image is a film.
    """
    fixed, moving = (case.image(role).still() for role in ("fixed", "moving"))
    if fixed.ndim != moving.ndim or dimension(fixed.geometry) != dimension(moving.geometry):
        return NotEvaluated("the images differ in dimension", f"{fixed.ndim} and {moving.ndim} axes", "the same")
    for image in (fixed, moving):
        if sum(n >= FEW for n in image.geometry.shape) < 2:
            return NotEvaluated("the image is too small to bend", str(image.geometry.shape),
                                f"{FEW} pixels along 2 axes")
    values = [grey(image, channel) for image in (fixed, moving)]
    for found in values:
        if isinstance(found, NotEvaluated):
            return found
    if start is None and fixed.geometry.unit != moving.geometry.unit:
        return NotEvaluated("the images have no unit in common", f"{fixed.geometry.unit} and {moving.geometry.unit}",
                            "one unit, or a start that finds the map")
    begun = Transform.identity(fixed.geometry, moving.geometry) if start is None else start.predict(case)
    if isinstance(begun, NotEvaluated):
        return begun
    return _on_one_grid([np.asarray(v) for v in values], begun, measure, (fixed, moving))


def _on_one_grid(
    values: list[Array], start: Transform, measure: str, images: tuple[Image, Image]
) -> Working | NotEvaluated:
    shape = start.fixed.shape
    share = min((MOST / np.prod(shape)) ** (1 / len(shape)), 1.0)
    grid = shape if share == 1 else tuple(max(1, round(share * s)) for s in shape)
    known = [np.isfinite(v) for v in values]
    filled = [np.where(k, v, v[k].mean(dtype=np.float64)) for v, k in zip(values, known, strict=True)]
    a, ka = (resize(v[None].astype(np.float32), grid)[0] for v in (filled[0], known[0]))
    b, kb = filled[1].astype(np.float32), known[1]
    if start.parts or not start.fixed.same_grid(start.moving) or share < 1:
        b, kb = _brought(b, kb, start, grid)
    weight = ((ka > 0.99) & kb).astype(np.float32)
    if weight.mean() < MEET:
        return NotEvaluated("the images do not meet", f"{100 * weight.mean():.0f} % of the fixed image lies in the "
                            "moving one", f"{100 * MEET:.0f} %")
    pair = [_scaled(v, weight > 0) for v in (a, b)]
    for image, made in zip(images, pair, strict=True):
        if made is None:
            return NotEvaluated("all pixels are alike", image.name)
    sides = [np.asarray(v)[None] for v in pair]
    if measure == "local":
        sides = [_evened(v) for v in sides]
    work = Working(np.ascontiguousarray(sides[0]), np.ascontiguousarray(sides[1]), weight, start,
                   measure == "mutual")
    alike = work.alike()
    if (work.mutual or alike < NEAR) and (above := work.above_chance()) < SURE:
        return NotEvaluated("the images are not alike where they lie: what bends would follow chance",
                            f"{'mutual information' if work.mutual else 'correlation'} {alike:.2f}, {above:.1f} SD "
                            "above that of shifted images", f"{SURE:g} SD: name another start or channel")
    return work


def _brought(values: Array, known: Array, start: Transform, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The moving image on a grid of the fixed box, what is finer than that smoothed away; and where it is known."""
    at = (grid_points(shape) + 0.5) * np.asarray(start.fixed.shape) / np.asarray(shape) - 0.5
    places = start.indices(at.reshape(-1, len(shape))).reshape(*shape, -1)
    step = np.zeros(places.shape[-1])
    for axis in range(places.ndim - 1):
        if places.shape[axis] > 1:
            far = np.take(places, -1, axis) - np.take(places, 0, axis)
            step += np.square(np.nanmean(far.reshape(-1, len(step)), axis=0) / (places.shape[axis] - 1))
    coarser = np.sqrt(np.maximum(np.nan_to_num(step) - 1.0, 0.0))
    smooth = gaussian(values[None], np.minimum(0.4 * coarser, 16.0))[0]
    seen = sampled(known.astype(np.float32), places, outside=0.0) > 0.99
    return sampled(smooth, places, outside=None), seen


def _scaled(values: Array, known: Array) -> Array | None:
    """Shares of the known pixels to 0 and 1, clipped a little beyond; None where all are alike."""
    some = values[known]
    some = some[:: len(some) // SAMPLE | 1]
    low, high = (float(v) for v in np.quantile(some, (LOW, HIGH)))
    if not high > low:
        low, high = float(some.min()), float(some.max())
    if not high - low > 1e-6 * max(1.0, abs(low)):
        return None
    return np.asarray(np.clip((values - np.float32(low)) / np.float32(high - low), -0.2, 1.2), np.float32)


def _evened(values: Array) -> Array:
    width = [AROUND if n > 1 else 0.0 for n in values.shape[1:]]
    rest = values - gaussian(values, width)
    return np.asarray(rest / (np.sqrt(gaussian(np.square(rest), width)) + np.float32(FAINT)))


def unfolded(work: Working, made: Callable[[int], Array]) -> Transform | NotEvaluated:
    """The first answer that folds nowhere on the fixed image's own grid.

    Its evidence is the start's and: ``similarity_before`` and ``similarity_after`` (as `alike`), ``least_jacobian``
    (size that the most squeezed pixel keeps), ``folded_first`` (% of the first try), ``calmed`` (tries that folded).

    Parameters
    ----------
    work
        What was worked on.
    made
        The displacement, (axes, *grid) in pixels, of the n-th try: calmer each time.
    """
    first = 0.0
    matrix = work.start.matrix
    straight = matrix is not None and not np.any(matrix[-1, :-1])
    for n in range(TRIES):
        displacement = made(n)
        fine = displacement
        if work.shape != work.start.fixed.shape:
            fine = spread(displacement, work.start.fixed.shape)
        least, share = least_determinant(fine)
        if not straight:
            # Only the whole map says whether it folds.
            sizes = np.nan_to_num(transformed(work, fine, {}).jacobian(), nan=-1.0)
            least, share = float(sizes.min()), float((sizes <= 0).mean())
        first = first if n else 100 * share
        if least > (LEAST if straight else 0.0):
            alike = {"similarity_before": work.alike(), "similarity_after": work.alike(displacement)}
            return transformed(work, fine, {**alike, "least_jacobian": least, "folded_first": first,
                                            "calmed": float(n)})
    return NotEvaluated("the map that was found folds", f"{100 * share:.2g} % of the fixed image", "0 %")


def transformed(work: Working, displacement: Array, evidence: dict[str, float]) -> Transform:
    """A displacement (axes, *fixed grid) in its pixels, and then the start, as a map between the two worlds."""
    grid = work.start.fixed
    n = grid.ndim
    flat = displacement.reshape(n, -1)
    moved = flat[::-1] if grid.matrix is None else grid.matrix[:-1, :-1].astype(np.float32) @ flat
    field = Field(np.ascontiguousarray(moved, np.float32).reshape(-1, *grid.shape), grid)
    said = {**dict(work.start.evidence), **evidence}
    return Transform((field, *work.start.parts), grid, work.start.moving, tuple(said.items()))
