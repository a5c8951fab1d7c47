"""The fitted network of this question; torch is not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from isocenter.data import Case, Geometry, NotEvaluated, Transform
from isocenter.data.findings.transform import Field
from isocenter.data.turning import turned
from isocenter.errors import BundleError
from isocenter.infer.registering import register
from isocenter.ops.array import Array
from isocenter.tasks._named import under
from isocenter.tasks._network import FittedNetwork
from isocenter.tasks.register._pairing import Part, near, paired, restored

START = "start"


class FittedField(FittedNetwork):
    """A displacement field by one exported network, after another method brought the moving image near."""

    TASK: ClassVar[str] = "register"

    @property
    def start(self) -> Part:
        """What brings the moving image near; BundleError where the bundle does not say."""
        said = self.about.get(START)
        if not isinstance(said, dict):
            raise BundleError("the fitted network does not say how the images are brought near", where=START)
        return restored(said, under(START, self.arrays))

    def predict(self, case: Case) -> Transform | NotEvaluated:
        """The displacement field, then the start; NotEvaluated where the start has none, or as `infer.registering`.

        Raises
        ------
        NotFoundError
            The case has no image `fixed` or `moving`.
        InputError
            An image is a film, or of another number of axes than those of train.
        """
        start = near(case, self.start)
        return start if isinstance(start, NotEvaluated) else self.bent(case, start)

    def bent(self, case: Case, start: Transform) -> Transform | NotEvaluated:
        """As `predict`, from a map that brings the moving image near."""
        plan = self.plan
        pair = turned(paired(case, start).image(), plan.orientation)
        found = register(self.engine(plan), pair, plan)
        if isinstance(found, NotEvaluated):
            return found
        field = Field(in_world(found.move, pair.geometry), pair.geometry)
        evidence = (*start.evidence, *found.evidence.items())
        return replace(start, parts=(field, *start.parts), evidence=evidence)


def in_world(move: Array, geometry: Geometry) -> Array:
    """A displacement (axes, *grid) in pixels, array order, as one of world points, float32 (w, *grid)."""
    if geometry.affine is None:
        return np.ascontiguousarray(move[::-1])
    matrix = np.asarray(geometry.affine)[:-1, :-1]
    return np.asarray(np.tensordot(matrix, move, axes=1), np.float32)
