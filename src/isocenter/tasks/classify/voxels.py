"""Linear classifier on the voxels of cases on one grid, with a permutation test and a map of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from isocenter.data import (
    Attribution,
    Case,
    Cases,
    Image,
    NotEvaluated,
    Plan,
    Probabilities,
    Progress,
    Watch,
    as_settings,
    knob,
    silent,
)
from isocenter.errors import BundleError, InputError, LabelError, NotFoundError, nearest
from isocenter.infer import prepare
from isocenter.infer.preparing import unusable
from isocenter.ops import normalise
from isocenter.ops.array import Array
from isocenter.ops.logistic import logistic
from isocenter.ops.permutation import permutation_p, shuffled
from isocenter.ops.svm import rotated, svm
from isocenter.tasks.classify._represented import represented
from isocenter.tasks.classify._table import answered, calibrated_plan, calibrating, plan_of

SVM, LOGISTIC = KINDS = ("svm", "logistic")
WEIGHTS, PATTERN, CONTRIBUTION = MAPS = ("weights", "pattern", "contribution")


@dataclass(frozen=True)
class Voxels:
    """The recipe of a linear support vector machine, or logistic regression, on all voxels of images on one grid.

    Each voxel is standardised by train. The labels of train are shuffled many times, the method learns anew, and p is
    the share of accuracies on val that are no less than the true one, itself counted: within subjects where a subject
    has cases of several classes, else between subjects. Calibration and threshold are chosen on val. Volumes must be
    registered to each other: only their number of voxels can be checked.

    Sources: Mourao-Miranda et al., NeuroImage 28 (2005) 980; Golland, Fischl, IPMI 2003 (permutations); Haufe et al.,
    NeuroImage 87 (2014) 96 (patterns).
    """

    kind: str = knob(SVM, "squared hinge loss (one against the rest), or log loss", choices=KINDS)
    penalty: float = knob(
        0.1, "weight of half the squared coefficients against the mean loss", low=1e-6, high=1e4, tunable=True
    )
    intensity: str = knob(
        "none", "whether each image is first standardised by itself", choices=("none", "standardise")
    )
    permutations: int = knob(200, "shuffles of the labels of train; 0: no test", low=0, high=100_000)
    calibration: str | None = calibrating()

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedVoxels:
        """The fitted classifier; the watch's seed gives the permutations.

        Raises
        ------
        LabelError
            A class of the set has no training case.
        InputError
            Images differ in their number of voxels or channels, or hold values that are not finite.
        """
        plan = replace(plan_of(train), size=None)
        grid = train[0].image().geometry.shape
        x, y, groups = _seen(train, plan, self.intensity, grid)
        represented(train, y)
        vx, vy, who = _seen(valid, plan, self.intensity, grid)
        arrays = _scaling(x)
        z, vz = _scaled(x, arrays), _scaled(vx, arrays)
        inner, basis = rotated(z)
        outer = (vz @ z.T).astype(np.float64) @ basis
        coefficients, intercepts = self._learnt(inner, y, train.multilabel)
        arrays |= {
            "weights": ((basis @ coefficients.T).T.astype(np.float32) @ z), "intercepts": intercepts,
            "pattern": _patterns(z, inner @ coefficients.T),
        }  # fmt: skip
        logits = outer @ coefficients.T + intercepts

        def again(labels: Array) -> float:
            w, b = self._learnt(inner, labels, train.multilabel)
            return _accuracy(outer @ w.T + b, vy, train.multilabel)

        test = _tested(again, _accuracy(logits, vy, train.multilabel), y, groups, self.permutations, watch)
        settled, told = calibrated_plan(self.calibration, plan, (logits, vy), [str(g) for g in who])
        about = {
            "recipe": as_settings(self), "plan": settled.as_json(), "classes": list(train.classes),
            "grid": list(grid), "history": [], "permutation": test, "said": _said(test, len(vy)) + told,
        }  # fmt: skip
        return FittedVoxels(about, arrays)

    def _learnt(self, x: Array, y: Array, several: bool) -> tuple[Array, Array]:
        return (svm if self.kind == SVM else logistic)(x, y, penalty=self.penalty, several=several)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedVoxels:
        """The fitted classifier that `FittedVoxels.about` and `FittedVoxels.state` described."""
        return FittedVoxels(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedVoxels:
    """A fitted linear classifier on voxels.

    Parameters
    ----------
    about
        ``recipe``, ``plan``, ``classes``, ``grid`` (array order), ``permutation`` (accuracy on val, p, permutations).
    arrays
        ``mean``, ``scale`` (c * voxels,); ``weights``, ``pattern`` (k, c * voxels), float32; ``intercepts`` (k,).

    Raises
    ------
    BundleError
        An array is missing or of another shape.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        k, plan = len(self.about.get("classes", ())), self.about.get("plan", {})
        d = int(plan.get("channels", 0)) * int(np.prod(self.about.get("grid", ())))
        wanted = {"mean": (d,), "scale": (d,), "weights": (k, d), "pattern": (k, d), "intercepts": (k,)}
        got = {name: self.arrays[name].shape for name in wanted if name in self.arrays}
        if got != wanted or not d:
            raise BundleError("the arrays of the classifier do not fit", got=str(got), wanted=str(wanted))

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class; NotEvaluated on another grid, or where pixels are not finite.

        Raises
        ------
        InputError
            The image has another number of axes or channels than those of train.
        """
        z = self._standardised(case)
        if isinstance(z, NotEvaluated):
            return z
        logits = self.arrays["weights"].astype(np.float64) @ z + self.arrays["intercepts"]
        return answered(logits, Plan.from_json(self.about["plan"]))

    def weighted(self, case: Case, *, kind: str = WEIGHTS, target: str | None = None) -> Attribution | NotEvaluated:
        """How much each voxel speaks for a class, on the case's own grid.

        Parameters
        ----------
        case
            Gives the grid, and the values of ``"contribution"``.
        kind
            ``"weights"``: change of the class's logit against the mean of the others by one standard deviation of the
            voxel. ``"pattern"``: how the voxel varies with the class's score (Haufe et al. 2014): weights alone may
            only cancel noise. ``"contribution"``: weight times this case's standardised value; they sum to the logit
            less its intercept.
        target
            The class; default the case's most probable one.

        Raises
        ------
        NotFoundError
            There is no such class.
        """
        classes = tuple(self.about["classes"])
        if target is not None and target not in classes:
            raise NotFoundError(f"the method knows no class {target!r}", remedy=nearest(target, classes))
        found, z = self.predict(case), self._standardised(case)
        if isinstance(found, NotEvaluated) or isinstance(z, NotEvaluated):
            return found if isinstance(found, NotEvaluated) else NotEvaluated("no voxels")
        name = found.label if target is None else target
        rows = self.arrays["pattern" if kind == PATTERN else "weights"].astype(np.float64)
        at, plan = classes.index(name), Plan.from_json(self.about["plan"])
        own = rows[at] if plan.multilabel else rows[at] - np.delete(rows, at, axis=0).mean(axis=0)
        values = own * z if kind == CONTRIBUTION else own
        grid = case.image().geometry
        summed = values.reshape(plan.channels, *grid.shape).sum(axis=0)
        return Attribution(summed.astype(np.float32), grid, name, kind)

    def _standardised(self, case: Case) -> Array | NotEvaluated:
        """float64 (c * voxels,)."""
        image, plan = case.image(), Plan.from_json(self.about["plan"])
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        if image.ndim == plan.rank and list(image.geometry.shape) != list(self.about["grid"]):
            return NotEvaluated("the image lies on another grid than those of train", str(image.geometry.shape),
                                str(tuple(self.about["grid"])))
        row = _row(image, plan, str(self.about["recipe"]["intensity"]))
        return np.asarray(_scaled(row[None], self.arrays)[0], np.float64)


def _row(image: Image, plan: Plan, intensity: str) -> Array:
    raw = prepare(image, plan).array
    return (normalise.standardise(raw) if intensity == "standardise" else raw).ravel()


def _seen(cases: Cases, plan: Plan, intensity: str, grid: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Voxels (n, d), classes (n, k) and group numbers (n,) of the cases that have a class."""
    rows, truths, groups = [], [], []
    for case in cases:
        truth, image = case.truth(), case.image()
        if not isinstance(truth, Probabilities):
            continue
        if image.geometry.shape != grid:
            raise InputError(
                "cases with different numbers of voxels", where=case.id, got=str(image.geometry.shape),
                wanted=str(grid), remedy="Resample them onto one grid first; linear, boosting and mlp take any size",
            )  # fmt: skip
        rows.append(_row(image, plan, intensity))
        truths.append([truth.of(c) for c in plan.classes])
        groups.append(case.group or case.subject or case.id)
    if not rows:
        raise LabelError("no case has a class", where=cases.name)
    return np.stack(rows), np.asarray(truths, float), np.unique(groups, return_inverse=True)[1]


