"""Ensemble: several methods answer, and what they say together is the answer.

Any methods: other seeds of one network, other networks, classical ones, bundles. Their log probabilities are averaged
(the logarithmic opinion pool: Genest and Zidek, Statistical Science 1 (1986) 114), or their probabilities
(Lakshminarayanan et al., NeurIPS 2017); temperature and threshold are chosen on val for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from isocenter.data import (
    Case,
    Cases,
    NotEvaluated,
    Plan,
    Probabilities,
    Watch,
    as_settings,
    knob,
    silent,
)
from isocenter.errors import InputError, LabelError, RecipeError
from isocenter.ops.array import Array
from isocenter.tasks._members import share_of
from isocenter.tasks._named import class_name, class_of, under
from isocenter.tasks.classify._table import answered, decisions
from isocenter.tasks.classify.cnn import Cnn

LOGITS, PROBABILITIES = WAYS = ("logits", "probabilities")
# Below which a probability counts as this: a member that is sure and wrong must not outvote all others.
LEAST = 1e-6


@dataclass(frozen=True)
class Ensemble:
    """The recipe of an ensemble. `fit` trains the members that learn and takes the others as they are.

    Raises
    ------
    RecipeError
        A member neither answers nor learns.
    """

    members: tuple[Any, ...] = knob(
        (), 'other methods, as [{"use": "a.bundle"}, {"use": "classify/linear"}]; none: `cnn` alone'
    )
    cnn: Cnn = knob(Cnn, "what is trained where no members are named")
    seeds: int = knob(3, "times that each member that studies a network is trained, from other seeds", low=1, high=32)
    combine: str = knob(LOGITS, "what is averaged: logits (of probabilities, by class) or probabilities", choices=WAYS)

    def __post_init__(self) -> None:
        for member in self.members:
            if not hasattr(member, "predict") and not hasattr(member, "fit"):
                raise RecipeError("a member neither answers nor learns", where="ensemble", got=type(member).__name__)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedEnsemble:
        """Trains every member that learns, then chooses temperature and threshold of the whole on `valid`.

        Raises
        ------
        RecipeError
            A plan was handed over: there are several methods. A member answers another question, or has learnt nothing
            (findings made elsewhere).
        InputError
            No member answers any case of `valid`.
        LabelError
            The members answer about other classes than train's.
        IsocenterError
            As the members.
        """
        if watch.plan is not None:
            raise RecipeError("an ensemble has no single plan", remedy="Hand plans to its members")
        jobs = list(self._jobs())
        members = []
        for i, (member, seed) in enumerate(jobs):
            if not hasattr(member, "predict"):
                member = member.fit(train, valid, watch=share_of(watch, i, len(jobs), seed))
            said = getattr(member, "about", {})
            if not isinstance(said.get("plan"), Mapping) or said["plan"].get("task") != "classify":
                raise RecipeError("a member is no fitted classifier", where="ensemble", got=type(member).__name__,
                                  wanted="methods that learn to classify, or their bundles")
            members.append(member)
        plan = replace(Plan.from_json(members[0].about["plan"]), temperature=1.0, thresholds=(), settings={})
        plan = replace(plan, classes=tuple(train.classes), multilabel=train.multilabel, positive=train.positive)
        said = {"recipe": as_settings(replace(self, members=())), "plan": plan.as_json(), "classes": [*train.classes]}
        made = FittedEnsemble(said, tuple(members))
        return replace(made, said={**said, "plan": _chosen(made, valid).as_json()})

    def _jobs(self) -> list[tuple[Any, int]]:
        jobs: list[tuple[Any, int]] = []
        for member in self.members or (self.cnn,):
            # Only what studies a network gets other answers from other seeds.
            times = self.seeds if hasattr(member, "study") and not hasattr(member, "predict") else 1
            jobs += [(member, seed) for seed in range(times)]
        return jobs

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedEnsemble:
        """The ensemble of a bundle; torch is not imported."""
        return FittedEnsemble.from_state(about, state)


@dataclass(frozen=True, eq=False)
class FittedEnsemble:
    """Members that answer, and how their answers become one.

    Parameters
    ----------
    said
        ``recipe`` (of `Ensemble`, without its members), ``plan`` (classes, temperature, thresholds), ``classes``.
    members
        Fitted methods.
    """

    said: Mapping[str, Any]
    members: tuple[Any, ...] = field(default=())

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedEnsemble:
        """The way back from `about` and `state`; BundleError for a member that is no method of this folder."""
        members = []
        for i, said in enumerate(about["members"]):
            made = class_of(said["class"], "classify").from_state(said["about"], under(f"member{i}", state))
            members.append(made)
        return cls({k: v for k, v in about.items() if k != "members"}, tuple(members))

    @property
    def about(self) -> dict[str, Any]:
        """The recipe, what was chosen on val, and each member's own description."""
        told = [{"class": class_name(m), "about": dict(m.about)} for m in self.members]
        return dict(self.said) | {"members": told}

    @property
    def plan(self) -> Plan:
        """Classes, temperature and thresholds of the whole; grid and values of the first member."""
        return Plan.from_json(self.said["plan"])

    def state(self) -> dict[str, Array]:
        """The arrays of all members; BundleError where one is no method of this folder."""
        for member in self.members:
            class_of(class_name(member), "classify")
        return {f"member{i}.{k}": a for i, m in enumerate(self.members) for k, a in m.state().items()}

    def predict(self, case: Case) -> Probabilities | NotEvaluated:
        """Probabilities and decision of the whole; NotEvaluated where no member answers."""
        found = self.pooled(case)
        return found if isinstance(found, NotEvaluated) else answered(found, self.plan)

    def spread(self, case: Case) -> Array | NotEvaluated:
        """float64 (classes,): SD over the members of each class's probability, 0 to 0.5: how far they differ."""
        found = self._each(case)
        return found if isinstance(found, NotEvaluated) else found.std(axis=0)

    def pooled(self, case: Case) -> Array | NotEvaluated:
        """float64 (classes,): what the members say together, before temperature; LabelError for other classes."""
        found = self._each(case)
        if isinstance(found, NotEvaluated):
            return found
        sure = np.clip(found, LEAST, 1.0 - LEAST)
        several = self.plan.multilabel
        if self.said["recipe"]["combine"] == LOGITS:
            return np.asarray((np.log(sure) - (np.log1p(-sure) if several else 0.0)).mean(axis=0))
        mean = sure.mean(axis=0)
        return np.asarray(np.log(mean) - (np.log1p(-mean) if several else 0.0))

    def _each(self, case: Case) -> Array | NotEvaluated:
        """Probabilities (members that answer, classes)."""
        answers: Sequence[Any] = [m.predict(case) for m in self.members]
        held = [a for a in answers if isinstance(a, Probabilities)]
        if not held:
            return next(a for a in answers if isinstance(a, NotEvaluated))
        classes = self.plan.classes
        for one in held:
            if set(one.classes) != set(classes):
                raise LabelError("a member answers about other classes", where=case.id, got=", ".join(one.classes),
                                 wanted=", ".join(classes))
        return np.array([[one.of(c) for c in classes] for one in held], np.float64)


def _chosen(made: FittedEnsemble, valid: Cases) -> Plan:
    """The plan with temperature and thresholds chosen on val."""
    logits, truth = [], []
    for case in valid:
        true, found = case.truth(), made.pooled(case)
        if isinstance(true, Probabilities) and not isinstance(found, NotEvaluated):
            logits.append(found)
            truth.append([true.of(c) for c in made.plan.classes])
    if not logits:
        raise InputError("no member answers any case to validate on", where=valid.name)
    return decisions(made.plan, np.array(logits), np.array(truth, float))
