"""What val allows to promise about new answers, and how that holds on other cases: sets of classes, and abstention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocenter.data import Score, Scores
from isocenter.metrics.conformal import Conformal, conformal, covered
from isocenter.metrics.selective import answered_from, limit_for, risk_coverage


@dataclass(frozen=True)
class Certainty:
    """How sure a classifier is, chosen on val and measured on other cases.

    Parameters
    ----------
    sets
        The limits of the sets; None where no coverage was asked for.
    covered
        As `metrics.conformal.covered`: ``coverage`` by target, ``size``, ``single``, ``empty``.
    risk, limit
        The largest share of wrong decisions that was asked for, and the least confidence that allows it on val; None
        where nothing was asked for, or no limit allows it.
    answered
        As `metrics.selective.answered_from`: ``answered``, ``risk``.
    area
        Under the risk-coverage curve of the cases scored; None where there is no curve.
    """

    sets: Conformal | None = None
    covered: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    risk: float | None = None
    limit: float | None = None
    answered: Mapping[str, Score] = field(default_factory=dict)
    area: Score | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "sets": self.sets and self.sets.as_json(),
            "covered": {k: {t: asdict(s) for t, s in table.items()} for k, table in self.covered.items()},
            "risk": self.risk, "limit": self.limit, "answered": {k: asdict(s) for k, s in self.answered.items()},
            "area": self.area and asdict(self.area),
        }

    def rows(self) -> list[tuple[str, Score]]:
        """Every number by what it says, for tables."""
        out: list[tuple[str, Score]] = []
        if self.sets is not None:
            names = {"size": "classes in a set", "single": "sets of one class", "empty": "sets of no class"}
            for target, score in self.covered.get("coverage", {}).items():
                what = "" if target == "all" else f" of {target}"
                out.append((f"sets that hold the truth{what} (asked {self.sets.coverage:g})", score))
            out += [(text, self.covered[k]["all"]) for k, text in names.items() if k in self.covered]
        if self.answered and self.limit is not None:
            out.append((f"answered at confidence {self.limit:.3f} or more", self.answered["answered"]))
            out.append((f"wrong among these (asked {self.risk:g})", self.answered["risk"]))
        return out + ([("area under the risk-coverage curve", self.area)] if self.area else [])


def certainty(
    val: Scores | None, scores: Scores, *, coverage: float | None = None, sets: str = "lac", risk: float | None = None
) -> Certainty:
    """What was asked for, chosen on `val` and measured on `scores`.

    Parameters
    ----------
    val
        Scores of the cases on which limits are chosen; None where neither coverage nor risk is asked for.
    scores
        Of other cases.
    coverage, sets
        Share of sets that hold the truth; ``"lac"`` or ``"aps"``, each also with ``"-by-class"``.
    risk
        Largest share of wrong decisions.

    Raises
    ------
    UsageError, InputError
        As `metrics.conformal.conformal` and `metrics.selective.limit_for`.
    """
    curve = risk_coverage(scores)
    area = curve.area if curve else None
    found = Certainty(area=area)
    if val is None:
        return found
    kind, by_class = sets.removesuffix("-by-class"), sets.endswith("-by-class")
    made = None if coverage is None else conformal(val, coverage, kind=kind, by_class=by_class)
    limit = None if risk is None else limit_for(val, risk)
    return Certainty(
        made, {} if made is None else covered(made, scores), risk, limit,
        {} if limit is None else answered_from(scores, limit), area,
    )
