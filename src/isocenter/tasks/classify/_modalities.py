"""What a method that fuses sees of a case: images by role and facts, of which some may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Before, Case, Cases, Image, Normalisation, NotEvaluated, Plan
from isocenter.data.turning import turned
from isocenter.errors import InputError, NotFoundError, RecipeError, nearest
from isocenter.infer.preparing import ALPHA, prepared, unusable
from isocenter.ops.array import Array
from isocenter.tasks.classify._facts import Coding

FACTS, UNNAMED = "facts", "image"
# Edge of the grid that an image is brought to, by number of axes.
SIZES = {2: 96, 3: 24}
# Modalities whose values mean the same in every image; pixels of an image that say where they lie.
ABSOLUTE, SAMPLE = ("CT", "PT"), 20_000


@dataclass(frozen=True, eq=False)
class Seen:
    """One case, prepared.

    Parameters
    ----------
    images
        Role to float32 (c, *grid), of those that are present.
    facts
        float32 (width of the coding,).
    present
        bool (count,): roles in order, then facts.
    """

    images: Mapping[str, Array]
    facts: Array
    present: Array


@dataclass(frozen=True)
class Modalities:
    """What is looked at, and how.

    Parameters
    ----------
    roles
        Role to how its image is prepared.
    coding
        Of the facts; empty where none are looked at.
    required
        Names of roles, or ``"facts"``, without which there is no answer.
    known
        Every role and fact of train, looked at or not.
    """

    roles: Mapping[str, Plan]
    coding: Coding
    required: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every modality, facts last."""
        return (*self.roles, *((FACTS,) if self.coding.facts else ()))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Modalities:
        """The way back from `as_json`."""
        roles = {role: Plan.from_json(plan) for role, plan in values["roles"].items()}
        return cls(roles, Coding(dict(values["facts"])), tuple(values["required"]), tuple(values["known"]))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        roles = {role: plan.as_json() for role, plan in self.roles.items()}
        return {"roles": roles, "facts": {k: dict(v) for k, v in self.coding.facts.items()},
                "required": list(self.required), "known": list(self.known)}

    def seen(self, case: Case, *, pixels: bool = True) -> Seen | NotEvaluated:
        """What the case shows; NotEvaluated where what is required or all is missing, or pixels are not finite.

        Parameters
        ----------
        case
            Roles and facts that train had not are not looked at. One image without a name (role ``image``) is the first
            role's.
        pixels
            False: only who is present.

        Raises
        ------
        NotFoundError
            The case has no image and no fact that train had.
        InputError
            A film, another number of axes or channels than in train, or a fact of another kind.
        """
        images = self._images(case)
        present = np.array([*(role in images for role in self.roles), *self._told(case)], bool)
        if not present.any():
            return self._nothing(case)
        lacking = [n for n in self.required if not present[self.names.index(n)]]
        if lacking:
            held = ", ".join(n for n, is_there in zip(self.names, present, strict=True) if is_there)
            return NotEvaluated(f"the case lacks {', '.join(lacking)}", held, "needs " + ", ".join(self.required))
        facts = self.coding.of(case)
        made: dict[str, Array] = {}
        for role, image in images.items() if pixels else ():
            there = turned(image, self.roles[role].orientation)
            array = there.channels_first()
            lack = unusable(array)
            if lack is not None:
                return NotEvaluated(f"{role}: {lack.reason}", lack.measured, lack.limit)
            made[role] = prepared(array, there, self.roles[role]).array
        return Seen(made, facts, present)

    def _images(self, case: Case) -> dict[str, Image]:
        images = case.images
        if self.roles and set(images) == {UNNAMED} and UNNAMED not in self.roles:
            images = {next(iter(self.roles)): images[UNNAMED]}
        return {role: images[role].still() for role in self.roles if role in images}

    def _told(self, case: Case) -> tuple[bool, ...]:
        return (self.coding.present(case),) if self.coding.facts else ()

    def _nothing(self, case: Case) -> NotEvaluated:
        there, wanted = (*case.images, *case.facts), " or ".join((*self.roles, *self.coding.facts))
        if set(there) & set(self.known):
            return NotEvaluated("the case lacks all that the method looks at", ", ".join(there), f"needs {wanted}")
        raise NotFoundError(
            "the case has neither an image nor a fact that the method knows", where=case.id,
            got=", ".join(there) or "nothing", wanted=wanted,
        )


