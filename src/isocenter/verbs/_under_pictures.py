"""Pictures of what had to change for an answer to change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from isocenter.data import Cases, Entry, Perturbation, Probabilities
from isocenter.errors import IsocenterError
from isocenter.report import Change
from isocenter.verbs._pictures import plane_spacing

# Cases drawn for each method and attack.
DRAWN = 2


def changes_of(found: Mapping[str, Mapping[str, Perturbation]], cases: Cases) -> tuple[Change, ...]:
    """The first changes of each attack that altered an answer.

    Parameters
    ----------
    found
        "METHOD under ATTACK" to findings by case.
    cases
        That were attacked.
    """
    out: list[Change] = []
    entries = {e.id: e for e in cases.entries}
    for name, perturbations in found.items():
        altered = [(entries[i], p) for i, p in perturbations.items() if p.altered and p.values.any() and i in entries]
        out += [c for entry, p in altered[:DRAWN] if (c := _change(entry, p, name)) is not None]
    return tuple(out)


def _change(entry: Entry, found: Perturbation, name: str) -> Change | None:
    try:
        case = entry.open()
        array = case.image().channels_first()
    except IsocenterError:
        # It could be read when it was attacked; a picture less is no reason to lose a report.
        return None
    first, added = np.asarray(array[0], np.float64), found.values[0]
    if first.ndim == 3:
        z = int(np.argmax(np.abs(added).sum((1, 2))))
        first, added = first[z], added[z]
    said = f"{name}: {_words(found)}at most {found.largest:.3g} {found.unit}".rstrip()
    return Change(first, first + added, added, found.span, said, case.id, plane_spacing(case.image()))


def _words(found: Perturbation) -> str:
    if not isinstance(found.before, Probabilities) or not isinstance(found.after, Probabilities):
        return ""
    return f"{' + '.join(found.before.decision)} became {' + '.join(found.after.decision)}; "
