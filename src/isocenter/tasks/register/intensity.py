"""The straight map under which the pixels of two images are most alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Case, Geometry, Image, NotEvaluated, Predictor, Transform, knob
from isocenter.data.findings.transform import Linear, dimension
from isocenter.errors import GeometryError, RecipeError
from isocenter.ops.aligning import aligned
from isocenter.ops.array import Array
from isocenter.ops.motions import NUMBERS
from isocenter.ops.sides import Side
from isocenter.ops.similarity import MEASURES
from isocenter.ops.transforms import fit_matrix
from isocenter.tasks.register._grey import grey
from isocenter.tasks.register._plane import between, coordinates, placed

# Two halves of the points, each searched by itself, must lead as near to each other, in spreads of the points.
APART = 0.2
# Two slices whose normals lie nearer than this cosine show one plane.
PARALLEL = 0.9
# Points an axis by which a start of another kind becomes one of the family.
POINTS = 9


@dataclass(frozen=True)
class Intensity:
    """The pixels themselves decide: a coarse search over turns and shifts, then gradients from coarse grids to fine.

    Flat images and volumes of any size, spacing and direction, of one kind or of two. The search begins where the
    headers say, at the centres of both boxes and at the centres of mass. Two halves of the points must find the same
    map, each by itself; images without common content are refused by that. Masks are images `fixed_mask` and
    `moving_mask` of the case: what is 0 there takes no part.

    Sources: Maes et al., IEEE TMI 16 (1997) 187; Mattes et al., IEEE TMI 22 (2003) 120 (mutual); Heinrich et al., Med.
    Image Anal. 16 (2012) 1423 (mind).

    Raises
    ------
    RecipeError
        The part `start` does not answer.
    """

    family: str = knob("rigid", "the kind of map", choices=tuple(NUMBERS))
    measure: str = knob(
        "mutual",
        "of likeness: mutual information or mind, what surrounds each point (images of two kinds), correlation (one "
        "kind), squares (the same values)",
        choices=tuple(MEASURES),
    )
    turn: float | None = knob(
        None, "largest turn that is searched; None: 180 in flat images, 30 in volumes", unit="degrees", low=0.0,
        high=180.0,
    )  # fmt: skip
    samples: int = knob(20_000, "points that are compared on each grid, at most", low=100, high=10_000_000)
    channel: str | None = knob(None, "a channel of both images by name or number from 0; None: the mean of all")
    start: Predictor[Transform] | None = knob(
        None, 'what it begins with, {"use": "register/METHOD"} or a bundle: then nothing else is searched'
    )

    def __post_init__(self) -> None:
        if self.start is not None and not isinstance(self.start, Predictor):
            raise RecipeError("the part that it begins with does not answer", where="start",
                              got=type(self.start).__name__,
                              remedy='Name a part: {"use": "register/METHOD"}, or a bundle of one that studies')

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The map, with similarity before and after; NotEvaluated where the images share nothing.

        Raises
        ------
        NotFoundError
            The case has no image `fixed` or `moving`, or an image has no such channel.
        InputError
            An image is a film.
        """
        images = [case.image(role).still() for role in ("fixed", "moving")]
        fixed, moving = (i.geometry for i in images)
        if fixed.ndim != moving.ndim or dimension(fixed) != dimension(moving):
            return NotEvaluated("the images differ in dimension", f"{fixed.ndim} and {moving.ndim} axes", "the same")
        sides = []
        for image, role in zip(images, ("fixed_mask", "moving_mask"), strict=True):
            side = self._side(image, case.images.get(role))
            if isinstance(side, NotEvaluated):
                return side
            sides.append(side)
        starts = self._starts(case, sides[0], sides[1])
        if isinstance(starts, NotEvaluated):
            return starts
        turn = (180.0 if fixed.ndim == 2 else 30.0) if self.turn is None else self.turn
        found = aligned(sides[0], sides[1], starts, family=self.family, measure=self.measure, samples=self.samples,
                        turn=0.0 if self.start is not None else turn)
        if found is None:
            return NotEvaluated("the images do not meet", "less than a quarter of one lies in the other")
        if not found.apart < APART:
            return NotEvaluated(
                "the images share no content: two halves of the points lead to two maps",
                f"{found.apart:.2g} spreads of the points apart", f"{APART:g}",
            )
        evidence = {"similarity_after": found.value, "overlap": found.seen, "halves_apart": found.apart}
        if np.isfinite(found.before):
            evidence["similarity_before"] = found.before
        try:
            return _transform(found.matrix, fixed, moving, evidence)
        except GeometryError as error:
            return NotEvaluated(error.what, error.got, error.wanted)

    def _side(self, image: Image, mask: Image | None) -> Side | NotEvaluated:
        values = grey(image, self.channel)
        if isinstance(values, NotEvaluated):
            return values
        if mask is not None:
            if not mask.geometry.same_grid(image.geometry):
                return NotEvaluated("a mask lies on another grid than its image", str(mask.geometry.shape),
                                    str(image.geometry.shape))
            values = np.where(mask.channels_first().any(axis=0), values, np.float32(np.nan))
        known = values[np.isfinite(values)]
        if not len(known) or known.min() == known.max():
            return NotEvaluated("all pixels are alike", image.name)
        flat = image.ndim == 2
        return Side(np.ascontiguousarray(values[None] if flat else values), _frame(image.geometry), flat)

    def _starts(self, case: Case, fixed: Side, moving: Side) -> list[Array] | NotEvaluated:
        """Maps between the images' frames: of the part, else of the headers, the boxes and the masses."""
        grids = [case.images[role].geometry for role in ("fixed", "moving")]
        if self.start is not None:
            given = self.start.predict(case)
            return given if isinstance(given, NotEvaluated) else [_straight(given, self.family)]
        out = [] if (told := _told(*grids)) is None else [told]
        for a, b in zip(fixed.centres(), moving.centres(), strict=True):
            shift = np.eye(4) if told is None else told.copy()
            shift[:3, 3] = b - shift[:3, :3] @ a
            out.append(shift)
        return out


