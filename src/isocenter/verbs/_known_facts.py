"""The facts that a bundle learnt from, so that no answer goes without them unnoticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from isocenter.data import Cases
from isocenter.errors import nearest
from isocenter.verbs._cases import cases_of
from isocenter.verbs._method import Method
from isocenter.verbs._options import Options


def known_facts(method: Method) -> tuple[str, ...]:
    """The facts of a case that a fitted method looks at, its members' among them; empty where there are none."""
    return tuple(dict.fromkeys(_looked_at(getattr(method.object, "about", None) or {}, method.object)))


def with_known_facts(
    cases: Cases, methods: Sequence[Method], data: Any, options: Options
) -> tuple[Cases, tuple[str, ...]]:
    """The cases with the facts that bundles learnt from, and what to say of it.

    Where nobody names facts, neither a person nor the set's cases.json, the columns that have their names are read;
    a column that the table lacks is missing in every case, and that is said.
    """
    wanted = {fact: m.name for m in methods if m.bundle is not None for fact in known_facts(m)}
    if not wanted or options.get("facts") or isinstance(data, Cases) or cases.declared.get("facts"):
        return cases, ()
    columns = {c for e in cases.entries for row in (e.notes, *e.rows) for c in row}
    there, names = [f for f in wanted if f in columns], ", ".join(dict.fromkeys(wanted.values()))
    lacking = [f for f in wanted if f not in columns]
    said = []
    if there:
        cases = cases_of(data, cases.task, options={**options, "facts": there})
        said = [f"{names} learnt from facts: {', '.join(there)} read from the columns of that name"]
    if lacking:
        which = "column" if len(lacking) == 1 else "columns"
        said += [f"{names} learnt from facts: the table has no {which} {', '.join(lacking)}, so missing in every case"]
    return cases, tuple(said)


def ignored_facts(method: Method, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What to say of facts of a case that a fitted method does not look at, such as misspelt ones."""
    known = known_facts(method)
    odd = [f for f in facts if f not in known]
    if not odd or method.bundle is None:
        return ()
    if not known:
        return (f"{method.name} looks at no facts: {', '.join(odd)} {_was(odd)} not used",)
    return (f"{', '.join(odd)} {_was(odd)} not used: {method.name} learnt from other facts. {nearest(odd[0], known)}",)


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _looked_at(about: Mapping[str, Any], found: Any) -> Iterator[str]:
    yield from (about.get("modalities") or {}).get("facts", {})
    if about.get("site"):
        yield str(about["site"]["fact"])
    for member in getattr(found, "members", ()):
        yield from _looked_at(getattr(member, "about", None) or {}, member)
