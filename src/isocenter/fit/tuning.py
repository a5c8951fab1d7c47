"""A search over fields of a recipe: proposals by a tree-structured Parzen estimator, every trial kept in SQLite."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.errors import MissingExtraError, RecipeError
from isocenter.ops.array import Array

# Trials whose values are drawn evenly before the estimator has anything to go by.
BLIND = 5
# Groups of equal sizes into which the values of a field are put when its importance is asked for.
GROUPS = 4
# How far around its start a field is searched, as a factor, where its own range is wider.
AROUND = 4.0
# The widest range, as a factor, that is searched whole where no start is known.
WIDEST = 256.0
NAME = "search"
# What marks a trial that was killed while its values were written down.
VOID = "void"


@dataclass(frozen=True)
class Dimension:
    """One field that is searched.

    Parameters
    ----------
    name
        Dotted, as in settings.
    low, high
        Range, inclusive; None with `choices`.
    log
        Whether factors count rather than differences.
    whole
        Whether values are whole numbers.
    choices
        The values of a field that is no number.

    Raises
    ------
    RecipeError
        Neither a range nor choices, or a range that holds nothing.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.choices:
            return
        if self.low is None or self.high is None or not self.low < self.high or (self.log and self.low <= 0):
            raise RecipeError(f"nothing to search in {self.name}", got=f"{self.low} to {self.high}",
                              wanted="a range of more than one value, above 0 where factors count")

    def distribution(self) -> Any:
        """As optuna wants it."""
        import optuna.distributions as of

        if self.choices:
            return of.CategoricalDistribution(list(self.choices))
        assert self.low is not None and self.high is not None
        if self.whole:
            return of.IntDistribution(math.ceil(self.low), math.floor(self.high), log=self.log)
        return of.FloatDistribution(self.low, self.high, log=self.log)

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        if self.choices:
            return value in self.choices
        return isinstance(value, (int, float)) and self.low <= value <= self.high  # type: ignore[operator]

    def text(self) -> str:
        """The range in words.

        >>> Dimension("width", 4, 64, log=True, whole=True).text()
        '4 to 64, by factors'
        """
        if self.choices:
            return ", ".join(map(str, self.choices))
        return f"{self.low:.4g} to {self.high:.4g}" + (", by factors" if self.log else "")


@dataclass(frozen=True)
class Trial:
    """One set of values that was tried.

    Parameters
    ----------
    number
        From 0, the recipe as it was asked.
    values
        Field to value.
    score
        On val, higher is better; None where it failed.
    seconds
        That it took.
    lack
        Why it failed, or "".
    """

    number: int
    values: Mapping[str, Any]
    score: float | None
    seconds: float
    lack: str = ""


def around(
    start: Any, *, low: float | None, high: float | None, name: str, whole: bool = False
) -> Dimension | None:
    """The range in which a field is searched; None where none is known.

    A share is searched in all its range; a number within a factor of four of its start, or where that is unknown in all
    its range, if that spans no more than a factor of 256.

    Parameters
    ----------
    start
        The value of the recipe as it was asked; None where it is unknown.
    low, high
        What the field allows.
    name
        Of the field.
    whole
        Whether it takes whole numbers alone.

    >>> around(0.002, low=1e-7, high=10, name="study.learning_rate").text()
    '0.0005 to 0.008, by factors'
    >>> around(None, low=0, high=0.9, name="dropout").text()
    '0 to 0.9'
    """
    if isinstance(start, bool):
        return Dimension(name, choices=(False, True))
    if low is not None and high is not None and high <= 1 and (low == 0 or high <= AROUND * low):
        return Dimension(name, low, high)
    if isinstance(start, (int, float)) and start > 0:
        low = max(start / AROUND, low or 0.0)
        high = min(start * AROUND, math.inf if high is None else high)
    elif low is None or high is None or low <= 0 or high > WIDEST * low:
        return None
    if whole:
        low, high = math.ceil(low), math.floor(high)
    return Dimension(name, low, high, log=True, whole=whole) if low < high else None


