"""A genetic algorithm over smoothing, a band of values and a chain of morphology."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Progress, Segmentation, Watch, knob, silent
from isocenter.errors import LabelError, RecipeError
from isocenter.ops.array import Array
from isocenter.ops.components import filled, largest, parts, tidied
from isocenter.ops.evolution import evolved
from isocenter.ops.morphology import close_mask, edge, open_mask
from isocenter.ops.texture import averaged
from isocenter.tasks.segment._choose import examples, region
from isocenter.tasks.segment._coarse import few
from isocenter.tasks.segment._grey import refuse_unused
from isocenter.tasks.segment._on import ON, Part, refuse_input, seen
from isocenter.tasks.segment._parts import Composed, taught
from isocenter.tasks.segment._start import answer, channels_of

# What the genes mean, in their order.
GENES = ("smoothing", "low", "high", "opening", "closing", "off the edge", "largest", "fill")
# Gene to the greatest smoothing SD, and radius of opening and closing, in diagonals of the image.
LENGTHS = ((0, 0.02), (3, 0.03), (4, 0.03))
# A gene below OFF leaves its step out, and a band's gene this near to an end leaves it open there: a chain of few steps
# and one threshold must be as easy to find as any other.
OFF, OPEN = 0.25, 0.15
# The search looks at images averaged down to at most this many pixels per axis.
COARSE = {2: 96, 3: 32}
# Without labels, a region is between these shares of the image.
SHARES = (0.002, 0.5)
# Isoperimetric quotient, by counted faces, of a digital disc and ball: what is called round.
ROUND = {1: 1.0, 2: np.pi**2 / 16, 3: 8 / 27}


@dataclass(frozen=True)
class Genetic(Composed):
    """A chain of smoothing, band threshold and morphology whose settings a genetic algorithm chose. Needs no training.

    The chain: Gaussian smoothing; a band of values; parts at the image's edge dropped; opening; closing; the largest
    part; holes. Untaught, every image evolves a chain of its own for the greatest geometric mean of separation
    (variance between the two classes by the whole, Otsu 1979) and compactness (isoperimetric quotient, 1 for a ball),
    among regions of 0.2 to 50 % of the image. `fit` returns the method with one chain for all, the best by Dice on
    train.

    Sources: Bhanu, Lee, Ming, Adaptive image segmentation using a genetic algorithm, IEEE Trans. SMC 25 (1995) 1543;
    Otsu, IEEE Trans. SMC 9 (1979) 62.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, nothing to work on, or another number of genes.
    """

    before: Before = knob(Before, "channel, denoise (default none) and window")
    after: After = knob(After, "largest, smallest and fill, after the chain's own")
    on: str | Part = knob("intensity", ON, choices=("intensity", "texture"))
    genes: tuple[float, ...] | None = knob(
        None,
        f"the chain, each 0 to 1: {', '.join(GENES)}; None: learnt from train, else found for every image",
        low=0.0,
        high=1.0,
    )
    population: int = knob(40, "chains alive at a time", low=4, high=10000)
    generations: int = knob(20, "how often the better ones have children", low=1, high=10000)
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="genetic")
        refuse_input(self.on, self.before, where="genetic")
        if self.genes is not None and len(self.genes) != len(GENES):
            raise RecipeError("another number of genes", where="genetic", got=str(len(self.genes)),
                              wanted=f"{len(GENES)}: {', '.join(GENES)}")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where all pixels are alike or no chain finds a region."""
        values = seen(case, self.on, self.before)
        if isinstance(values, NotEvaluated):
            return values
        if not values.min() < values.max():
            return NotEvaluated("all pixels are alike, so nothing stands out")
        spacing = case.image().geometry.spacing or (1.0,) * values.ndim
        genes = np.array(self.genes) if self.genes is not None else self._own(values, spacing)
        if genes is None:
            return NotEvaluated("no chain finds a region", limit=f"{SHARES[0]:.1%} to {SHARES[1]:.0%} of the image")
        labels = tidied(
            chain(values, genes, spacing).astype(np.uint8),
            keep_largest=bool(self.after.largest),
            smallest=self.after.smallest or 0.0,
            fill=bool(self.after.fill),
        )
        return answer(labels, case, self.name)

    def _own(self, values: Array, spacing: tuple[float, ...]) -> Array | None:
        small, wide = shrunk(values, spacing)
        found, height = evolved(
            lambda genes: fitness(small, chain(small, genes, wide)),
            len(GENES),
            population=self.population,
            generations=self.generations,
            seed=0,
        )
        return found if height > 0 else None

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Genetic:
        """The same method with the chain and the channel that give the greatest mean Dice on a few cases of train.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        made = replace(taught(self, train, valid, watch=watch), name=region(train))
        if made.genes is not None:
            return made
        names = channels_of(made, train)
        every = [_example(made, case, mask & counts, names) for case, mask, counts in examples(few(train))]
        shown = [one for one in every if one is not None]
        if not shown:
            raise LabelError("no training case can be worked on", where=train.name)

        def score(genes: Array) -> float:
            channel = _chosen(genes[-1], len(names))
            return float(np.mean([_dice(chain(p[channel], genes, s), m) for p, m, s in shown]))

        def told(generation: int, height: float) -> None:
            watch.report(Progress("evolve", (generation + 1) / made.generations, score=height))

        genes, _ = evolved(score, len(GENES) + 1, population=made.population, generations=made.generations,
                           seed=watch.seed, told=told)
        channel = names[_chosen(genes[-1], len(names))]
        kept = tuple(float(g) for g in genes[:-1])
        return replace(made, genes=kept, before=replace(made.before, channel=channel))


def chain(values: Array, genes: Array, spacing: tuple[float, ...]) -> Array:
    """Boolean (*grid): what the chain finds; lengths go by the image's diagonal, values by its 1 and 99 percentiles."""
    from scipy import ndimage

    diagonal = float(np.hypot.reduce([n * s for n, s in zip(values.shape, spacing, strict=True)]))
    smooth, opening, closing = (_size(genes[i]) * most * diagonal for i, most in LENGTHS)
    if smooth > 0.3 * min(spacing):
        values = ndimage.gaussian_filter(values, [smooth / s for s in spacing], mode="nearest")
    low, high = np.quantile(values, (0.01, 0.99))
    if not low < high:
        low, high = float(values.min()), float(values.max())
    bottom, top = sorted((float(genes[1]), float(genes[2])))
    mask = np.ones(values.shape, bool)
    if bottom > OPEN:
        mask &= values >= np.float32(low + _cut(bottom) * (high - low))
    if top < 1 - OPEN:
        mask &= values <= np.float32(low + _cut(top) * (high - low))
    if genes[5] > 0.5:
        mask = _off_edge(mask)
    mask = close_mask(open_mask(mask, opening, spacing), closing, spacing)
    mask = largest(mask) if genes[6] > 0.5 else mask
    return filled(mask) if genes[7] > 0.5 else mask


