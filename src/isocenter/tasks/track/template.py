"""Template: what was named in the first frame, followed by its own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Case, Image, NotEvaluated, Tracks, knob
from isocenter.errors import RecipeError
from isocenter.ops.following import Chase
from isocenter.ops.linking import NEAREST, VELOCITY
from isocenter.tasks.track._target import AT, DETECTOR, GIVEN, SIZE, Following, Named, followed, plain


@dataclass(frozen=True)
class Template:
    """Targets named in the first frame and found again by correlation: gated, to fractions of a pixel, without drift.

    A target without evidence leaves and comes back when it is found: its track lacks the frames between. Channels are
    averaged.

    Sources: Lewis, Vision Interface 1995; Matthews, Ishikawa and Baker, IEEE TPAMI 26 (2004) 810; Kalal, Mikolajczyk
    and Matas, ICPR 2010; Evangelidis and Psarakis, IEEE TPAMI 30 (2008) 1858.
    """

    at: tuple[Any, ...] | None = knob(None, AT)
    detector: Any = knob(None, DETECTOR)
    given: str | None = knob(None, GIVEN)
    size: int | None = knob(None, SIZE, unit="pixels", low=3, high=2048)
    motion: str = knob(
        VELOCITY, "where it is looked for: where it was, or where its speed takes it", choices=(NEAREST, VELOCITY),
        tunable=True,
    )  # fmt: skip
    reach: float | None = knob(
        None, "how far from there after one frame; None: half the target's longest side, at least 8", unit="pixels",
        low=1.0, high=4096.0, tunable=True,
    )  # fmt: skip
    least: float = knob(
        0.5, "correlation coefficient below which a target is lost", low=0.0, high=1.0, tunable=True
    )

    def predict(self, case: Case) -> Tracks | NotEvaluated:
        """The track of each target, with its box and its correlation as score; raises as `followed`."""
        found = self.followed(case)
        return found if isinstance(found, NotEvaluated) else found.tracks(case.image().times)

    def followed(self, case: Case) -> Following | NotEvaluated:
        """The same with the evidence of each frame, and the milliseconds that it took.

        NotEvaluated where a target lies outside the first frame or is even, or there is none.

        Raises
        ------
        RecipeError
            Not one of `at`, `detector`, `given` is said, or they do not fit the film's axes.
        InputError
            Not a film, or times that do not rise.
        LabelError
            The detector finds no objects, or what was given are no tracks.
        """
        return followed(case, self._named(), plain, self.rules())

    def stream(self, first: Image) -> Following:
        """The targets of a film that comes frame by frame: `step` takes the frames after the first.

        Raises
        ------
        RecipeError
            A target lies outside the first frame, or `followed` would raise it.
        """
        edges = self._named().edges(Case.of(first), first)
        if isinstance(edges, NotEvaluated):
            raise RecipeError(edges.reason, where="at", got=edges.measured, wanted=edges.limit)
        return Following(first, np.asarray(edges), plain, self.rules())

    def rules(self) -> Chase:
        """How a target is followed."""
        return Chase(self.motion, self.reach, self.least)

    def _named(self) -> Named:
        return Named(self.at, self.detector, self.given, self.size)
