"""Siamese: what was named in the first frame, followed by what a network sees in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Case, Image, NotEvaluated, Plan, Tracks, knob
from isocenter.errors import RecipeError
from isocenter.infer import Engine, prepare
from isocenter.infer.inner import inner
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array
from isocenter.ops.following import Chase
from isocenter.ops.windows import multiple
from isocenter.tasks._network import INPUT, NETWORK, FittedNetwork
from isocenter.tasks.track._target import AT, DETECTOR, GIVEN, SIZE, Following, Named, followed


@dataclass(frozen=True)
class Siamese:
    """Targets named in the first frame and found again by the inner features of any trained network.

    The features of the target in the first frame are correlated with those of a window in each frame, all channels
    together, each by its spread over the first frame; everything else is as in `template`. The network is the same for
    both, hence the name; it was trained for its own question and is not trained further.

    Source: Bertinetto et al., Fully-convolutional Siamese networks for object tracking, ECCV Workshops 2016.
    """

    on: Any = knob(None, 'the network whose features are correlated: {"use": "x.bundle"}, of one network')
    at: tuple[Any, ...] | None = knob(None, AT)
    detector: Any = knob(None, DETECTOR)
    given: str | None = knob(None, GIVEN)
    size: int | None = knob(None, SIZE, unit="pixels", low=3, high=2048)
    stride: int = knob(
        2, "the deepest layer is taken whose pixels are not larger than so many of what the network sees", low=1,
        high=64, tunable=True,
    )  # fmt: skip
    least: float = knob(
        0.5, "correlation coefficient of the features below which a target is lost", low=0.0, high=1.0, tunable=True
    )

    def predict(self, case: Case) -> Tracks | NotEvaluated:
        """The track of each target, with its box and its correlation as score; raises as `followed`."""
        found = self.followed(case)
        return found if isinstance(found, NotEvaluated) else found.tracks(case.image().times)

    def followed(self, case: Case) -> Following | NotEvaluated:
        """The same with the evidence of each frame, and the milliseconds that it took.

        Raises
        ------
        RecipeError
            `on` is no single network, has no layer as fine as `stride`, or the targets are not said.
        InputError
            Not a film, times that do not rise, or frames that the network does not take.
        LabelError
            The detector finds no objects, or what was given are no tracks.
        """
        return followed(case, self._named(), self.look(), Chase(least=self.least))

    def stream(self, first: Image) -> Following:
        """The targets of a film that comes frame by frame; RecipeError as `followed`, or where one lies outside."""
        edges = self._named().edges(Case.of(first), first)
        if isinstance(edges, NotEvaluated):
            raise RecipeError(edges.reason, where="at", got=edges.measured, wanted=edges.limit)
        return Following(first, edges, self.look(), Chase(least=self.least))

    def look(self) -> FeatureLook:
        """What the network makes of a frame; RecipeError where `on` is no single network."""
        part = self.on
        if not isinstance(part, FittedNetwork) or NETWORK not in part.arrays:
            raise RecipeError("nothing that could see a target", where="siamese", got=type(part).__name__,
                              wanted="one trained network", remedy='Set on={"use": "x.bundle"} of a network')
        part.engine(part.plan)
        return FeatureLook(part.plan, inner(part.arrays[NETWORK].tobytes(), part.arrays[INPUT], stride=self.stride))

    def _named(self) -> Named:
        return Named(self.at, self.detector, self.given, self.size)


class FeatureLook:
    """The features of a frame, each channel by its spread over the first frame that was looked at.

    Parameters
    ----------
    plan
        What the network sees of an image.
    engine
        Its inner layer.
    """

    def __init__(self, plan: Plan, engine: Engine) -> None:
        self.plan, self.engine = plan, engine
        self.scale: Array | None = None

    def __call__(self, frame: Image) -> tuple[Array, Array]:
        """Float32 (channels, *grid), and its pixels by those of the frame along each axis.

        A frame with NaN or infinite pixels is NaN throughout.

        Raises
        ------
        InputError
            The network does not take such frames.
        """
        broken = unusable(frame.channels_first()) is not None
        if broken:
            shape, kind = frame.shape, frame.dtype
            frame = frame.replaced(lambda: np.zeros(shape, kind))
        seen = prepare(frame, self.plan).array
        working = np.asarray(seen.shape[1:])
        # At the end alone, so that a feature lies at the same place of the frame whatever the frame's size.
        rest = [(0, n - w) for n, w in zip(multiple(tuple(map(int, working)), self.plan.divisor), working, strict=True)]
        wide = np.pad(seen, [(0, 0), *rest], mode="edge")
        found = self.engine(wide[None])[0]
        steps = np.asarray(found.shape[1:]) / np.asarray(wide.shape[1:])
        if self.scale is None:
            self.scale = found.reshape(len(found), -1).std(axis=1)
        alive = self.scale > 1e-6 * max(float(self.scale.max()), 1e-12)
        values = found[alive] / self.scale[alive].reshape(-1, *[1] * (found.ndim - 1))
        inside = tuple(slice(0, max(1, int(np.ceil(n * s)))) for n, s in zip(working, steps, strict=True))
        out = values[(slice(None), *inside)].astype(np.float32)
        if not len(out):
            out = np.zeros((1, *out.shape[1:]), np.float32)
        return np.full_like(out, np.nan) if broken else out, working * steps / np.asarray(frame.geometry.shape)