def _scaling(x: Array) -> dict[str, Array]:
    """Mean and scale of each voxel: cases have about length 1 then; a voxel that never changes counts for nothing."""
    mean, sd = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    varies = sd > 1e-6 * np.maximum(1e-30, np.abs(mean))
    scale = np.where(varies, sd, np.inf) * np.sqrt(max(int(varies.sum()), 1))
    return {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32)}


def _scaled(x: Array, arrays: Mapping[str, Array]) -> Array:
    return np.asarray((x - arrays["mean"]) / arrays["scale"])


def _patterns(z: Array, scores: Array) -> Array:
    """Covariance of each voxel with each class's score by the score's variance, (k, d)."""
    centred = scores - scores.mean(axis=0)
    spread = np.maximum((centred**2).mean(axis=0), 1e-12)
    return np.asarray((centred / spread).T.astype(np.float32) @ z / len(z))


def _accuracy(logits: Array, y: Array, several: bool) -> float:
    """Share of cases decided rightly by the largest logit; of several labels, share of labels by its sign."""
    if several:
        return float(((logits > 0) == (y > 0.5)).mean())
    return float((logits.argmax(axis=1) == y.argmax(axis=1)).mean())


def _tested(
    again: Callable[[Array], float], accuracy: float, y: Array, groups: Array, count: int, watch: Watch
) -> dict[str, float]:
    """Accuracy on val, and p by as many permutations."""
    rng = np.random.default_rng(watch.seed)
    null = []
    for i in range(count):
        null.append(again(shuffled(y, groups, rng)))
        watch.report(Progress("permutations", (i + 1) / count))
    found = {"accuracy": accuracy, "permutations": float(count)}
    return found | ({"p": permutation_p(accuracy, null), "by_chance": float(np.mean(null))} if count else {})


def _said(test: Mapping[str, float], n: int) -> list[str]:
    if "p" not in test:
        return []
    return [
        f"accuracy on val {test['accuracy']:.3f} (n = {n}), {test['by_chance']:.3f} with shuffled labels of train: "
        f"p = {test['p']:.3g} by {test['permutations']:.0f} permutations"
    ]
