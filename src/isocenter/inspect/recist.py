"""Sums of diameters of target lesions after RECIST 1.1: findings of the sum, never a response.

Source: Eisenhauer et al., New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1),
Eur. J. Cancer 45 (2009) 228, sections 3.1, 4.1 and 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from isocenter.data.findings.followed import Change, Followed, Lesion, Sized, Total

# mm: longest diameter of a lesion, short axis of a node, that can be a target; of thick slices twice their thickness.
LEAST, NODE, THICK = 10.0, 15.0, 5.0
# Targets in all, and in one organ.
MOST, ORGAN = 5, 2
# A node whose short axis is below is no lesion any more.
NORMAL = 10.0
# %, %, mm: thresholds of the sum.
FALL, RISE, AT_LEAST = -30.0, 20.0, 5.0


def summed(found: Followed, *, thickness: float | None = None, organs: bool = True) -> Followed:
    """With target lesions chosen at the baseline and the sum of their diameters at each examination.

    Targets are the lesions with the longest diameters: at most five, of which two an organ; 10 mm and more (15 mm of
    the short axis for nodes; of slices over 5 mm twice their thickness). Where two targets merge, the whole counts
    once; where one splits, its parts add up. What is gone counts 0.

    Parameters
    ----------
    found
        With sizes in mm; where the spacing is unknown it comes back as it is.
    thickness
        mm between slices; None for flat images.
    organs
        Whether classes name organs, so that at most two targets an organ can be had.
    """
    if found.unit == "px":
        return found
    names = _targets(found, max(LEAST, 2 * thickness if thickness and thickness > THICK else 0.0), organs)
    made = replace(found, lesions=tuple(replace(one, target=one.name in names) for one in found.lesions))
    if not names:
        return made
    sums = [_sum(made, k) for k in range(len(found.exams))]
    return replace(made, totals=tuple(_total(made, sums, k) for k in range(len(sums))))


def _targets(found: Followed, least: float, organs: bool) -> set[str]:
    def diameter(lesion: Lesion) -> float:
        own = lesion.diameter(0)
        return 0.0 if own is None or lesion.seen[0] is None else own.value

    chosen: list[Lesion] = []
    for lesion in sorted(found.lesions, key=diameter, reverse=True):
        enough = diameter(lesion) >= (NODE if lesion.node else least)
        crowded = organs and sum(c.kind == lesion.kind for c in chosen) >= ORGAN
        if enough and not crowded and len(chosen) < MOST:
            chosen.append(lesion)
    return {lesion.name for lesion in chosen}


def _sum(found: Followed, exam: int) -> Sized:
    """Of all targets; one that joined another lesion counts as that one, once."""
    by_name = {lesion.name: lesion for lesion in found.lesions}
    owners: dict[str, Lesion] = {}
    for lesion in found.lesions:
        if lesion.target:
            held = _owner(lesion, by_name, exam)
            owners[held.name] = held
    return sum((d for one in owners.values() if (d := one.diameter(exam)) is not None), Sized(0.0))


def _owner(lesion: Lesion, by_name: dict[str, Lesion], exam: int) -> Lesion:
    for _ in by_name:
        at = lesion.seen[exam]
        if at is None or at.state != "joined" or not at.into:
            break
        lesion = by_name[at.into[0]]
    return lesion


def _total(found: Followed, sums: Sequence[Sized], k: int) -> Total:
    if not k:
        return Total(sums[0])
    nadir = min(sums[:k], key=lambda s: s.value)
    baseline, rise = Change.between(sums[0], sums[k]), Change.between(nadir, sums[k])
    crossed, sure = [], []
    if _all_gone(found, k):
        crossed.append("no target lesion is left (nodes below 10 mm)")
    elif baseline is not None and baseline.percent <= FALL:
        crossed.append("the sum is at least 30 % below the baseline")
    grown = sums[k].value - nadir.value
    if rise is not None and rise.percent >= RISE and grown >= AT_LEAST:
        crossed.append("the sum is at least 20 % and 5 mm above the smallest sum before")
    if baseline is not None:
        sure.append(baseline.high <= FALL if baseline.percent <= FALL else baseline.low > FALL)
    if rise is not None:
        past = rise.percent >= RISE and grown >= AT_LEAST
        sure.append(rise.low >= RISE if past else rise.high < RISE or grown < AT_LEAST)
    return Total(sums[k], baseline, nadir, rise, tuple(crossed), all(sure) if sure else None)


def _all_gone(found: Followed, k: int) -> bool:
    by_name = {lesion.name: lesion for lesion in found.lesions}
    held = [_owner(lesion, by_name, k) for lesion in found.lesions if lesion.target]
    left = [(one, d.value) for one in held if (d := one.diameter(k)) is not None]
    return all(value < NORMAL if one.node else value == 0.0 for one, value in left)
