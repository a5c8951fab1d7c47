"""The class through attributes: named properties are found in the image first, and they alone decide for the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from isocenter.data import Case, Cases, CaseScore, NotEvaluated, Probabilities, Watch, as_settings, knob, silent
from isocenter.data.findings.contributions import Contributions
from isocenter.data.plan import Plan
from isocenter.errors import BundleError, InputError, LabelError, NotFoundError, nearest
from isocenter.ops.array import Array
from isocenter.ops.logistic import log_loss, logistic
from isocenter.tasks._network import NETWORK
from isocenter.tasks.classify import TASK
from isocenter.tasks.classify._properties import Properties
from isocenter.tasks.classify._represented import represented
from isocenter.tasks.classify._table import answered, calibrated_plan, calibrating, plan_of
from isocenter.tasks.classify.cnn import Cnn
from isocenter.tasks.classify.linear import PENALTIES, Linear

FIRST = "first/"
KINDS: dict[str, Any] = {"linear": Linear, "cnn": Cnn}


@dataclass(frozen=True)
class Attributes:
    """The recipe of a concept bottleneck: a classifier of several attributes, then a logistic regression from those.

    Attributes are facts of the training cases (--facts): yes or no, or a word each; in the cases to be answered they
    are not needed, and not looked at. What an answer rests on can be said in words, and how well each attribute is
    found is said by val. What the attributes do not tell is lost: hold it against the first stage's method by itself.

    Source: Koh et al., ICML 2020 (sequential and independent bottleneck).
    """

    facts: tuple[str, ...] = knob((), "the facts that are attributes; none: all of train")
    first: str = knob("linear", "what finds them in an image", choices=tuple(KINDS))
    linear: Linear = knob(Linear, "the first stage where it is linear")
    cnn: Cnn = knob(Cnn, "the first stage where it is a network")
    independent: bool = knob(False, "learn the class from the true attributes of train, not from those that were found")
    penalty: float | None = knob(
        None, "of the second stage: weight of half the squared coefficients against the mean log loss; None: by val",
        low=0.0, high=1e4,
    )  # fmt: skip
    calibration: str | None = calibrating()

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedAttributes:
        """Both stages; the penalty, the calibration and the threshold are chosen on val.

        Raises
        ------
        NotFoundError
            There are no such facts.
        LabelError
            A fact is no attribute, or is the same in all of train; a class has no training case.
        IsocenterError
            As the first stage's own `fit`.
        """
        known = Properties.learnt(train, self.facts)
        asked, checks = known.asked(train), known.asked(valid)
        _differing(asked)
        first = getattr(self, self.first).fit(asked, checks, watch=watch)
        x, y = _rows(first, train, known if self.independent else None)
        vx, vy = _rows(first, valid, None)
        represented(train, y)
        mean = x.mean(axis=0)
        weights, history = self._second((x - mean, y), (vx - mean, vy), several=train.multilabel)
        logits = np.asarray((vx - mean) @ weights[0].T + weights[1])
        plan, said = calibrated_plan(self.calibration, plan_of(train), (logits, vy), valid.labelled.groups)
        found, words = _measured(first, checks)
        about = {
            "recipe": as_settings(self), "plan": plan.as_json(), "classes": list(train.classes), "history": history,
            "attributes": known.as_json(), "kind": self.first, "first": first.about, "found": found,
            "said": [words, *said],
        }
        arrays = {"coefficients": weights[0], "intercepts": weights[1], "mean": mean}
        return FittedAttributes(about, arrays | {_kept(k): v for k, v in first.state().items()})

    def _second(
        self, train: tuple[Array, Array], valid: tuple[Array, Array], *, several: bool
    ) -> tuple[tuple[Array, Array], list[dict[str, float]]]:
        best, history = None, []
        for penalty in PENALTIES if self.penalty is None else (self.penalty,):
            weights = logistic(*train, penalty=penalty, several=several)
            loss = log_loss(valid[0] @ weights[0].T + weights[1], valid[1], several=several)
            history.append({"penalty": penalty, "valid_log_loss": loss})
            if best is None or loss < best[0]:
                best = (loss, weights)
        assert best is not None
        return best[1], history

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedAttributes:
        """The fitted method that `FittedAttributes.about` and `FittedAttributes.state` described."""
        return FittedAttributes(dict(about), dict(state))


@dataclass(frozen=True, eq=False, repr=False)
class FittedAttributes:
    """A classifier of attributes, and a logistic regression from them to the class.

    Parameters
    ----------
    about
        ``recipe``, ``plan``, ``classes``, ``attributes``, ``kind`` and ``first`` (the first stage), ``found`` (how well
        each attribute is found on val), ``history``, ``said``.
    arrays
        ``coefficients`` (classes, attributes), ``intercepts`` (classes,), ``mean`` (attributes,) of train, and those of
        the first stage under ``first/``, but for its ``network.onnx``.

    Raises
    ------
    BundleError
        A part is missing or of another shape.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        k, m = len(self.about.get("classes", ())), len(self.arrays.get("mean", ()))
        wanted = {"coefficients": (k, m), "intercepts": (k,), "mean": (m,)}
        got = {name: self.arrays[name].shape for name in wanted if name in self.arrays}
        if got != wanted or not m or self.about.get("kind") not in KINDS:
            raise BundleError("the parts of the method do not fit", got=str(got), wanted=str(wanted))

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    @property
    def first(self) -> Any:
        """What finds the attributes."""
        own = {k.removeprefix(FIRST): v for k, v in self.arrays.items() if k.startswith(FIRST) or k == NETWORK}
        return KINDS[str(self.about["kind"])].from_state(self.about["first"], own)

    def attributes(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each attribute, several at once."""
        found: Probabilities | NotEvaluated = self.first.predict(case)
        return found

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """The probability of each class, by the attributes that were found; NotEvaluated where the first stage is so.

        Raises
        ------
        InputError
            As the first stage.
        """
        found = self.attributes(case)
        if isinstance(found, NotEvaluated):
            return found
        logits = self.arrays["coefficients"] @ (found.array - self.arrays["mean"]) + self.arrays["intercepts"]
        return answered(np.asarray(logits), Plan.from_json(self.about["plan"]))

    def contributed(self, case: Case, *, target: str | None = None) -> Contributions | NotEvaluated:
        """What each attribute adds to the log-odds of a class against the mean of the others, before calibration.

        Parameters
        ----------
        case
            Its attributes stand in the names with the probability with which they were found.
        target
            The class; None: the answer's own.

        Raises
        ------
        NotFoundError
            There is no such class.
        """
        found, answer = self.attributes(case), self.predict(case)
        if isinstance(found, NotEvaluated) or isinstance(answer, NotEvaluated):
            return found if isinstance(found, NotEvaluated) else NotEvaluated("the case has no answer")
        name = target or next(iter(answer.decision), answer.label)
        if name not in answer.classes:
            raise NotFoundError(f"no class {name!r}", remedy=nearest(name, answer.classes))
        at = answer.classes.index(name)
        rows = np.column_stack([self.arrays["coefficients"], self.arrays["intercepts"]])
        own = rows[at] if answer.multilabel else rows[at] - np.delete(rows, at, axis=0).mean(axis=0)
        parts = own[:-1] * (found.array - self.arrays["mean"])
        items = {f"{n} ({p:.2f})": float(v) for n, p, v in zip(found.classes, found.values, parts, strict=True)}
        return Contributions(items, name, float(own[-1]), float(own[-1] + parts.sum()), "attributes")


def _kept(name: str) -> str:
    # A network is a file of its own in a bundle.
    return name if name == NETWORK else f"{FIRST}{name}"


def _differing(asked: Cases) -> None:
    """LabelError where an attribute holds in all of train or in none, or where no case has them."""
    n = len(asked)
    counts = {c: sum(c in e.labels for e in asked.entries) for c in asked.classes}
    same = [c for c, count in counts.items() if count in (0, n)]
    if same:
        raise LabelError("an attribute is the same in every training case", where=asked.name, got=", ".join(same),
                         wanted="cases with and without it", remedy="Leave it out of facts")


def _rows(first: Any, cases: Cases, known: Properties | None) -> tuple[Array, Array]:
    """Attributes (n, m) as found, or true ones where `known` says which, and the class (n, k), of cases with one."""
    x, y = [], []
    for case in cases:
        truth = case.truth()
        held = known.of(case) if known is not None else ()
        if not isinstance(truth, Probabilities) or held is None:
            continue
        if known is not None:
            row = np.array([float(name in held) for name in known.names])
        else:
            row = _found(first, case)
        x.append(row)
        y.append([truth.of(c) for c in cases.classes])
    if not x:
        raise LabelError("no case has a class", where=cases.name)
    return np.stack(x), np.asarray(y, float)


def _found(first: Any, case: Case) -> Array:
    answer = first.predict(case)
    if isinstance(answer, NotEvaluated):
        raise InputError(answer.reason, where=case.id, got=answer.measured, wanted=answer.limit)
    array: Array = answer.array
    return array


def _measured(first: Any, checks: Cases) -> tuple[dict[str, Any], str]:
    """How well each attribute is found on val: AUC with interval and n; and that in words."""
    from isocenter.metrics import records, summarise

    told: Sequence[CaseScore] = [
        CaseScore(case.id, group, records(TASK, first.predict(case), case.truth()))
        for case, group in zip(checks, checks.groups, strict=True)
    ]
    scores = summarise(TASK, told, method="attributes", split="val", resamples=500).metrics["auc"]
    found = {name: {"auc": s.value, "low": s.low, "high": s.high, "n": s.n} for name, s in scores.items()}
    words = [f"{name} {s.value:.3f} ({s.low:.3f} to {s.high:.3f})" if s.value is not None and s.low is not None
             and s.high is not None else f"{name} unknown" for name, s in scores.items() if name != "all"]
    return found, f"AUC of the attributes on {len(told)} cases of val: {', '.join(words)}"
