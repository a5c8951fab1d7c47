"""What one row of docs/results.md is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A number that the row must show on `test`.

    Parameters
    ----------
    metric, target
        As in `isocenter.metrics`.
    must, aim
        Smallest value that the row must, and would like to, reach; None: the figure is reported.
    """

    metric: str
    target: str
    must: float | None = None
    aim: float | None = None


@dataclass(frozen=True)
class Candidate:
    """One of several methods of which val names the best.

    Parameters
    ----------
    method, settings
        As of a row.
    joins
        Its members are the candidates before it: an ensemble of what stands already.
    name
        As results call it; default the method's.
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    joins: bool = False
    name: str = ""


@dataclass(frozen=True)
class Row:
    """One training on one set.

    Parameters
    ----------
    name
        Of the file, the results and the bundle.
    data
        Folder below DATA.
    task, method, settings
        What is trained; `settings` as for `--set`.
    minutes
        Time allowed for the training on two cores.
    figures
        What it must show on `test`.
    rivals
        Classical or linear methods; the one that is best on val is named before test is opened.
    given
        Column with findings made by a person, shown beside.
    reader
        Name in `real.sets.READERS` of what reads the folder; "": as any folder is read.
    folds
        Every case answered once, in so many folds by subject, by a method that had not seen its subject; 0: the set's
        own `test`. The first rival stands beside it in every fold.
    inner
        With `folds`: so many folds inside each, over which the method of the fold is named.
    beside
        With `folds`: methods under names of their own, such as one method with other settings, each held against ours.
    candidates
        Trained in turn; the one that is best on val by the first figure's metric is shown, the others' val beside.
    """

    name: str
    data: str
    task: str
    method: str
    minutes: float
    figures: tuple[Figure, ...]
    rivals: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: str = ""
    reader: str = ""
    folds: int = 0
    candidates: tuple[Candidate, ...] = ()
    inner: int = 0
    beside: tuple[Candidate, ...] = ()
