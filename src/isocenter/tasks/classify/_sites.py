"""Features of several sites or devices as if one had measured them: ComBat, learnt from train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from isocenter.data import Case, Cases, NotEvaluated, Probabilities
from isocenter.errors import BundleError, InputError, NotFoundError
from isocenter.ops.array import Array
from isocenter.ops.combat import Combat, combat

if TYPE_CHECKING:
    from isocenter.tasks.classify._table import Table

GAIN, SHIFT = "site/gain", "site/shift"


def harmonised(
    table: Table, sides: tuple[Cases, Cases], fact: str | None
) -> tuple[Table, dict[str, Any], dict[str, Array]]:
    """The table without what sites add and spread; what a bundle says of them; and the lines of `ops.combat`.

    The classes of train are kept apart from the sites; the lines themselves look at no class.

    Parameters
    ----------
    table
        Features of train and val.
    sides
        Train and val.
    fact
        Name of the fact that says where a case is from; None: nothing is done.

    Raises
    ------
    NotFoundError
        A case has no such fact.
    InputError
        A site with fewer than two cases of train, one site only, a site of one class among others, or val has a site
        that train lacks.
    """
    if fact is None:
        return table, {}, {}
    here, there = ([_site(case, fact) for case in side if isinstance(case.truth(), Probabilities)] for side in sides)
    names = tuple(sorted(set(here)))
    unknown = sorted(set(there) - set(names))
    if unknown:
        raise InputError("val has a site that train lacks", where=fact, got=", ".join(unknown),
                         wanted=", ".join(names), remedy="Divide the cases so that each site is in train")
    classes = table.y if table.plan.multilabel else table.y[:, 1:]
    lines = combat(table.x, _indices(here, names), classes)
    made = replace(table, x=lines.applied(table.x, _indices(here, names)),
                   vx=lines.applied(table.vx, _indices(there, names)))
    return made, {"site": {"fact": fact, "names": list(names)}}, {GAIN: lines.gain, SHIFT: lines.shift}


def moved(row: Array, case: Case, about: Mapping[str, Any], arrays: Mapping[str, Array]) -> Array | NotEvaluated:
    """The features (d,) of a case as `harmonised`; as they are where nothing was; NotEvaluated at an unknown site.

    Raises
    ------
    NotFoundError
        The case has no such fact.
    BundleError
        The lines do not fit the features.
    """
    said = about.get("site")
    if said is None:
        return row
    name = _site(case, str(said["fact"]))
    if name not in said["names"]:
        return NotEvaluated(f"nothing is known of how {said['fact']} {name} measures", name, ", ".join(said["names"]))
    shapes = [getattr(arrays.get(part), "shape", None) for part in (GAIN, SHIFT)]
    if shapes != [(len(said["names"]), len(row))] * 2:
        raise BundleError("the lines of the sites do not fit", got=str(shapes), wanted=f"{len(row)} features")
    lines = Combat(arrays[GAIN], arrays[SHIFT])
    return np.asarray(lines.applied(row[None], np.array([said["names"].index(name)]))[0])


def _site(case: Case, fact: str) -> str:
    value = case.facts.get(fact)
    if value is None:
        raise NotFoundError(
            f"the case does not say its {fact}", where=case.id, got=", ".join(case.facts) or "no facts",
            remedy=f"Pass --facts {fact}, or {fact}=VALUE beside the image",
        )  # fmt: skip
    return value if isinstance(value, str) else f"{value:g}"


def _indices(sites: list[str], names: tuple[str, ...]) -> Array:
    return np.array([names.index(name) for name in sites])
