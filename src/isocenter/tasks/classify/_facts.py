"""Facts of a case (age, lab values) as numbers: standardised, words as columns, what is missing said by a column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Case, Fact
from isocenter.errors import InputError, nearest
from isocenter.ops.array import Array

# Standardised numbers are cut here, so that one odd value has no unbounded say.
CUT = 5.0
# More different words than this are no category but text.
WORDS = 20


@dataclass(frozen=True)
class Coding:
    """How facts become numbers; learnt from train.

    Parameters
    ----------
    facts
        Name to ``{"mean", "sd", "lacks"}`` of a number, or ``{"words", "lacks"}``; ``lacks`` where train has cases
        without it, so that being unknown says something by itself.
    """

    facts: Mapping[str, Mapping[str, Any]]

    @classmethod
    def learnt(cls, cases: Sequence[Case], names: Sequence[str]) -> Coding:
        """From the facts of train; one that is known nowhere is left out.

        Raises
        ------
        InputError
            A fact is text in one case and a number in another, an infinite number, or free text.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for name in names:
            values = [known(case, name) for case in cases]
            there = [(case, value) for case, value in zip(cases, values, strict=True) if value is not None]
            if not there:
                continue
            lacks = len(there) < len(cases)
            # What most cases have is right, so that the refusal names the odd one.
            if 2 * sum(isinstance(value, str) for _, value in there) > len(there):
                found[name] = {"words": _words(name, there), "lacks": lacks}
            else:
                numbers = np.asarray([_number(name, case, value) for case, value in there])
                sd = float(numbers.std())
                steady = sd <= 1e-9 * max(1.0, abs(float(numbers.mean())))
                found[name] = {"mean": float(numbers.mean()), "sd": 1.0 if steady else sd, "lacks": lacks}
        return cls(found)

    @property
    def width(self) -> int:
        """How many numbers a case becomes."""
        return sum(len(f.get("words", (0,))) + bool(f["lacks"]) for f in self.facts.values())

    def present(self, case: Case) -> bool:
        """Whether the case has any of them."""
        return any(known(case, name) is not None for name in self.facts)

    def of(self, case: Case) -> Array:
        """float32 (width,): a missing number stands at the mean of train, a missing word in no column.

        Raises
        ------
        InputError
            A fact is text where train has numbers, or the other way round; an infinite number; or a word that train
            has not.
        """
        out: list[float] = []
        for name, how in self.facts.items():
            value = known(case, name)
            if "words" in how:
                out += [float(word == value) for word in how["words"]]
                if value is not None and value not in how["words"]:
                    _refuse_word(name, case, value, how["words"])
            else:
                number = how["mean"] if value is None else _number(name, case, value)
                out.append(float(np.clip((number - how["mean"]) / how["sd"], -CUT, CUT)))
            out += [float(value is None)] if how["lacks"] else []
        return np.asarray(out, np.float32)


def known(case: Case, name: str) -> Fact:
    """The value of a fact; None where it is missing, empty or NaN."""
    value = case.facts.get(name)
    if isinstance(value, str):
        return value.strip() or None
    return None if value is None or math.isnan(value) else float(value)


def _number(name: str, case: Case, value: Fact) -> float:
    if isinstance(value, str) or value is None:
        raise InputError(f"the fact {name!r} is text where other cases have a number", where=case.id, got=repr(value),
                         wanted="a number, or nothing where it is unknown", remedy="Mend the table, or leave it empty")
    if math.isinf(value):
        raise InputError(f"the fact {name!r} is infinite", where=case.id, got=str(value), wanted="a finite number")
    return float(value)


def _words(name: str, there: Sequence[tuple[Case, Fact]]) -> list[str]:
    for case, value in there:
        if not isinstance(value, str):
            raise InputError(f"the fact {name!r} is a number where other cases have text", where=case.id,
                             got=str(value), wanted="one kind", remedy="Mend the table, or leave it empty")
    words = sorted({str(value) for _, value in there})
    if len(words) > WORDS:
        raise InputError(f"the fact {name!r} is free text", got=f"{len(words)} different values",
                         wanted=f"numbers, or at most {WORDS} words", remedy="Leave it out of the facts")
    return words


def _refuse_word(name: str, case: Case, value: Fact, words: Sequence[str]) -> None:
    if not isinstance(value, str):
        raise InputError(f"the fact {name!r} is a number where train has text", where=case.id, got=str(value),
                         wanted=", ".join(words))
    raise InputError(f"the fact {name!r} has a value that train has not", where=case.id, got=repr(value),
                     remedy=nearest(value, words))
