"""What is wrong with the objects that annotation files name: told once, when a set is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from isocenter import io
from isocenter.errors import InputError, LabelError
from isocenter.io.annotations import Marks, Source, claimed
from isocenter.io.annotations.coco import Coco
from isocenter.io.annotations.mask_folder import MaskFolder
from isocenter.io.annotations.table import Table
from isocenter.layouts.ask import Notes

# Useless objects that are named one by one; the rest are counted.
LISTED = 5


def faulty(marks: Marks, faults: Mapping[int, str], where: str) -> LabelError:
    """The refusal of the first useless object of a file."""
    i, what = next(iter(faults.items()))
    return LabelError(
        f"an object {what}", where=where, got=marks.text(i),
        remedy='Correct the file, or leave such objects out: "invalid": "drop" in cases.json',
    )


def examine(
    pairs: Sequence[tuple[str, str]], sources: Mapping[str, Source], *, refuse: bool, notes: Notes
) -> None:
    """Tells of objects that cannot be used, of boxes that are cut, and of annotations and images without the other.

    Parameters
    ----------
    pairs
        Path of the annotation and of its image, of each case.
    sources
        The annotations that could be opened, by path.
    refuse
        Whether a useless object refuses the set, instead of being left out and told.
    notes
        Where it is told; folders of masks are looked through only where these are tolerant.

    Raises
    ------
    LabelError, UnreadableError, MissingFileError
        Where `notes` are not tolerant: a useless object that is refused; a damaged file.
    """
    listed: Counter[str] = Counter()
    about = _about(pairs)
    overlapping: list[str] = []
    _unmatched(about, sources, notes)
    for path, image in pairs:
        # Masks are decoded twice for this, so only where a set is looked at for its own sake.
        if path not in sources or (claimed(path) == "mask_folder" and not notes.tolerant):
            continue
        source = sources[path]
        within = f"{Path(image).name}: " if len(about[path]) > 1 else ""
        file = [f"{f.name}: " for f in source.files] if isinstance(source, MaskFolder) else []
        try:
            shape = source.size(image) or io.read_image(image).geometry.shape
            marks = source.marks(image, shape)
        except InputError as error:
            notes.refuse(error)
            continue
        faults = marks.faults(shape)
        if faults and refuse:
            notes.refuse(faulty(marks, faults, path))
            continue
        for i, what in faults.items():
            said = file[i] + marks.names[i] if file else within + marks.text(i)
            _tell(notes, listed, f"an object {what} was left out", path, said)
        for i in marks.leaving(shape):
            _tell(notes, listed, "an object that leaves the image was cut at its border", path, within + marks.text(i))
        if notes.tolerant and (shared := _shared(marks, faults, shape)):
            overlapping.append(f"{Path(image).name} ({shared} pixels)")
    if overlapping:
        got = f"{_counted(len(overlapping), 'image')}: {_first(overlapping)}"
        notes.note(
            "objects-overlap", "objects that overlap", got=got,
            remedy="Each object keeps its pixels; where a label map is made of them, the first one has the shared ones",
        )
    for what, n in listed.items():
        if n > LISTED:
            notes.warn("object", f"{n - LISTED} more like this: {what}")


def _shared(marks: Marks, faults: Mapping[int, str], shape: Sequence[int]) -> int:
    """Number of pixels in more than one outline; 0 for boxes."""
    if marks.crop is None or len(marks.names) < 2:
        return 0
    count = np.zeros(tuple(shape), np.uint16)
    for i in range(len(marks.names)):
        if i not in faults and not (marks.ignored is not None and marks.ignored[i]):
            try:
                start, mask = marks.crop(i)
            except InputError:
                # Told where the truth of this image is read.
                return 0
            count[tuple(slice(s, s + n) for s, n in zip(start, mask.shape, strict=True))] += mask
    return int(np.count_nonzero(count > 1))


def _about(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, image in pairs:
        found.setdefault(path, []).append(image)
    return found


def _unmatched(about: Mapping[str, Sequence[str]], sources: Mapping[str, Source], notes: Notes) -> None:
    """Tells of annotations without an image, and of images that a table does not name."""
    for path, images in about.items():
        source = sources.get(path)
        if isinstance(source, Coco) and (lost := source.lost()):
            what = f"{_counted(len(lost), 'annotation')} of images that the file does not list, left out"
            remedy = "List the images, or correct image_id"
            notes.warn("annotation-alone", what, where=path, got=_first(lost), remedy=remedy)
        if not isinstance(source, Table):
            continue
        unnamed = [Path(i).name for i in images if not source.knows(i)]
        spare = source.spare(images)
        # Both at once is what a misspelt name looks like; rows about other images alone, what a part of a set does.
        tell = notes.warn if unnamed and spare else notes.note
        if spare:
            tell("rows-spare", f"rows about {_counted(len(spare), 'image')} of no case", where=path, got=_first(spare))
        if unnamed:
            what = f"{_counted(len(unnamed), 'image')} in no row, taken for images without objects"
            tell("images-unnamed", what, where=path, got=_first(unnamed))


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def _tell(notes: Notes, listed: Counter[str], what: str, path: str, text: str) -> None:
    listed[what] += 1
    if listed[what] <= LISTED:
        notes.warn(
            "object", what, where=path, got=text,
            remedy='Correct the file, or refuse such sets: "truth": {TASK: {"invalid": "refuse"}} in cases.json',
        )
