"""Facts of a case as properties that hold or not: yes and no as one, words as one each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from isocenter.data import Case, Cases, Entry, Probabilities
from isocenter.errors import LabelError, NotFoundError, nearest

YES, NO = ("1", "yes", "true", "present", "有", "是"), ("0", "no", "false", "absent", "无", "否")
# More different words than this are no property but text.
WORDS = 20


@dataclass(frozen=True)
class Properties:
    """Which properties facts say; learnt from train.

    Parameters
    ----------
    words
        Fact to the words that are properties by themselves; empty where it is yes or no.
    """

    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def learnt(cls, train: Cases, facts: Sequence[str]) -> Properties:
        """From the facts of train.

        Parameters
        ----------
        train
            Each case with its facts; one that lacks some says nothing about these.
        facts
            Their names; empty: all of them.

        Raises
        ------
        NotFoundError
            No fact, or none of that name.
        LabelError
            A number where yes or no, or a word, belongs; or free text.
        """
        cases = list(train)
        known = list(dict.fromkeys(name for case in cases for name in case.facts))
        for name in facts:
            if name not in known:
                raise NotFoundError(f"no fact {name!r}", where=train.name, remedy=nearest(name, known))
        chosen = facts or known
        if not chosen:
            raise NotFoundError("the cases have no facts, and so no attributes", where=train.name,
                                remedy="Name their columns: --facts COLUMNS")
        return cls({name: _words(name, cases) for name in chosen})

    @property
    def names(self) -> tuple[str, ...]:
        """The fact where it is yes or no, else ``fact=word``."""
        return tuple(n for fact, words in self.words.items() for n in ([f"{fact}={w}" for w in words] or [fact]))

    def of(self, case: Case) -> tuple[str, ...] | None:
        """The properties that hold; None where a fact is missing.

        Raises
        ------
        LabelError
            A fact is not what train says it can be.
        """
        found: list[str] = []
        for fact, words in self.words.items():
            text = _text(case.facts.get(fact))
            if text is None:
                return None
            if text not in (words or (*YES, *NO)):
                wanted = ", ".join(words) or "yes or no"
                raise LabelError(f"fact {fact!r} is another word", where=case.id, got=text, wanted=wanted)
            if words or text in YES:
                found.append(f"{fact}={text}" if words else fact)
        return tuple(found)

    def asked(self, cases: Cases) -> Cases:
        """The cases whose properties are known, with them as several labels at once."""
        entries = [self._entry(e, held) for e, case in zip(cases.entries, cases, strict=True)
                   if (held := self.of(case)) is not None]
        return replace(cases, entries=tuple(entries), classes=self.names, positive=None, multilabel=True)

    def _entry(self, entry: Entry, held: tuple[str, ...]) -> Entry:
        truth = Probabilities.truth(self.names, held, multilabel=True)
        return replace(entry, open=partial(_opened, entry, truth), labels=held, unlabelled=False)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {fact: list(words) for fact, words in self.words.items()}


def _opened(entry: Entry, truth: Probabilities) -> Case:
    return replace(entry.open(), load_truth=lambda: truth)


def _text(value: float | str | None) -> str | None:
    if value is None or isinstance(value, str):
        return value.strip().lower() or None if isinstance(value, str) else None
    return str(int(value)) if value == int(value) else repr(value)


def _words(name: str, cases: Sequence[Case]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for case in cases:
        value = case.facts.get(name)
        text = _text(value)
        if text is None:
            continue
        if not isinstance(value, str) and text not in (*YES, *NO):
            raise LabelError(f"fact {name!r} is a number where yes or no, or a word, belongs", where=case.id, got=text,
                             remedy="Cut it into words first, such as young and old")
        found.setdefault(text, case.id)
    if set(found) <= {*YES, *NO}:
        return ()
    if len(found) > WORDS:
        raise LabelError(f"fact {name!r} is free text", got=f"{len(found)} different words", wanted=f"at most {WORDS}")
    return tuple(sorted(found))
