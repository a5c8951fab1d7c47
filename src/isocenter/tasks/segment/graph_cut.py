"""Graph cut: the cheapest division by colour models and edges, models and division in turn (GrabCut)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.infer.holding import held
from isocenter.ops.array import Array
from isocenter.ops.colour_mixture import log_density, mixture
from isocenter.tasks.segment._choose import best
from isocenter.tasks.segment._coarse import few
from isocenter.tasks.segment._grey import refuse_unused
from isocenter.tasks.segment._on import ON, Part, features, refuse_input
from isocenter.tasks.segment._parts import Composed
from isocenter.tasks.segment._start import Begun, Start, answer, begun, begun_by, cleaned

# Gaussians of each side's model (Rother 2004); the weight of edges where nobody says, and what `fit` tries.
COMPONENTS = 5
SMOOTHNESS, TRIED = 5.0, (1.0, 5.0, 20.0, 60.0)
# One pixel's evidence counts no more than this, in nats; capacities are whole numbers of 1 / SCALE nats.
MOST, SCALE = 10.0, 256.0
CERTAIN = 1 << 26


@dataclass(frozen=True)
class GraphCut(Composed):
    """The division that costs least by what both sides look like and by the edges between them. Needs no training.

    From where the region begins, a Gaussian mixture is fitted to each side (of all colours, where there are several);
    the image is divided by a minimum cut; both are repeated. `fit` returns the same method with channel, start and
    smoothness learnt from train.

    Sources: Boykov, Jolly, Interactive graph cuts, ICCV 2001; Rother, Kolmogorov, Blake, GrabCut, ACM Trans. Graph. 23
    (2004) 309.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, or nothing to work on.
    """

    before: Before = knob(Before, "channel (default every colour), denoise (default none) and window")
    after: After = knob(After, "largest (learnt where it is open), smallest and fill (default: holes are filled)")
    on: str | Part = knob("intensity", ON, choices=("intensity", "texture"))
    start: Start = knob(Start, "where the region begins; seeds stay in it")
    smoothness: float | None = knob(
        None,
        "price of a border without an edge, in nats for one pixel's length; None: learnt from train, else 5",
        low=0.0,
        high=1e4,
        source="Rother 2004 (50 for colours from 0 to 255)",
        tunable=True,
    )
    rounds: int = knob(3, "how often models and division are made; 1: one cut", low=1, high=50, source="Rother 2004")
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="graph_cut")
        refuse_input(self.on, self.before, where="graph_cut")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where all pixels are alike.

        Raises
        ------
        InputError
            A seed lies outside the image.
        """
        planes = features(case, self.on, self.before, colours=True)
        if isinstance(planes, NotEvaluated):
            return planes
        found = begun(case, planes.mean(axis=0), self.start, on=self.on, otherwise="threshold")
        if isinstance(found, NotEvaluated):
            return found
        return answer(cleaned(self._cut(_scaled(planes), found), found, self.after), case, self.name)

    def _cut(self, planes: Array, found: Begun) -> Array:
        from isocenter.ops.maxflow import min_cut

        weights = _borders(planes, found.spacing, SMOOTHNESS if self.smoothness is None else self.smoothness)
        mask = found.mask
        for _ in range(self.rounds):
            if mask.all() or not mask.any():
                break
            inside, outside = (mixture(planes[:, side].T, COMPONENTS) for side in (mask, ~mask))
            evidence = np.clip(log_density(inside, planes) - log_density(outside, planes), -MOST, MOST)
            source, sink = (np.round(np.maximum(s * evidence, 0) * SCALE).astype(np.int32) for s in (1, -1))
            if found.reach is not None:
                sink[~found.reach] = CERTAIN
            if self.start.seeds is not None:
                source[tuple(np.transpose(self.start.seeds))] = CERTAIN
            divided, _ = min_cut(source, sink, weights)
            if not divided.any() or np.array_equal(divided, mask):
                break
            mask = divided
        return mask

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> GraphCut:
        """The same method with the fields that stand open learnt from train: at most 8 cases averaged down; 4 as they
        are for the smoothness, whose meaning depends on the pixel.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        chosen = begun_by(self, train, valid, watch=watch, share=(0.0, 0.6))
        prices = TRIED if self.smoothness is None else (self.smoothness,)
        return best([replace(chosen, smoothness=s) for s in prices], few(train, 4), watch=watch, share=(0.6, 1.0))


def _scaled(planes: Array) -> Array:
    """Every channel less its mean, by the SD of all: their proportions stay, the unit goes."""
    centred = planes - planes.mean(axis=tuple(range(1, planes.ndim)), keepdims=True, dtype=np.float64)
    sd = float(np.sqrt((centred**2).mean()))
    return np.asarray(centred / (sd if sd > 0 else 1.0), np.float32)


def _borders(planes: Array, spacing: tuple[float, ...], price: float) -> list[Array]:
    """int32 per axis: what a border between a pixel and the next costs, less across an edge (Rother 2004, eq. 11)."""
    steps = []
    for axis in range(1, planes.ndim):
        step = np.zeros(planes.shape[1:], np.float32)
        last = [slice(None)] * step.ndim
        last[axis - 1] = slice(0, -1)
        step[tuple(last)] = (np.diff(planes, axis=axis) ** 2).sum(axis=0)
        steps.append(step)
    n = sum(int(np.prod(s.shape)) - int(np.prod(s.shape)) // s.shape[a] for a, s in enumerate(steps))
    mean = sum(float(s.sum(dtype=np.float64)) for s in steps) / max(n, 1)
    beta = 1.0 / (2.0 * mean) if mean > 0 else 0.0
    least = min(spacing)
    return [
        np.round(np.exp(-beta * step) * (price * SCALE * least / distance)).astype(np.int32)
        for step, distance in zip(steps, spacing, strict=True)
    ]
