"""Cases as worse scans would have shown them."""

from __future__ import annotations

from isocenter.data import Case
from isocenter.data.repainted import repainted
from isocenter.errors import UsageError, nearest
from isocenter.ops.corruptions import CORRUPTIONS, SEVERITIES, corrupted, usual
from isocenter.ops.span import span


def worsened(case: Case, name: str, severity: int, *, seed: int = 0) -> Case:
    """The case with its leading image corrupted, in its stored type; raises as `ops.corruptions.corrupted`."""
    image = case.image()
    array = image.channels_first()
    return repainted(case, corrupted(array, name, severity, span=span(array, image.dtype), seed=seed))


def settled(names: tuple[str, ...], severities: tuple[int, ...], *, modality: str | None) -> tuple[tuple[str, ...],
                                                                                                 tuple[int, ...]]:
    """Names and severities as they will be used: sorted, ``"usual"`` spelt out, all five where none is asked for.

    Raises
    ------
    UsageError
        An unknown corruption (names the nearest) or severity.
    """
    names = usual(modality) if names == ("usual",) else names
    for name in names:
        if name not in CORRUPTIONS:
            raise UsageError(f"no corruption {name!r}", remedy=nearest(name, CORRUPTIONS))
    if any(s not in SEVERITIES for s in severities):
        raise UsageError("no such severity", got=", ".join(map(str, severities)), wanted="1 to 5")
    return names, tuple(sorted(severities)) or SEVERITIES
