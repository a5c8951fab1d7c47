"""The truths of detect and instances: boxes and objects from annotation files, label maps and regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isocenter import io
from isocenter.data import IGNORE, OBJECT, Boxes, Geometry, Image, Instances, Segmentation
from isocenter.errors import InputError, LabelError
from isocenter.io.annotations import Marks, Source, claimed
from isocenter.io.annotations import opened as opened_source
from isocenter.layouts import columns, regions
from isocenter.layouts.ask import Notes
from isocenter.layouts.cases_json import Declared, Truth
from isocenter.layouts.cells import SUFFIXES, canonical, located, number, order
from isocenter.layouts.examining import examine, faulty
from isocenter.layouts.grids import aligned
from isocenter.layouts.table_files import Table as TableFile
from isocenter.layouts.truths import Masks
from isocenter.ops import components
from isocenter.ops.array import Array

TASKS = ("detect", "instances")
# More numbers than this in one label file are objects, whatever their form.
MANY = 254


@dataclass(frozen=True)
class Objects:
    """Reads the boxes or objects of one set.

    Parameters
    ----------
    task
        ``"detect"`` gives `Boxes`, ``"instances"`` gives `Instances`.
    names
        Class names in index order.
    meaning
        Canonical text of a name or number in a file to the class, or to ``"ignore"``; empty: all objects are one class.
    masks
        detect: reads label files as regions, whose connected parts are the objects; None: each number is an object.
    repair
        Whether the set allows labels to be put on their image's grid.
    refuse
        Whether an object without area, or outside its image, refuses its image instead of being left out.
    held
        Files about several images, by path, opened once.
    """

    task: str
    names: tuple[str, ...]
    meaning: Mapping[str, str] = field(default_factory=dict)
    masks: Masks | None = None
    repair: bool = False
    refuse: bool = False
    held: Mapping[str, Source] = field(default_factory=dict)
    suffixes: tuple[str, ...] = (".xml", ".txt", ".json", ".csv", ".tsv", ".geojson", ".zip", ".seg.nrrd", *SUFFIXES)

    def cell(self, base: Path, text: str, image: Image) -> Boxes | Instances:
        """The objects of one image in the file that a cell names."""
        return self.read(located(base, text), image)

    def read(self, path: str, image: Image) -> Boxes | Instances:
        """The objects of one image in a file, or in a folder of masks.

        Raises
        ------
        LabelError
            A class or number outside the declared set; boxes where outlines are needed; a file about another size; with
            `refuse` an object without area or outside the image.
        GeometryError
            A label map on another grid than its image.
        """
        if path in self.held or claimed(path):
            source = self.held.get(path) or opened_source(path)
            said = source.size(image.name)
            if said is not None and len(said) == image.ndim and tuple(said) != image.geometry.shape:
                raise LabelError(
                    "the annotation is about an image of another size", where=path, got=str(said),
                    wanted=f"{image.geometry.shape} as {image.name}",
                    remedy="Bring the image that was annotated, or correct the size in the annotation",
                )
            return self._finding(source.marks(image.name, image.geometry.shape), image.geometry, path)
        if self.masks is not None:
            return parts_of(self.masks.read(path, image))
        found = self._numbered(path, image)
        return found.boxes() if self.task == "detect" else found

    def _finding(self, marks: Marks, geometry: Geometry, where: str) -> Boxes | Instances:
        faults = marks.faults(geometry.shape)
        if faults and self.refuse:
            raise faulty(marks, faults, where)
        kept, labels, names = [], [], self._names_for(marks.names)
        anybody = []
        for i, name in enumerate(marks.names):
            if i in faults:
                continue
            kind = self._class(name, names, where)
            if kind == "ignore":
                anybody.append(i)
            else:
                kept.append(i)
                labels.append(names.index(kind))
        if self.task == "instances":
            return marks.instances(kept, labels, classes=names, geometry=geometry)
        # What shall be ignored is of no class, so nothing of any class is wrong there.
        many = [i for i in anybody for _ in names]
        found = marks.boxes(
            [*kept, *many], [*labels, *(list(range(len(names))) * len(anybody))], classes=names, geometry=geometry
        )
        if not anybody:
            return found
        ignored = np.concatenate([
            np.zeros(len(kept), bool) if found.ignored is None else found.ignored[: len(kept)], np.ones(len(many), bool)
        ])
        return Boxes(found.edges, found.labels, names, geometry, found.scores, ignored)

    def _names_for(self, found: Sequence[str]) -> tuple[str, ...]:
        # A file that names no classes (another program's outlines, say) speaks of the only one, or of objects.
        unnamed = set(found) <= {OBJECT} and OBJECT not in self.names and OBJECT not in self.meaning
        return (OBJECT,) if unnamed and found and len(self.names) != 1 else self.names

    def _class(self, name: str, names: tuple[str, ...], where: str) -> str:
        if not self.meaning or names == (OBJECT,):
            return names[0]
        kind = self.meaning.get(canonical(name))
        if kind is None and name == OBJECT and len(names) == 1:
            return names[0]
        if kind is None:
            raise LabelError(
                "a class outside the declared set", where=where, got=name, wanted=", ".join(self.meaning),
                remedy="Declare it under labels in cases.json (the name 'ignore' leaves it out)",
            )
        return kind

    def _numbered(self, path: str, image: Image) -> Instances:
        """A label map with one number an object; with declared labels a number's name is the object's class."""
        array, grid = io.read_labels(path)
        numbers = aligned(regions.whole(array, path), grid, image.geometry, where=path, allowed=self.repair)
        if numbers.min(initial=0) < 0:
            raise LabelError(
                "numbers below 0 name no object", where=path, got=str(int(numbers.min())),
                wanted="0 for the background, 1 and above for objects", remedy="Correct the file",
            )
        there = np.unique(numbers)
        there = there[there != 0]
        if not any(number(text) is not None for text in self.meaning):
            # Numbers that no name claims: objects of the only class, or of none that is named.
            names = self.names if len(self.names) == 1 else (OBJECT,)
            return Instances.from_label_map(numbers, image.geometry, classes=names)
        kinds = [self.meaning.get(str(int(n))) for n in there]
        if strangers := [int(n) for n, k in zip(there, kinds, strict=True) if k is None]:
            raise LabelError(
                "values outside the declared set", where=path, got=", ".join(map(str, strangers[:8])),
                wanted=", ".join(f"{number} {name}" for number, name in self.meaning.items()),
                remedy="Declare them under labels in cases.json, or leave labels out: then each number is an object",
            )
        left = [n for n, k in zip(there, kinds, strict=True) if k == "ignore"]
        numbers = np.where(np.isin(numbers, left), 0, numbers) if left else numbers
        labels = [self.names.index(k) for k in kinds if k is not None and k != "ignore"]
        return Instances.from_label_map(numbers, image.geometry, classes=self.names, labels=labels)


def parts_of(found: Segmentation) -> Boxes:
    """The boxes of the connected parts of each region, its name their class; ignored parts are of every class."""
    edges: list[Array] = []
    labels: list[int] = []
    ignored: list[bool] = []
    for k in range(1, len(found.names)):
        parts = _tight(found.labels == k)
        edges += parts
        labels += [k - 1] * len(parts)
        ignored += [False] * len(parts)
    for part in _tight(found.labels == IGNORE):
        edges += [part] * len(found.regions)
        labels += range(len(found.regions))
        ignored += [True] * len(found.regions)
    ndim = found.geometry.ndim
    return Boxes(
        np.asarray(edges, np.float64).reshape(-1, 2, ndim), np.asarray(labels, np.int64), found.regions, found.geometry,
        None, np.asarray(ignored) if any(ignored) else None,
    )


def _tight(mask: Array) -> list[Array]:
    from scipy import ndimage

    if not mask.any():
        return []
    boxes = ndimage.find_objects(components.parts(mask)[0])
    return [np.asarray([[s.start - 0.5 for s in b], [s.stop - 0.5 for s in b]]) for b in boxes]


def reader(
    pairs: Sequence[tuple[str, str]], truth: Truth, *, task: str, where: str, notes: Notes, repair: bool = False
) -> Objects:
    """The reader of a set; every annotation file is looked at once, and what cannot be used is told in `notes`.

    Parameters
    ----------
    pairs
        Path of the annotation and of its image, of each case.
    truth
        What is declared; with ``reads="segment"`` label files are regions.
    where
        For messages.

    Raises
    ------
    LabelError, UnreadableError, MissingFileError
        A useless object where the set refuses them; a damaged file; an image that its file does not know.
    """
    written = [(a, i) for a, i in pairs if claimed(a)]
    maps = [a for a, _ in pairs if not claimed(a)]
    sources = _sources(written, notes)
    held = {path: s for path, s in sources.items() if sum(a == path for a, _ in written) > 1} if written else {}
    meaning = _meaning(truth, sources)
    names = tuple(dict.fromkeys(v for v in meaning.values() if v != "ignore"))
    refuse = truth.invalid == "refuse"
    masks = _regions(maps, truth, task, where, notes, repair) if maps and not written else None
    if task == "instances" and maps and not truth.labels and not several(maps):
        notes.warn(
            "one-object", "masks of one number: each image is read as one object", where=where,
            remedy="Number the objects, one number each; ask for detect where their unconnected parts are objects",
        )
    if masks is not None:
        return Objects(task, masks.regions.classes, {}, masks, repair, refuse)
    examine(written, sources, refuse=refuse, notes=notes)
    return Objects(task, names or (OBJECT,), meaning, None, repair, refuse, held)


def _sources(pairs: Iterable[tuple[str, str]], notes: Notes) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path in dict.fromkeys(a for a, _ in pairs):
        try:
            found[path] = opened_source(path)
        except InputError as error:
            notes.refuse(error)
    return found


def _meaning(truth: Truth, sources: Mapping[str, Source]) -> dict[str, str]:
    if truth.labels:
        declared = {canonical(v): name for name, values in truth.labels.items() for v in values}
        return {text: name for text, name in declared.items() if name != "background"}
    listed = [tuple(s.classes) for s in sources.values()]
    # The one order of one file is kept, such as that of COCO's categories.
    one = listed[0] if len(set(listed)) == 1 else sorted({c for classes in listed for c in classes}, key=order)
    return {canonical(c): c for c in one}


def _regions(
    maps: Sequence[str], truth: Truth, task: str, where: str, notes: Notes, repair: bool
) -> Masks | None:
    """How label files become regions whose parts are boxes; None where each number is an object."""
    if task != "detect":
        return None
    if truth.reads == "segment":
        known = regions.Regions.declared(truth.labels, where) if truth.labels else regions.scanned(maps, where, notes)
        return Masks(known, repair)
    if truth.reads == "instances" or truth.labels or several(maps):
        return None
    notes.note(
        "parts-as-objects", "masks of one number: each connected part is an object", where=where,
        remedy="Number the objects, or bring boxes, where they touch",
    )
    return Masks(regions.scanned(maps, where, notes), repair)


def offered(known: tuple[str, ...], table: TableFile, declared: Declared) -> tuple[str, ...]:
    """The tasks for which a table brings a truth, those of objects among them.

    Objects and boxes are offered together. Undeclared label files are looked into, the first that can be read: where
    they number objects, these are offered and regions are not.
    """
    found = list(known)
    if "instances" in found or "detect" in found:
        return (*found, *(["detect"] if "detect" not in found else []))
    taken = {t.column for t in declared.truth.values()}
    column = columns.by_name(table, "instances") if "segment" in found and "segment" not in declared.truth else None
    if column is None or column in taken:
        return known
    if not _numbers_objects(located(table.base, r[column]) for r in table.rows if r[column]):
        return known
    return ("instances", "detect", *(t for t in found if t != "segment"))


def _numbers_objects(paths: Iterable[str]) -> bool:
    """Whether the first label file that can be read numbers objects: three numbers or more, nearly all in one piece."""
    for path in paths:
        try:
            array = io.read_labels(path)[0]
        except InputError:
            continue
        there = np.unique(array)
        there = there[there != 0]
        if not 3 <= len(there) <= MANY or array.ndim == 3:
            return len(there) > MANY
        pieces = sum(components.parts(array == n)[0].max() for n in there)
        return bool(pieces <= 1.1 * len(there))
    return False


def several(paths: Iterable[str]) -> bool:
    """Whether any of these label files holds more than one number beside 0; reads until one does."""
    for path in dict.fromkeys(paths):
        try:
            if len(np.unique(io.read_labels(path)[0])) > 2:
                return True
        except InputError:
            # Told where the file is read for its own sake.
            continue
    return False
