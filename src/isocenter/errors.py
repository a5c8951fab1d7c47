"""Every error that isocenter raises, on one screen.

IsocenterError               base: one line that says what is wrong, what we got, what was needed, what to do
|- UsageError                the command line or a call is malformed (exit code 2)
|- RecipeError               an unknown field or a value out of range in a recipe, plan or setting
|- NotFoundError             no task, method, role, bundle or column of that name (names the nearest)
|- InputError                something that we were given cannot be used
|  |- MissingFileError       a path names nothing
|  |- UnreadableError        a file is broken, cut short or of a kind that nobody here reads
|  |- GeometryError          positions in space are missing, contradictory or impossible
|  |- LabelError             labels outside the declared set, of the wrong kind, or unknown to train
|  |- TableError             a table or cases.json is contradictory, or names what is not there
|  |- AmbiguousError         two readings are possible and nobody said which
|  `- LeakageError           one group, or identical pixels, on two sides of a split
|- BundleError               a bundle is damaged, too new, or answers other than at its export
|- ResourceError             memory, disk or time do not suffice; nothing was left half written
|- OutputError               a result cannot be written where it was asked for
`- MissingExtraError         an optional part is not installed (gives the install line)

A misuse is an error. An expected failure on one case is a value: `isocenter.data.NotEvaluated`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Names that a message lists beside the nearest one.
LISTED = 24


class IsocenterError(Exception):
    """Base of all our errors.

    Parameters
    ----------
    what
        What is wrong, as a sentence without its full stop.
    where
        The file, row, field or case that it is about.
    got, wanted
        What was found, and what was needed.
    remedy
        What the person can do.
    """

    code = "error"
    exit_code = 1

    def __init__(self, what: str, *, where: str = "", got: str = "", wanted: str = "", remedy: str = "") -> None:
        self.what, self.where, self.got, self.wanted, self.remedy = what, where, got, wanted, remedy
        super().__init__(self.line())

    def line(self) -> str:
        """The whole error as one line."""
        facts = [f"got {self.got}" if self.got else "", f"needed {self.wanted}" if self.wanted else ""]
        middle = ", ".join(f for f in facts if f)
        line = (f"{self.where}: " if self.where else "") + self.what + (f": {middle}" if middle else "")
        line = line.rstrip(".") + "." + (f" {self.remedy.rstrip('.')}." if self.remedy else "")
        return " ".join(line.split())


class UsageError(IsocenterError):
    """A command or call is malformed."""

    code = "usage"
    exit_code = 2


class RecipeError(IsocenterError):
    """A recipe holds an unknown field or an impossible value."""

    code = "recipe"


class NotFoundError(IsocenterError):
    """Nothing of that name exists."""

    code = "not-found"


class InputError(IsocenterError):
    """Something that we were given cannot be used."""

    code = "input"


class MissingFileError(InputError):
    """A path names nothing."""

    code = "missing-file"


class UnreadableError(InputError):
    """A file is broken, cut short, or of an unknown kind."""

    code = "unreadable"


class GeometryError(InputError):
    """Positions in space are missing, contradictory or impossible."""

    code = "geometry"


class LabelError(InputError):
    """Labels are outside the declared set, of the wrong kind, or unknown to train."""

    code = "label"


class TableError(InputError):
    """A table or cases.json is contradictory or names what is not there."""

    code = "table"


class AmbiguousError(InputError):
    """Two readings are possible and nobody said which."""

    code = "ambiguous"


class LeakageError(InputError):
    """One group, or identical pixels, stand on two sides of a split."""

    code = "leakage"


class BundleError(IsocenterError):
    """A bundle is damaged, too new, or does not answer as it did at its export."""

    code = "bundle"


class ResourceError(IsocenterError):
    """Memory, disk or time do not suffice."""

    code = "resource"


class OutputError(IsocenterError):
    """A result cannot be written where it was asked for."""

    code = "output"


class MissingExtraError(IsocenterError):
    """An optional part is not installed.

    Parameters
    ----------
    feature
        What was asked for, in the user's words.
    extra
        The extra of the package that brings it.
    """

    code = "missing-extra"

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs a part that is not installed", remedy=f"Run: pip install 'isocenter[{extra}]'"
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known name and, where they fit a line or nothing is near, the others.

    >>> nearest("histgram", ["histogram", "unet"])
    'Did you mean histogram? Known: histogram, unet'
    >>> nearest("x", []), nearest("n7", [f"n{i}" for i in range(99)])
    ('There is none', 'Did you mean n7? There are 98 others')
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not names:
        return "There is none"
    if close and len(names) > LISTED:
        return f"Did you mean {close[0]}? There are {len(names) - 1} others"
    return (f"Did you mean {close[0]}? " if close else "") + "Known: " + ", ".join(names)
