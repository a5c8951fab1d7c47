"""Ensemble: several methods answer, and what they agree on is the answer; how far they differ says how sure it is.

Any methods: other seeds of one network, other folds of the data, other networks, classical ones, bundles. Joined by the
mean of their probabilities (Lakshminarayanan et al., NeurIPS 2017), by majority, or by STAPLE (Warfield et al., IEEE
Trans. Med. Imaging 2004).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from isocenter.data import (
    After,
    Case,
    Cases,
    NotEvaluated,
    Segmentation,
    Values,
    Watch,
    as_settings,
    knob,
    silent,
)
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.ops.components import tidied
from isocenter.tasks._members import share_of
from isocenter.tasks._named import class_name, class_of, under
from isocenter.tasks.segment._consensus import WAYS, Consensus, consensus, correlation
from isocenter.tasks.segment.unet import UNet


@dataclass(frozen=True)
class Ensemble:
    """The recipe of an ensemble. `fit` trains the members that learn and takes the others as they are.

    Raises
    ------
    RecipeError
        A member neither answers nor learns, or a clean-up that has no meaning here.
    """

    members: tuple[Any, ...] = knob(
        (), 'other methods, as [{"use": "a.bundle"}, {"use": "segment/histogram"}]; none: `unet` alone'
    )
    unet: UNet = knob(UNet, "what is trained where no members are named")
    seeds: int = knob(3, "times that each member that learns a network is trained, from other seeds", low=1, high=32)
    folds: int | None = knob(
        None,
        "parts of train and val by group: each network is trained so many times, each time with another part to stop "
        "on; wins over seeds",
        low=2,
        high=20,
    )
    combine: str = knob(
        "mean", "of probabilities, majority of labels, or STAPLE", choices=WAYS, source="Warfield et al., TMI 2004"
    )
    after: After = knob(After, "largest, smallest and fill, of the joint answer")

    def __post_init__(self) -> None:
        for member in self.members:
            if not hasattr(member, "predict") and not hasattr(member, "fit"):
                raise RecipeError("a member neither answers nor learns", where="ensemble", got=type(member).__name__)
        for name in ("mirror", "overlap"):
            if getattr(self.after, name) is not None:
                raise RecipeError(f"after.{name} is for one network", where="ensemble", remedy="Say it to the members")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """What the members agree on, on the case's own grid; RecipeError where one must be trained first."""
        if not self.members or not all(hasattr(m, "predict") for m in self.members):
            raise RecipeError("the members must be trained first", where="ensemble", remedy="Run: isocenter train")
        return FittedEnsemble(self._about(), self.members).predict(case)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedEnsemble:
        """Trains every member that learns; with `valid` it also learns how well `quality` foretells Dice.

        Raises
        ------
        RecipeError
            A plan was handed over: there are several networks.
        LabelError
            The members answer about different regions.
        IsocenterError
            As the members.
        """
        if watch.plan is not None:
            raise RecipeError("an ensemble has no single plan", remedy="Hand plans to its members")
        jobs = list(self._jobs(train, valid))
        members = []
        for i, (member, learn, check, seed) in enumerate(jobs):
            if hasattr(member, "fit"):
                member = member.fit(learn, check, watch=share_of(watch, i, len(jobs), seed))
            members.append(member)
        made = FittedEnsemble(self._about() | {"classes": ["background", *train.classes]}, tuple(members))
        unseen = not self.folds and len(valid)
        return replace(made, said={**made.said, "quality": correlation(made, valid)}) if unseen else made

    def _jobs(self, train: Cases, valid: Cases) -> list[tuple[Any, Cases, Cases, int]]:
        jobs = []
        for member in self.members or (self.unet,):
            # What answers already gets no better by another seed.
            if not hasattr(member, "fit") or hasattr(member, "predict"):
                jobs.append((member, train, valid, 0))
            elif self.folds:
                jobs += [(member, *part, 0) for part in _folded(train, valid, self.folds)]
            else:
                jobs += [(member, train, valid, seed) for seed in range(self.seeds)]
        return jobs

    def _about(self) -> dict[str, Any]:
        return {"recipe": as_settings(replace(self, members=()))}

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
        ``recipe`` (of `Ensemble`, without its members), and what was learnt: ``classes``, ``quality``.
    members
        Fitted methods.
    """

    said: Mapping[str, Any]
    members: tuple[Any, ...] = field(default=())

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedEnsemble:
        """The way back from `about` and `state`."""
        members = []
        for i, said in enumerate(about["members"]):
            members.append(class_of(said["class"], "segment").from_state(said["about"], under(f"member{i}", state)))
        return cls({k: v for k, v in about.items() if k != "members"}, tuple(members))

    @property
    def about(self) -> dict[str, Any]:
        """The recipe, what was learnt, and each member's own description."""
        told = [{"class": class_name(m), "about": dict(getattr(m, "about", {}))} for m in self.members]
        return dict(self.said) | {"members": told}

    def state(self) -> dict[str, Array]:
        """The arrays of all members; BundleError where one is no method of isocenter."""
        for member in self.members:
            class_of(class_name(member), "segment")
        return {f"member{i}.{k}": a for i, m in enumerate(self.members) for k, a in m.state().items()}

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """What the members agree on, on the case's own grid; NotEvaluated where none of them answers."""
        found = self.consensus(case)
        return found if isinstance(found, NotEvaluated) else replace(found.answer, scores=None)

    def scored(self, case: Case) -> Segmentation | NotEvaluated:
        """As `predict`, with the probabilities."""
        found = self.consensus(case)
        return found if isinstance(found, NotEvaluated) else found.answer

    def spread(self, case: Case) -> Array | NotEvaluated:
        """float32 (*grid): SD over the members of the probability that a pixel is not background, 0 to 0.5."""
        found = self.consensus(case)
        return found if isinstance(found, NotEvaluated) else found.spread

    def quality(self, case: Case) -> Values | NotEvaluated:
        """Dice of each region that is to be expected, without truth: the mean over all pairs of members."""
        found = self.consensus(case)
        return found if isinstance(found, NotEvaluated) else found.expected

    def consensus(self, case: Case) -> Consensus | NotEvaluated:
        """Answer, spread and expected Dice at once; LabelError where the members answer about different regions."""
        recipe = self.said["recipe"]
        found = consensus(self.members, case, combine=recipe["combine"])
        if isinstance(found, NotEvaluated):
            return found
        after = recipe.get("after") or {}
        labels = tidied(
            found.answer.labels,
            keep_largest=bool(after.get("largest")),
            smallest=after.get("smallest") or 0.0,
            fill=bool(after.get("fill")),
        )
        return replace(found, answer=replace(found.answer, labels=labels))


def _folded(train: Cases, valid: Cases, folds: int) -> list[tuple[Cases, Cases]]:
    """Train and val of each fold; a group stays together, and the order of the table plays no part."""
    pool = replace(train, entries=(*train.entries, *valid.entries))
    names = sorted(set(pool.groups), key=lambda g: hashlib.sha256(g.encode()).hexdigest())
    if len(names) < folds:
        raise RecipeError("there are more folds than groups", where=train.name, got=str(folds), wanted=str(len(names)))
    fold = {name: i % folds for i, name in enumerate(names)}
    at = [fold[g] for g in pool.groups]
    return [
        (pool.subset([i for i, f in enumerate(at) if f != k]), pool.subset([i for i, f in enumerate(at) if f == k]))
        for k in range(folds)
    ]
