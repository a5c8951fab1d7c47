"""Gradient boosting of trees on a thumbnail, the intensities and the texture of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.data import Before, Cases, Progress, Watch, knob, silent
from isocenter.errors import BundleError
from isocenter.ops.array import Array
from isocenter.ops.boosting import Growth, Trees, boosted
from isocenter.tasks._features import KINDS, THUMBNAIL, features_of
from isocenter.tasks.classify._sites import harmonised
from isocenter.tasks.classify._table import Tabled, calibrating, described, honoured, plan_of, seen_first, tabled

# Share of the time that making features takes.
LOOKING = 0.8
NODES = ("start", "roots", "features", "thresholds", "left", "right", "values")


@dataclass(frozen=True)
class Growing:
    """How large trees grow, and how many."""

    leaves: int = knob(31, "most leaves of a tree", low=2, high=255, tunable=True)
    smallest: int = knob(20, "least cases of a leaf; at most a tenth of train", low=1, high=10_000, tunable=True)
    rounds: int = knob(500, "most trees of a class; it ends 20 after the best on val", low=1, high=10_000)


@dataclass(frozen=True)
class Boosting:
    """The recipe of boosted trees: histogram-based, the leaf of the largest gain first, one tree a class and round.

    Features as of `linear`, as they are: trees do not mind their scale. How many rounds (by log loss), the calibration
    and the threshold are chosen on val.

    Sources: Friedman, Ann. Statist. 29 (2001) 1189; Ke et al., LightGBM, NeurIPS 2017.

    Raises
    ------
    RecipeError
        A field of `before` that it cannot honour.
    """

    size: int | None = knob(
        None, "edge of the thumbnail; None: 24 in 2D, 8 in 3D", unit="pixels", low=1, high=128, tunable=True
    )
    features: str = knob(THUMBNAIL, "what it looks at", choices=KINDS, source="Zwanenburg et al. 2020 (radiomics)")
    region: str = knob("", "radiomics: the role of a mask whose region they are of; '': the whole image")
    rate: float = knob(0.1, "what each tree's answer is multiplied by", low=1e-3, high=1.0, tunable=True)
    trees: Growing = knob(Growing, "how large trees grow, and how many")
    before: Before = seen_first()
    calibration: str | None = calibrating()

    def __post_init__(self) -> None:
        honoured(self.before, who="boosting")

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedBoosting:
        """The fitted trees.

        Raises
        ------
        LabelError
            A class of the set has no training case.
        InputError
            Images differ in their number of axes or channels, or hold values that are not finite.
        """
        plan = plan_of(train)
        features = features_of(self, plan)
        table = tabled((train, valid), plan, features, watch=watch, share=LOOKING)
        table, said, lines = harmonised(table, (train, valid), self.before.site)

        def report(share: float, loss: float) -> None:
            watch.report(Progress("trees", LOOKING + (1 - LOOKING) * share, score=-loss))

        # A few cases make no leaf of twenty, and would never be split.
        least = min(self.trees.smallest, max(1, len(table.x) // 10))
        growth = Growth(self.rate, self.trees.leaves, least, rounds=self.trees.rounds)
        trees, history = boosted(
            (table.x, table.y), (table.vx, table.vy), growth, several=train.multilabel, report=report
        )
        watch.report(Progress("trees", 1.0))
        arrays = {name: getattr(trees, name) for name in NODES}
        return FittedBoosting(described(self, table, trees.logits(table.vx), history) | said, arrays | lines)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedBoosting:
        """The fitted trees that `FittedBoosting.about` and `FittedBoosting.state` described."""
        return FittedBoosting(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedBoosting(Tabled):
    """Fitted trees, as arrays of nodes that our kernel walks.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (rank, channels, classes, thresholds, temperature), ``features``, ``classes``, ``history``.
    arrays
        As `ops.boosting.Trees`.

    Raises
    ------
    BundleError
        An array is missing, or they are no trees of these classes.
    """

    def __post_init__(self) -> None:
        k = len(self.about.get("classes", ()))
        if not set(self.arrays) >= set(NODES) or self._trees().start.shape != (k,):
            raise BundleError("the arrays of the trees do not fit", got=", ".join(self.arrays), wanted=", ".join(NODES))

    def _trees(self) -> Trees:
        return Trees(*(self.arrays[name] for name in NODES))

    def logits(self, x: Array) -> Array:
        """(n, k) of features (n, d)."""
        return self._trees().logits(x)
