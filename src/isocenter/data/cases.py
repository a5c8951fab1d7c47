"""An ordered manifest of cases: what is known before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from isocenter.data.case import Case
from isocenter.data.image import EMPTY
from isocenter.data.problem import Problem
from isocenter.errors import InputError, NotFoundError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Entry:
    """One line of the manifest; `open` reads headers, and pixels only later.

    Parameters
    ----------
    id, subject, group, split, notes
        As in `Case`.
    open
        Builds the case.
    files
        Role to path (absolute), truth under ``"truth"``; for messages, look and duplicates.
    labels
        Class names of a classification truth, known without opening; empty otherwise.
    rows
        The rows of the table that it came from, by column, as text; empty without a table.
    unlabelled
        There is no truth of the asked task; only learning from images alone takes such a case.
    """

    id: str
    open: Callable[[], Case] = field(repr=False)
    subject: str = ""
    group: str = ""
    split: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    labels: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    rows: tuple[Mapping[str, str], ...] = ()
    unlabelled: bool = False


def _counted(splits: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name or 'without a split'}" for name, n in splits.items())


@dataclass(frozen=True)
class Cases:
    """An ordered manifest.

    Parameters
    ----------
    entries
        The lines, in the table's order.
    name
        Of the data set, for headings.
    task
        Whose truth is bound, such as ``"segment"``; "" when none is.
    classes
        segment: region names without background and ignore, in index order (index 1 upwards).
        classify: class names, in index order. regress: the name of the number.
    codes
        segment: region name to the number that the files use (for writing back), background and ignore included.
    positive
        The class that one-sided metrics lead with; None when nobody said and it does not follow from the names.
    multilabel
        classify: several classes may hold at once.
    problems
        What reading found.
    allow
        ``{"leakage": reason}`` as declared by the set; printed in every table.
    unused
        Reason to number of rows left out of this task.
    tasks
        Tasks for which the data bring a truth.
    layout
        Name of the convention that it was read by, such as ``"table"``; "" for arrays.
    table
        Path of the table that it came from, or "".
    declared
        The cases.json as read, or empty; for writing another table of the same set.
    left
        The rows of the table that were left out of this task, by column, as text.
    """

    entries: tuple[Entry, ...]
    name: str = "data"
    task: str = ""
    classes: tuple[str, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    positive: str | None = None
    multilabel: bool = False
    problems: tuple[Problem, ...] = ()
    allow: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    unused: Mapping[str, int] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    layout: str = ""
    table: str = ""
    declared: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    left: tuple[Mapping[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Case:
        return self.entries[index].open()

    def __iter__(self) -> Iterator[Case]:
        return (entry.open() for entry in self.entries)

    @property
    def splits(self) -> dict[str, int]:
        """Number of cases per value of split, in order of appearance ("" where none is set)."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.split] = counts.get(entry.split, 0) + 1
        return counts

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of every entry; a case of unknown subject is its own group."""
        return tuple(e.group or e.subject or f"\0{e.id}" for e in self.entries)

    @property
    def n_subjects(self) -> int:
        """Number of distinct groups."""
        return len(set(self.groups))

    @property
    def subjects_known(self) -> bool:
        """Whether every entry names its subject or group."""
        return all(e.subject or e.group for e in self.entries)

    def split(self, name: str) -> Cases:
        """The cases of one split; NotFoundError when there is none, never another one instead."""
        chosen = tuple(e for e in self.entries if e.split == name)
        if not chosen:
            raise NotFoundError(
                f"the data have no split {name!r}",
                where=self.name,
                got=_counted(self.splits),
                remedy="See: isocenter split",
            )
        return replace(self, entries=chosen)

    def subset(self, indices: Sequence[int]) -> Cases:
        """The cases at these positions, in this order."""
        return replace(self, entries=tuple(self.entries[i] for i in indices))

    @property
    def labelled(self) -> Cases:
        """The cases that have a truth of the asked task."""
        return replace(self, entries=tuple(e for e in self.entries if not e.unlabelled))

    def without_truth(self, indices: Sequence[int]) -> Cases:
        """The same cases, of which those at these positions have lost their truth: for learning from few labels."""

        def blind(entry: Entry) -> Entry:
            files = {role: path for role, path in entry.files.items() if role != "truth"}
            opened = lambda: replace(entry.open(), load_truth=None)  # noqa: E731
            return replace(entry, open=opened, files=files, labels=(), unlabelled=True)

        lost = set(indices)
        return replace(self, entries=tuple(blind(e) if i in lost else e for i, e in enumerate(self.entries)))

    def with_splits(self, splits: Sequence[str]) -> Cases:
        """The same cases with other splits."""

        def reopened(entry: Entry, split: str) -> Entry:
            return replace(entry, split=split, open=lambda: replace(entry.open(), split=split))

        return replace(self, entries=tuple(map(reopened, self.entries, splits)))

    def cut(self, unit: str) -> Cases:
        """Smaller units, opened lazily and kept in their group.

        Parameters
        ----------
        unit
            ``"slice"`` (along z) or ``"frame"`` (along t).
        """
        from isocenter.data.cut import pieces

        return replace(self, entries=tuple(p for e in self.entries for p in pieces(e, unit)))

    @classmethod
    def from_arrays(
        cls,
        x: Any,
        y: Any = None,
        *,
        task: str = "classify",
        spacing: tuple[float, ...] | None = None,
        subjects: Sequence[str] | None = None,
        splits: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
    ) -> Cases:
        """Cases from arrays in memory.

        Parameters
        ----------
        x
            (n, ...) array, or sequence of arrays or of `Image`s (which know their axes), one per case.
        y
            classify: n labels, or (n, classes) zeros and ones for several labels at once.
            regress: n finite numbers; `classes` may name what they measure.
            segment: n label maps on the grids of `x`, 0 background.
            detect: n `Boxes`, or n arrays: edges (k, 2, axes) as in `Boxes`, or corners (k, 4) as xmin, ymin, xmax,
            ymax ((k, 6) with z last in each half) from the image's corner on, so that pixel i reaches from i to i + 1.
            instances: n `Instances`, or n label maps, one number an object.
            Of both, (array, labels) where objects have classes: labels (k,) are indices into `classes`, in the order of
            the boxes, or by rising number. An empty array is an image without objects.
        spacing
            mm per spatial axis in array order, the same for all arrays; None when unknown.
        subjects, splits, classes
            Who, which split, and the class names in index order.

        Raises
        ------
        InputError
            Lengths differ.
        """
        from isocenter.data.arrays import entries_of

        n = len(x)
        for what, values in (("y", y), ("subjects", subjects), ("splits", splits)):
            if values is not None and len(values) != n:
                raise InputError(f"x and {what} differ in length", got=str(len(values)), wanted=str(n))
        entries, names, codes, positive, multi = entries_of(
            x, y, task=task, spacing=spacing, subjects=subjects, splits=splits, classes=classes
        )
        return cls(
            entries,
            "arrays",
            task if y is not None else "",
            names,
            codes,
            positive,
            multi,
            tasks=(task,) if y is not None else (),
        )
