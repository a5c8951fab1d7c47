"""Key points that both images share, or landmarks set by hand, and the map that most of them agree on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import Case, Image, NotEvaluated, Transform, knob
from isocenter.data.findings.matches import Matches
from isocenter.data.findings.transform import Part
from isocenter.errors import GeometryError, RecipeError
from isocenter.ops.array import Array
from isocenter.ops.consensus import Agreed, agreed
from isocenter.ops.keypoints import KINDS, apart, evened, found, likeness, matched
from isocenter.ops.transforms import FAMILIES
from isocenter.tasks.register._families import NAMES, SMOOTH, fitted
from isocenter.tasks.register._grey import grey
from isocenter.tasks.register._plane import between, coordinates, worlds

# Longest side in pixels at which key points are looked for.
SIDE = 640
# Maps by which a search starts where the family is open: few points a sample find few inliers, many find any view.
SEARCHED = ("similarity", "affine", "perspective")
# log10 of the maps that chance may give: from here on it is no chance.
CHANCE = -3.0
# What bends is near a straight map, not on it.
BENT = 8.0
SMOOTHING = 1e-3
# Points an axis at which a map is looked at for folds.
LOOKED = 33
Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Landmarks:
    """Key points found, described and matched both ways; a map by random samples; least squares over what agrees.

    Two images that share no content are refused with the evidence: what agrees is held against what chance would give.
    Key points are found in flat images; landmarks set by hand may be of any.

    Sources: Lowe, IJCV 60 (2004) 91; Fischler and Bolles, CACM 24 (1981) 381; Moisan and Stival, IJCV 57 (2004) 201.

    Raises
    ------
    RecipeError
        A row of `points` does not hold 4 or 6 numbers.
    """

    points: Points | None = knob(
        None, "landmarks set by hand, a row each: x, y[, z] in the fixed, x, y[, z] in the moving image; None: found",
        unit="pixels", low=-1e6, high=1e6,
    )  # fmt: skip
    family: str | None = knob(
        None, "the kind of map; None: the simplest of rigid, similarity, affine, perspective that explains the pairs",
        choices=NAMES, source="Torr 1998; Bookstein 1989 (thin_plate)",
    )  # fmt: skip
    kind: str = knob("sift", "of key points", choices=KINDS, source="Lowe 2004; Rublee et al. 2011")
    ratio: float = knob(0.85, "largest distance to the best match over that to the second best", low=0.1, high=1.0)
    threshold: float = knob(0.004, "largest error of a pair that agrees, in diagonals", low=1e-5, high=0.5)
    channel: str | None = knob(None, "a channel of both images by name or number from 0; None: the mean of all")
    robust: bool = knob(False, "whether landmarks set by hand may be wrong, too, and are searched for what agrees")

    def __post_init__(self) -> None:
        sizes = {len(row) for row in self.points or ()}
        if sizes and sizes not in ({4}, {6}):
            raise RecipeError("a landmark is a point in each image", where="points",
                              got=f"{sorted(sizes)} numbers a row", wanted="4 (x, y, x, y) or 6 (x, y, z, x, y, z)")

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The map; NotEvaluated where the images share nothing, with too few or singular landmarks, or where it folds.

        Raises
        ------
        NotFoundError
            The case has no image `fixed` or `moving`, or an image has no such channel.
        InputError
            An image is a film.
        """
        fixed, moving = (case.image(role).still() for role in ("fixed", "moving"))
        if self.points is not None:
            pairs = self._given(fixed, moving, np.array(self.points, float))
        else:
            pairs = self._found(fixed, moving)
        if isinstance(pairs, NotEvaluated):
            return pairs
        source, target, evidence = pairs
        try:
            inliers = np.ones(len(source), bool)
            if self.points is None or self.robust:
                most = self._agreed(source, target, moving)
                if isinstance(most, NotEvaluated):
                    return most
                inliers = most.inliers
                evidence |= {"inliers": float(inliers.sum()), "chance_log10": most.chance}
            smoothing = SMOOTHING if self.points is None else 0.0
            _, part = fitted(self.family, source[inliers], target[inliers], smoothing=smoothing)
            found = self._checked(part, fixed, moving, evidence)
        except GeometryError as error:
            return NotEvaluated(error.what, error.got, error.wanted)
        if isinstance(found, NotEvaluated):
            return found
        return replace(found, matches=Matches(
            worlds(fixed.geometry, source), worlds(moving.geometry, target), inliers))

    def _given(self, fixed: Image, moving: Image, rows: Array) -> tuple[Array, Array, dict[str, float]] | NotEvaluated:
        n = rows.shape[1] // 2 if len(rows) else fixed.ndim
        if not len(rows) or (fixed.ndim, moving.ndim) != (n, n):
            return NotEvaluated("the landmarks are not of these images", f"{len(rows)} landmarks of {n} coordinates",
                                f"{fixed.ndim} and {moving.ndim} axes")
        both = (coordinates(fixed.geometry, rows[:, :n][:, ::-1]), coordinates(moving.geometry, rows[:, n:][:, ::-1]))
        return *both, {"landmarks": float(len(rows))}

    def _found(self, fixed: Image, moving: Image) -> tuple[Array, Array, dict[str, float]] | NotEvaluated:
        if (fixed.ndim, moving.ndim) != (2, 2):
            return NotEvaluated("key points are found in flat images", f"{fixed.ndim} and {moving.ndim} axes", "2 axes")
        sides = []
        for image in (fixed, moving):
            values = grey(image, self.channel)
            if isinstance(values, NotEvaluated):
                return values
            values = np.nan_to_num(values, nan=float(np.nanmin(values)))
            sides.append(found(evened(values), self.kind, side=SIDE))
        pairs = matched(likeness(*sides), self.ratio)
        a, b = (side.at[pairs[:, i]] for i, side in enumerate(sides))
        kept = apart(a, b)
        evidence = {"key_points_fixed": float(len(sides[0].at)), "key_points_moving": float(len(sides[1].at)),
                    "matches": float(len(kept))}
        return coordinates(fixed.geometry, a[kept]), coordinates(moving.geometry, b[kept]), evidence

    def _agreed(self, source: Array, target: Array, moving: Image) -> Agreed | NotEvaluated:
        """What agrees, by the search that chance explains least."""
        grid = moving.geometry
        wide = BENT if self.family in SMOOTH else 1.0
        families = (self.family,) if self.family in FAMILIES else SEARCHED[:2] if self.family else SEARCHED
        area = float(np.prod(np.asarray(grid.spacing or 1.0) * np.asarray(grid.shape)))
        tried = [
            agreed(source, target, f, threshold=wide * self.threshold * grid.diagonal, area=area)
            for f in families if f is not None
        ]
        most = min((t for t in tried if t is not None), key=lambda t: t.chance, default=None)
        if most is None:
            least = 1 + min(FAMILIES[f][source.shape[1] - 2] for f in families if f is not None)
            return NotEvaluated("too few pairs of points, or none that make a map", f"{len(source)} pairs",
                                f"at least {least}, not in one line")
        if most.chance > CHANCE:
            return NotEvaluated(
                "the images share no content: no more pairs agree on a map than chance gives",
                f"{int(most.inliers.sum())} of {len(source)} pairs agree; chance gives 10^{most.chance:.1f} such maps",
                f"10^{CHANCE:.0f}",
            )
        return most

    def _checked(self, part: Part, fixed: Image, moving: Image, evidence: dict[str, float]) -> Transform | NotEvaluated:
        made = between(part, fixed.geometry, moving.geometry, evidence)
        sizes = made.jacobian(LOOKED)
        good = sizes > 0
        if not good.all():
            return NotEvaluated("the map that was found folds", f"{100 * (1 - good.mean()):.1f} % of the fixed image",
                                "0 %")
        return made
