"""What a column or a folder says about one case, read as the finding of the asked task."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from isocenter import io
from isocenter.data import Case, Finding, Image, Probabilities, Segmentation
from isocenter.errors import (
    AmbiguousError,
    LabelError,
    MissingFileError,
    NotFoundError,
    TableError,
    UnreadableError,
    nearest,
)
from isocenter.layouts.cells import SUFFIXES, canonical, located, number, split_array, suffix
from isocenter.layouts.grids import aligned
from isocenter.layouts.regions import Regions


@dataclass(frozen=True)
class Masks:
    """Reads label files as segmentations of one set.

    Parameters
    ----------
    regions
        What their numbers mean.
    repair
        Whether the set allows labels to be put on their image's grid.
    """

    regions: Regions
    repair: bool = False
    suffixes: tuple[str, ...] = SUFFIXES

    def read(self, path: str, image: Image) -> Segmentation:
        """The label file of one image.

        Raises
        ------
        LabelError, GeometryError
            Numbers outside the declared set; another grid than the image's.
        """
        array, geometry = io.read_labels(path)
        labels = aligned(
            self.regions.encoded(array, path), geometry, image.geometry, where=path, allowed=self.repair
        )
        return Segmentation(labels, self.regions.names, image.geometry)

    def cell(self, base: Path, text: str, image: Image) -> Segmentation:
        """The label file that a cell names."""
        return self.read(located(base, text), image)


@dataclass(frozen=True)
class Classes:
    """Reads the names of classes of one set.

    Parameters
    ----------
    names
        In index order.
    meaning
        Canonical text of a cell to the class; text that is none of them is refused.
    positive
        With two classes, the one that a number in [0, 1] is the probability of.
    multilabel
        Several classes may hold at once; they stand in one text with a semicolon between them.
    """

    names: tuple[str, ...]
    meaning: Mapping[str, str]
    positive: str | None = None
    multilabel: bool = False
    suffixes: tuple[str, ...] = (".json", ".txt")

    def of(self, text: str, where: str) -> str:
        """The class that a cell names; LabelError when it is none of the set."""
        found = self.meaning.get(canonical(text))
        if found is None:
            raise LabelError("not a class of this set", where=where, got=text, remedy=nearest(text, self.meaning))
        return found

    def names_in(self, text: str, where: str) -> tuple[str, ...]:
        """The classes that a cell names: one, or with several at once any number of them."""
        parts = [p for p in text.split(";") if p.strip()] if self.multilabel else [text]
        return tuple(self.of(part, where) for part in parts)

    def truth(self, text: str, where: str) -> Probabilities:
        """The certain answer of a cell."""
        return Probabilities.truth(self.names, self.names_in(text, where), multilabel=self.multilabel)

    def cell(self, base: Path, text: str, image: Image) -> Probabilities:
        """What a cell says: a class, or with two classes the probability of the positive one."""
        if self.multilabel:
            return self.truth(text, image.name)
        value = number(text)
        if canonical(text) not in self.meaning and value is not None and self.positive and 0 <= value <= 1:
            return self._weighed({self.positive: value, self._negative: 1 - value}, text)
        if canonical(text) not in self.meaning and value is not None:
            number_of = f", or with two classes the probability of {self.positive}, 0 to 1" if self.positive else ""
            raise LabelError("neither a class nor a probability", where=image.name, got=text,
                             wanted=f"one of {', '.join(self.names)}{number_of}")
        return self.truth(text, image.name)

    def read(self, path: str, image: Image) -> Probabilities:
        """A text file that holds a class, or a JSON file of class to probability."""
        try:
            text = Path(path).read_text(encoding="utf-8-sig").strip()
            values = json.loads(text) if path.endswith(".json") else text
        except (OSError, ValueError) as error:
            raise UnreadableError("not an answer", where=path, got=str(error).split("\n")[0]) from error
        if isinstance(values, dict):
            return self._weighed(values.get("probabilities", values), path)
        return self.cell(Path(path).parent, str(values), image)

    @property
    def _negative(self) -> str:
        return next(n for n in self.names if n != self.positive)

    def _weighed(self, values: Any, where: str) -> Probabilities:
        if not isinstance(values, dict) or set(values) != set(self.names):
            wanted = ", ".join(self.names)
            raise LabelError("not a probability per class", where=where, got=str(values)[:80], wanted=wanted)
        try:
            return Probabilities(self.names, tuple(float(values[n]) for n in self.names), self.multilabel)
        except (TypeError, ValueError) as error:
            raise LabelError("not a probability per class", where=where, got=str(values)[:80]) from error


class Reader(Protocol):
    """What reads the truth of one set: `Masks`, `Classes`, and the readers of other tasks."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of files that it reads."""

    def read(self, path: str, image: Image) -> Finding:
        """The finding in a file about an image."""

    def cell(self, base: Path, text: str, image: Image) -> Finding:
        """The finding that a cell of a table in the folder `base` is or names."""


def given(reader: Reader, case: Case, *, base: Path, cell: Callable[[str], str | None]) -> Callable[[str], Finding]:
    """The loader of findings made elsewhere, for `Case.load_given`.

    Parameters
    ----------
    reader
        Of the set and task.
    case
        Whose lead image the finding is about.
    base
        The folder that cells are relative to.
    cell
        Column to the case's cell; None when there is no such column.
    """

    def load(name: str) -> Finding:
        text = cell(name)
        if text is None and Path(name).is_dir():
            return reader.read(str(beside(Path(name), case, reader.suffixes)), case.image())
        if text is None:
            raise NotFoundError(f"neither a column nor a folder {name!r}", where=case.id)
        if not text:
            raise TableError(f"column {name!r} is empty for this case", where=case.id)
        return reader.cell(base, text, case.image())

    return load


def beside(folder: Path, case: Case, suffixes: tuple[str, ...]) -> Path:
    """The file in a folder that is named after a case: its image's file name or its id, with one of the suffixes.

    Raises
    ------
    MissingFileError, AmbiguousError
        None, or several.
    """
    image = Path(split_array(case.image().name)[0]).name
    stems = dict.fromkeys([image.removesuffix(suffix(image)), case.id, case.id.replace("/", "_")])
    found = [p for stem in stems if stem for s in suffixes if (p := folder / f"{stem}{s}").is_file()]
    if not found:
        raise MissingFileError(
            "no file for this case", where=str(folder), got=case.id, wanted=" or ".join(f"{s}.*" for s in stems)
        )
    if len(set(found)) > 1:
        raise AmbiguousError("several files for one case", where=str(folder), got=", ".join(p.name for p in found))
    return found[0]