def modalities_of(
    train: Sequence[Case], cases: Cases, *, only: Sequence[str], required: Sequence[str], size: int | None,
    before: Before,
) -> Modalities:
    """The modalities of train.

    Parameters
    ----------
    train, cases
        The opened cases, and the manifest that they are from.
    only
        Roles and facts to look at, ``"facts"`` for all facts; none: everything that train has.
    required
        Roles, or ``"facts"`` for any of them, without which there is no answer.
    size
        Edge of the grid of an image, or None.
    before
        Intensity and window of the images.

    Raises
    ------
    RecipeError
        A name in `only` or `required` that train has not.
    NotFoundError
        Train has neither images nor facts.
    InputError
        Images of one role differ in their number of axes; or as `Coding.learnt`.
    """
    roles = list(dict.fromkeys(role for case in train for role in case.images))
    facts = list(dict.fromkeys(name for case in train for name in case.facts))
    for name, there in (*((n, (*roles, *facts, FACTS)) for n in only), *((n, (*roles, FACTS)) for n in required)):
        if name not in there:
            raise RecipeError("train has no such image or fact", got=repr(name), remedy=nearest(name, there))
    seen = [role for role in roles if not only or role in only]
    told = [name for name in facts if not only or FACTS in only or name in only]
    coding = Coding.learnt(train, told)
    plans = {role: _plan(role, train, cases, size=size, before=before) for role in seen}
    made = Modalities(plans, coding, tuple(required), (*roles, *facts))
    odd = [name for name in required if name not in made.names]
    if odd or not made.names:
        raise RecipeError("what is required is not among what is looked at" if odd else "there is nothing to look at",
                          got=", ".join(odd), wanted=", ".join(made.names) or "images, or facts that are known")
    return made


def _plan(role: str, train: Sequence[Case], cases: Cases, *, size: int | None, before: Before) -> Plan:
    images = [case.images[role].still() for case in train if role in case.images]
    ranks = {image.ndim for image in images}
    if len(ranks) != 1:
        raise InputError(f"2D and 3D images of the role {role!r}", where=cases.name, got=f"{len(images)} images",
                         wanted="one number of axes")
    rank = ranks.pop()
    return Plan(
        "classify", rank, _channels(images), cases.classes, size=(size or SIZES[rank],) * rank,
        normalisation=_normalisation(images, before), multilabel=cases.multilabel, positive=cases.positive,
        orientation=images[0].geometry.orientation if rank == 3 else None,
    )  # fmt: skip


def _channels(images: Sequence[Image]) -> int:
    """One where three channels are equal everywhere."""
    most = max(image.length("c") - sum(c.lower() in ALPHA for c in image.channels) for image in images)
    if most != 3:
        return most
    for image in images:
        array = image.channels_first()[:3]
        if len(array) == 3 and not (np.array_equal(array[0], array[1]) and np.array_equal(array[0], array[2])):
            return 3
    return 1


def _normalisation(images: Sequence[Image], before: Before) -> Normalisation:
    """As said; else one window for all of CT and PET, whose values mean the same everywhere; else each by itself."""
    kind = before.intensity
    if kind in ("landmarks", "clahe"):
        raise RecipeError("modalities of one case are not harmonised by landmarks or tiles",
                          got=f"before.intensity={kind}", remedy="Set before.intensity to foreground or percentile")
    if kind is None:
        kind = "window" if all(image.modality in ABSOLUTE for image in images) else "standardise"
    if kind != "window":
        return Normalisation(kind)
    values = np.concatenate([_few(image.channels_first()) for image in images])
    low, high = before.window or (float(v) for v in np.percentile(values, [0.5, 99.5]))
    if not low < high:
        return Normalisation("standardise")
    cut = np.clip(values, low, high)
    return Normalisation("window", low, high, float(cut.mean()), float(cut.std()) or 1.0)


def _few(array: Array) -> Array:
    flat = array.reshape(-1)[:: max(1, array.size // SAMPLE)].astype(np.float64)
    return np.asarray(flat[np.isfinite(flat)])
