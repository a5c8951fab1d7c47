"""The series in a folder, and which of them is meant."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from isocenter.data import Problem
from isocenter.errors import AmbiguousError, IsocenterError, MissingFileError, NotFoundError, UnreadableError
from isocenter.io import limits
from isocenter.io.dicom import build, elements, header, tags
from isocenter.io.dicom.elements import Elements
from isocenter.io.dicom.facts import Header

HEAD = 132
# A folder of more files than this is an archive, not an examination.
MOST = 200_000
# Series named in a message.
MENTIONED = 6


@dataclass(frozen=True)
class Series:
    """One series of a folder.

    Parameters
    ----------
    number
        In this listing, from 1.
    key
        Eight letters of a hash of its UID: names it where the UID must not be shown.
    uid
        The series instance UID, for work at home.
    description, modality
        As stated by the scanner.
    axes, shape, spacing
        Of the image that it gives; empty and None where it gives none.
    slices
        Number of files.
    files
        Their paths, in file order.
    problems
        Why it gives no image, or what is worth knowing.
    recommended
        Whether it is the one to take when nobody says.
    reason
        Why, or why not.
    """

    number: int
    key: str
    uid: str
    description: str
    modality: str
    axes: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    slices: int
    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    recommended: bool = False
    reason: str = ""

    def line(self) -> str:
        """As one line of a listing."""
        size = " x ".join(str(s) for s in self.shape) or "no image"
        mm = "" if self.spacing is None else ", " + " x ".join(f"{s:.3g}" for s in self.spacing) + " mm"
        name, files = self.description or "no description", "1 file" if self.slices == 1 else f"{self.slices} files"
        return f"{self.number}: {name} [{self.key}] {self.modality} {size}{mm}, {files}; {self.reason}"

    @property
    def fails(self) -> bool:
        """Whether a problem keeps it from being an image."""
        return any(p.severity == "error" for p in self.problems)


@dataclass(frozen=True)
class Folder:
    """What the files below a folder are.

    Parameters
    ----------
    where
        The folder.
    groups
        Headers by series, each in file order.
    others
        Notes on DICOM files that are no images.
    damaged
        (UID of the series or "", problem) of files that could not be read.
    """

    where: str
    groups: tuple[tuple[Header, ...], ...]
    others: tuple[Problem, ...] = ()
    damaged: tuple[tuple[str, Problem], ...] = ()

    def listed(self) -> tuple[Series, ...]:
        """One `Series` a group, with the recommendation."""
        found = [_described(self, i + 1, g) for i, g in enumerate(self.groups)]
        fit = self._fit(found)
        order = sorted(fit, key=_size)
        best = order[-1] if order and (len(order) == 1 or _size(order[-2]) < _size(order[-1])) else None
        return tuple(replace(s, recommended=s is best, reason=_reason(s, best, fit, self.groups)) for s in found)

    def _fit(self, found: Sequence[Series]) -> list[Series]:
        """The series that may be meant: without errors; pictures beside an acquisition only where there is no other."""
        sound = [s for s in found if not s.fails]
        return [s for s in sound if not _aside(self.groups[s.number - 1])] or sound

    def chosen(self, wanted: str | int | None) -> tuple[Header, ...]:
        """The series that is meant.

        Parameters
        ----------
        wanted
            Number in the listing, description (or a part of one alone), UID or key; ``"all"``: slices of one volume
            that bear different UIDs; None: the only one there can be.

        Raises
        ------
        AmbiguousError
            Several fit; lists them with reasons.
        NotFoundError
            None is named so.
        """
        if wanted == "all" or (wanted is None and len(self.groups) == 1):
            return tuple(h for group in self.groups for h in group)
        series = self.listed()
        fit = self._fit(series) if wanted is None else _matching(series, str(wanted))
        if len(fit) == 1:
            return self.groups[fit[0].number - 1]
        said = " | ".join(s.line() for s in series[:MENTIONED])
        said += f" | and {len(series) - MENTIONED} more" if len(series) > MENTIONED else ""
        if wanted is not None:
            what = f"several series named {wanted!r}" if fit else f"no series named {wanted!r}"
            raise (AmbiguousError if fit else NotFoundError)(what, where=self.where, got=said, remedy="Pass its number")
        best = next((f"series={s.number} or another of the numbers" for s in series if s.recommended), "series=NUMBER")
        raise AmbiguousError(
            f"{len(series)} series in one folder", where=self.where, got=said,
            remedy=f"Pass {best}, or series='all' where they are slices of one volume",
        )

    def whole(self, group: Sequence[Header]) -> None:
        """Refuses a series of which a file could not be read: UnreadableError names it."""
        for problem in self.missing(group):
            raise UnreadableError(
                problem.what, where=problem.where, got=problem.got, wanted=problem.wanted,
                remedy="Fetch the file again, or move it away if it does not belong to the series",
            )

    def missing(self, group: Sequence[Header]) -> list[Problem]:
        """Problems of unreadable files that belong, or may belong, to a series."""
        known = {"", *(h.series for h in group)}
        return [problem for uid, problem in self.damaged if uid in known]


def scanned(folder: Path) -> Folder:
    """The DICOM files below a folder, in the order of their names.

    Raises
    ------
    MissingFileError
        The folder is empty.
    UnreadableError
        It holds no DICOM image, or more than 200,000 files.
    """
    from isocenter.io.dicom import claims

    groups: dict[str, list[Header]] = {}
    others: list[Problem] = []
    damaged: list[tuple[str, Problem]] = []
    # Text sorts much faster than paths do.
    names = [f"{base}{os.sep}{n}" for base, _, found in os.walk(folder) for n in found if not n.startswith(".")]
    paths = [Path(name) for name in sorted(names)]
    if not paths:
        raise MissingFileError("the folder is empty", where=str(folder))
    if len(paths) > MOST:
        raise UnreadableError(f"more than {MOST} files", where=str(folder), remedy="Name one examination's folder")
    for path in paths:
        if not path.is_file():
            continue
        with limits.typed(path, "DICOM"), path.open("rb") as file:
            if not claims(path, file.read(HEAD + 8)):
                continue
        found: Elements | None = None
        try:
            with limits.typed(path, "DICOM"):
                found = elements.read(path)
                refusal = header.other(path, found)
                if refusal is not None:
                    others.append(Problem("no-image", "note", refusal.what, str(path), refusal.got))
                    continue
                one = header.described(path, found)
                groups.setdefault(one.series, []).append(one)
        except IsocenterError as error:
            damaged.append((found.text(tags.SERIES) if found else "", Problem.of(error, str(path))))
    if not groups:
        first = next((p for _, p in damaged), None) or next(iter(others), None)
        got = first.line() if first else f"{len(paths)} files of other kinds"
        raise UnreadableError("holds no DICOM image", where=str(folder), got=got)
    return Folder(str(folder), tuple(map(tuple, groups.values())), tuple(others), tuple(damaged))


def find_series(folder: str | Path) -> tuple[Series, ...]:
    """The series below a folder, each with what it gives, what is wrong with it, and which one is recommended.

    Raises
    ------
    MissingFileError, UnreadableError
        As `scanned`.
    """
    return scanned(limits.present(Path(folder))).listed()


def _size(s: Series) -> tuple[bool, int, tuple[int, ...]]:
    """What makes a series the larger one: a volume before a picture, then its slices, then its pixels."""
    return len(s.shape) > 2, s.slices, s.shape


def _reason(s: Series, best: Series | None, fit: Sequence[Series], groups: Sequence[Sequence[Header]]) -> str:
    if s.fails:
        return next(p.what for p in s.problems if p.severity == "error")
    if s is best:
        return "the only image" if len(fit) == 1 else f"recommended: the most slices of {len(fit)} images"
    return _aside(groups[s.number - 1]) or "another image"


def _described(folder: Folder, number: int, group: Sequence[Header]) -> Series:
    first, problems = group[0], folder.missing(group)
    places = {str(Path(h.path).parent) for h in group}
    where = places.pop() if len(places) == 1 else folder.where
    try:
        image = build.image(where, group, note=problems.append)
    except IsocenterError as error:
        problems.append(Problem.of(error, where))
        image = None
    return Series(
        number, hashlib.sha256(first.series.encode()).hexdigest()[:8], first.series, first.description, first.modality,
        image.axes if image else "", image.shape if image else (), image.geometry.spacing if image else None,
        len(group), tuple(h.path for h in group), tuple(problems),
    )


def _aside(group: Sequence[Header]) -> str:
    """Why a series is not what a person means by the examination, or ""."""
    kind = {part.upper() for h in group for part in h.image_type}
    if kind & {"LOCALIZER", "SCOUT"}:
        return "a localizer"
    if "SECONDARY" in kind and "DERIVED" in kind:
        return "a derived picture, not an acquisition"
    return ""


def _matching(series: Sequence[Series], wanted: str) -> list[Series]:
    """The series of that number, UID, key or description; else those whose description holds the text."""
    for exact in (
        lambda s: str(s.number) == wanted, lambda s: wanted in (s.uid, s.key),
        lambda s: s.description.casefold() == wanted.casefold(),
        lambda s: wanted.casefold() in s.description.casefold(),
    ):
        match = [s for s in series if exact(s)]
        if match:
            return match
    return []