def _frame(geometry: Geometry) -> Array:
    """The matrix (4, 4) from index (x, y, z, 1) to the world; of a slice in space to lengths along its own axes."""
    n = geometry.ndim
    out = np.eye(4)
    if geometry.matrix is None:
        return out
    if n < dimension(geometry):
        out[range(n), range(n)] = np.asarray(geometry.spacing)[::-1]
        return out
    out[:n, :n] = geometry.matrix[:n, :n][:, ::-1]
    out[:n, 3] = geometry.matrix[:n, n]
    return out


def _told(fixed: Geometry, moving: Geometry) -> Array | None:
    """What the headers say, from frame to frame; None where slices lie in different planes."""
    if fixed.ndim == dimension(fixed):
        return np.eye(4)
    between_planes = np.linalg.inv(placed(moving)) @ placed(fixed)
    if abs(between_planes[2, 2]) < PARALLEL:
        return None
    out = np.eye(4)
    out[np.ix_([0, 1, 3], [0, 1, 3])] = between_planes[np.ix_([0, 1, 3], [0, 1, 3])]
    return out


def _straight(given: Transform, family: str) -> Array:
    """The map of a family that is nearest to another, from frame to frame; GeometryError where there is none."""
    at, there = given.sampled(POINTS)
    known = np.isfinite(there).all(axis=1)
    n = given.fixed.ndim
    source, target = (
        coordinates(g, i[known]) if n < dimension(g) else i[known][:, ::-1] @ _frame(g)[:n, :n].T + _frame(g)[:n, 3]
        for g, i in ((given.fixed, at), (given.moving, there))
    )
    return _up(fit_matrix(family, source, target))


def _up(matrix: Array) -> Array:
    out = np.eye(4)
    kept = [0, 1, 3] if len(matrix) == 3 else [0, 1, 2, 3]
    out[np.ix_(kept, kept)] = matrix
    return out


def _transform(matrix: Array, fixed: Geometry, moving: Geometry, evidence: dict[str, float]) -> Transform:
    kept = [0, 1, 3] if fixed.ndim == 2 else [0, 1, 2, 3]
    straight = matrix[np.ix_(kept, kept)]
    if fixed.ndim < dimension(fixed):
        return between(Linear(straight), fixed, moving, evidence)
    return Transform((Linear(straight),), fixed, moving, tuple(evidence.items()))