def fitness(values: Array, mask: Array) -> float:
    """Geometric mean of separation and compactness, 0 to 1; 0 where the region's share of the image is no region's."""
    share = float(mask.mean())
    if not SHARES[0] <= share <= SHARES[1]:
        return 0.0
    variance = float(values.var(dtype=np.float64))
    gap = float(values[mask].mean(dtype=np.float64)) - float(values[~mask].mean(dtype=np.float64))
    separation = share * (1 - share) * gap * gap / variance if variance > 0 else 0.0
    return float(np.sqrt(min(separation, 1.0) * compactness(mask)))


def compactness(mask: Array) -> float:
    """Isoperimetric quotient of all parts together, by counted faces: 1 for one digital ball; 0 of nothing.

    >>> round(compactness(np.ones((1, 9, 4), bool)), 3), compactness(np.zeros((3, 3), bool))
    (1.0, 0.0)
    """
    squeezed = mask.reshape([n for n in mask.shape if n > 1] or [1])
    framed = np.pad(squeezed, 1).astype(np.int8)
    faces = sum(int(np.count_nonzero(np.diff(framed, axis=a))) for a in range(framed.ndim))
    size, ndim = int(squeezed.sum()), squeezed.ndim
    if size == 0:
        return 0.0
    if ndim == 1:
        return 2.0 / faces
    quotient = 4 * np.pi * size / faces**2 if ndim == 2 else 36 * np.pi * size**2 / faces**3
    return float(min(1.0, quotient / ROUND[ndim]))


def shrunk(values: Array, spacing: tuple[float, ...]) -> tuple[Array, tuple[float, ...]]:
    """The image averaged down to what the search looks at, and its spacing."""
    factors = [-(-n // COARSE[values.ndim]) for n in values.shape]
    return averaged(values, factors), tuple(s * f for s, f in zip(spacing, factors, strict=True))


def _off_edge(mask: Array) -> Array:
    numbered, sizes = parts(mask)
    keep = np.ones(len(sizes), bool)
    keep[np.unique(numbered[edge(mask.shape)])] = False
    keep[0] = False
    return np.asarray(keep[numbered])


Example = tuple[list[Array], Array, tuple[float, ...]]


def _example(method: Genetic, case: Case, mask: Array, names: tuple[str | None, ...]) -> Example | None:
    """One case's planes, by channel, its mask as shares of coarse pixels, and its spacing."""
    spacing = case.image().geometry.spacing or (1.0,) * mask.ndim
    planes = []
    for name in names:
        values = seen(case, method.on, replace(method.before, channel=name))
        if isinstance(values, NotEvaluated):
            return None
        planes.append(shrunk(values, spacing)[0])
    coarse, wide = shrunk(mask.astype(np.float32), spacing)
    return planes, coarse >= 0.5, wide


def _size(gene: float) -> float:
    """0 where a step is left out, to 1."""
    return max(0.0, (float(gene) - OFF) / (1 - OFF))


def _cut(gene: float) -> float:
    """Where on the scale a gene that leaves its end closed cuts, 0 to 1."""
    return (gene - OPEN) / (1 - 2 * OPEN)


def _chosen(gene: float, n: int) -> int:
    return min(int(gene * n), n - 1)


def _dice(found: Array, mask: Array) -> float:
    total = np.count_nonzero(found) + np.count_nonzero(mask)
    return 2 * np.count_nonzero(found & mask) / total if total else 1.0