class Search:
    """The trials of one search; they survive the process.

    Proposals depend on the seed and on the finished trials alone, so that a search that was killed goes on as if it had
    not been. Source: Bergstra et al., Algorithms for hyper-parameter optimization, NeurIPS 2011; Akiba et al., Optuna,
    KDD 2019.

    Parameters
    ----------
    file
        The SQLite file; made when it is not there.
    seed
        Of the proposals.

    Raises
    ------
    MissingExtraError
        optuna is not installed.
    """

    def __init__(self, file: Path, *, seed: int) -> None:
        try:
            import optuna
        except ImportError as error:
            raise MissingExtraError("a search over recipes", "tune") from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._seed = seed
        with _calm():
            self._study = optuna.create_study(
                storage=f"sqlite:///{file}", study_name=NAME, direction="maximize", load_if_exists=True
            )

    def trials(self) -> list[Trial]:
        """Those that are over, in order."""
        out = []
        for number, one in enumerate(self._begun()):
            if one.state.is_finished():
                said = one.user_attrs
                score = None if said.get("lack") or not one.values else one.values[0]
                out.append(Trial(number, dict(one.params), score, float(said.get("seconds", 0.0)),
                                 str(said.get("lack", ""))))
        return out

    def _begun(self) -> list[Any]:
        """Trials whose values were all written down; one that was killed before never was, and has no number."""
        return [t for t in self._study.get_trials(deepcopy=False) if VOID not in t.user_attrs]

    def began(
        self, values: Mapping[str, Any], dimensions: Sequence[Dimension], *, score: float, seconds: float
    ) -> None:
        """Enters the first trial, the recipe as it was asked, with the values that the plan gave it."""
        import optuna

        # A start that is unknown, or lies outside a range that a person named, is no point of that field's search.
        inside = {d.name: (values[d.name], d.distribution()) for d in dimensions if d.holds(values.get(d.name))}
        self._study.add_trial(optuna.trial.create_trial(
            params={name: value for name, (value, _) in inside.items()},
            distributions={name: range_ for name, (_, range_) in inside.items()},
            value=score, user_attrs={"seconds": seconds},
        ))

    def proposed(self, dimensions: Sequence[Dimension]) -> tuple[int, dict[str, Any]]:
        """Number and values of the next trial; of one that was not ended, its own."""
        import optuna

        begun = self._begun()
        for number, one in enumerate(begun):
            if one.state == optuna.trial.TrialState.RUNNING:
                if set(one.params) == {d.name for d in dimensions}:
                    return number, dict(one.params)
                self._study._storage.set_trial_user_attr(one._trial_id, VOID, True)
                self._study.tell(one.number, state=optuna.trial.TrialState.FAIL)
        number = len(self._begun())
        draw = (self._seed * 100_003 + number) % 2**31
        self._study.sampler = optuna.samplers.TPESampler(seed=draw, n_startup_trials=BLIND)
        with _calm():
            trial = self._study.ask({d.name: d.distribution() for d in dimensions})
        return number, dict(trial.params)

    def ended(self, number: int, *, score: float | None, seconds: float, lack: str = "") -> None:
        """Enters what a trial gave; one without a score failed and says why."""
        import optuna

        storage, study, trial = self._study._storage, self._study, self._begun()[number]
        storage.set_trial_user_attr(trial._trial_id, "seconds", seconds)
        if score is None:
            storage.set_trial_user_attr(trial._trial_id, "lack", lack or "no score")
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial.number, score)

    def importance(self) -> dict[str, float]:
        """Share of the variance of the scores that each field explains by itself; empty with few trials."""
        known = [t for t in self.trials() if t.score is not None]
        if len(known) < 2 * BLIND:
            return {}
        names = dict.fromkeys(k for t in known for k in t.values)
        out = {}
        for name in names:
            own = [(t.values[name], float(t.score or 0.0)) for t in known if name in t.values]
            out[name] = explained([value for value, _ in own], [score for _, score in own])
        return out


def explained(values: Sequence[Any], scores: Sequence[float]) -> float:
    """Share of the variance of scores that groups of values explain, less what chance alone would: epsilon squared.

    Numbers are put into groups of equal sizes, at most four, of at least three trials; anything else groups by itself.
    Source: Kelley, An unbiased correlation ratio measure, PNAS 21 (1935) 554.

    Parameters
    ----------
    values
        Of one field, one a trial.
    scores
        Of the same trials.

    >>> explained([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1])
    1.0
    """
    y, n = np.asarray(scores, np.float64), len(scores)
    groups = _grouped(values)
    k = int(groups.max()) + 1
    total = float(((y - y.mean()) ** 2).sum())
    if k < 2 or n <= k or total == 0:
        return 0.0
    inside = sum(float(((y[groups == g] - y[groups == g].mean()) ** 2).sum()) for g in range(k))
    return max(0.0, 1.0 - (inside / (n - k)) / (total / (n - 1)))


def _grouped(values: Sequence[Any]) -> Array:
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        names = list(dict.fromkeys(map(str, values)))
        return np.asarray([names.index(str(v)) for v in values])
    x = np.asarray(values, np.float64)
    count = max(1, min(GROUPS, len(x) // 3))
    # Equal values never part.
    _, index, sizes = np.unique(x, return_inverse=True, return_counts=True)
    middle = (np.cumsum(sizes) - sizes / 2)[index]
    wanted = np.minimum((middle * count / len(x)).astype(int), count - 1)
    return np.asarray(np.unique(wanted, return_inverse=True)[1])


@contextmanager
def _calm() -> Iterator[None]:
    """Without the library's remarks on what of it is experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
