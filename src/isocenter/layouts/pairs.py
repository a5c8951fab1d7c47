"""The truth of register: a transform file, landmarks in both images, or regions in both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from isocenter import io
from isocenter.data import Correspondence, Image, Segmentation, Transform
from isocenter.errors import NotFoundError, TableError, nearest
from isocenter.io.landmarks import joined, read_landmarks
from isocenter.io.transforms import SUFFIXES, read_transform
from isocenter.layouts.ask import Notes
from isocenter.layouts.cells import located
from isocenter.layouts.grids import aligned
from isocenter.layouts.regions import Regions, scanned

FIXED, MOVING = "fixed", "moving"
TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class Pairs:
    """Reads what is known to be the same in the two images of each case.

    Parameters
    ----------
    sibling
        Column of the moving image's side; "" where the truth is a transform file.
    regions
        What the numbers of masks mean; None where the truth is no mask.
    images
        Of one case, by role: set by `of`.
    other
        The case's cell in `sibling`.
    """

    sibling: str = ""
    regions: Regions | None = None
    images: Mapping[str, Image] = field(default_factory=dict)
    other: str = ""
    suffixes: tuple[str, ...] = SUFFIXES

    def of(self, images: Mapping[str, Image], other: str) -> Pairs:
        """The reader of one case."""
        return Pairs(self.sibling, self.regions, images, other)

    def read(self, path: str, image: Image) -> Transform:
        """A transform file between the case's two images."""
        return read_transform(path, self._image(FIXED).geometry, self._image(MOVING).geometry)

    def cell(self, base: Path, text: str, image: Image) -> Transform | Correspondence:
        """What a cell of the fixed image's side names, with the moving image's.

        Raises
        ------
        TableError
            The moving side is empty.
        NotFoundError
            The case lacks an image.
        """
        fixed, moving = (self._image(role) for role in (FIXED, MOVING))
        first = located(base, text)
        if not self.sibling:
            return self.read(first, image)
        if not self.other:
            raise TableError(f"column {self.sibling!r} is empty for this case", where=fixed.name)
        second = located(base, self.other)
        if self.regions is None:
            points = joined(read_landmarks(first, fixed.geometry), read_landmarks(second, moving.geometry), first)
            return Correspondence(fixed.geometry, moving.geometry, points)
        both = self._mask(first, fixed), self._mask(second, moving)
        return Correspondence(fixed.geometry, moving.geometry, regions=both)

    def _mask(self, path: str, image: Image) -> Segmentation:
        assert self.regions is not None
        array, geometry = io.read_labels(path)
        labels = aligned(self.regions.encoded(array, path), geometry, image.geometry, where=path)
        return Segmentation(labels, self.regions.names, image.geometry)

    def _image(self, role: str) -> Image:
        if role not in self.images:
            raise NotFoundError(f"the case has no image {role!r}", remedy=nearest(role, self.images))
        return self.images[role]


def reader(
    column: str, columns: Iterable[str], sides: Sequence[tuple[str, ...]], declared: Mapping[str, Sequence[str]], *,
    where: str, notes: Notes,
) -> Pairs:
    """The reader of a set.

    Parameters
    ----------
    column
        Of the truth: of a transform file, or of the fixed image's landmarks or mask.
    columns
        Of the table: the moving side's is named as `column` is, with "moving" for "fixed".
    sides
        Located files of all cases, (fixed, moving), to learn what masks hold.
    declared
        Region name to numbers; empty: read off the masks.

    Raises
    ------
    TableError
        The moving side's column is not there.
    """
    if FIXED not in column:
        return Pairs()
    sibling = column.replace(FIXED, MOVING)
    if sibling not in list(columns):
        raise TableError(f"no column {sibling!r} beside {column!r}", where=where, got=", ".join(columns))
    if all(Path(side[0]).suffix.lower() in TABLES for side in sides):
        return Pairs(sibling)
    if declared:
        return Pairs(sibling, Regions.declared(declared, where))
    return Pairs(sibling, scanned((path for pair in sides for path in pair if path), where, notes))
