"""Pascal VOC: one XML file an image, corners counted from 1, both of them within the box."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.data import Boxes, Instances
from isocenter.errors import ResourceError, UnreadableError
from isocenter.io import limits
from isocenter.io.annotations.marks import Marks, boxed, corners, flat, plane, stacked
from isocenter.ops.array import Array

CORNERS = ("xmin", "ymin", "xmax", "ymax")
# An annotation of one image; a larger file is something else.
LARGEST = 64 << 20


@dataclass(frozen=True, eq=False)
class Voc:
    """An annotation (Everingham et al., The Pascal Visual Object Classes Challenge, 2010): `read` makes it.

    Parameters
    ----------
    found
        Its objects.
    shape
        Height and width as stated, or None.
    """

    found: Marks
    shape: tuple[int, int] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted(set(self.found.names)))

    def size(self, image: str) -> tuple[int, ...] | None:
        """As stated; the image is not asked for its name."""
        return self.shape

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """Its objects; LabelError for a volume."""
        plane(shape, "Pascal VOC")
        return self.found


def claims(path: Path) -> bool:
    """Whether the name is that of an XML file."""
    return path.suffix.lower() == ".xml"


def read(path: str | Path) -> Voc:
    """The objects of a file; ``difficult`` ones are ignored.

    A box whose corners are one pixel, or one line of pixels, is doubted: the standard says that it covers them, yet
    programs write it for a click that drew nothing.

    Raises
    ------
    UnreadableError
        Not XML, with entities of its own, without an ``annotation``, or a corner that is no number.
    ResourceError
        Larger than any annotation.
    """
    root = _parsed(Path(path))
    if root.tag != "annotation":
        raise UnreadableError("not a Pascal VOC annotation", where=str(path), got=f"<{root.tag}>")
    names: list[str] = []
    edges: list[Array] = []
    ignored: list[bool] = []
    doubted: list[bool] = []
    with limits.typed(path, "Pascal VOC"):
        for item in root.iter("object"):
            box = item.find("bndbox")
            name = (item.findtext("name") or "").strip()
            if box is None or not name:
                got = f"object {len(names) + 1}"
                raise UnreadableError("an object without name or bndbox", where=str(path), got=got)
            x0, y0, x1, y1 = (float(box.findtext(c) or "nan") for c in CORNERS)
            names.append(name)
            edges.append(corners((x0 - 1, y0 - 1), (x1, y1)))
            ignored.append((item.findtext("difficult") or "0").strip() == "1")
            doubted.append(x0 == x1 or y0 == y1)
        said = [int(float(root.findtext(f"size/{side}") or 0)) for side in ("height", "width")]
    marks = Marks(tuple(names), stacked(edges, 2), None, None, np.asarray(ignored, bool), np.asarray(doubted, bool))
    return Voc(marks, (said[0], said[1]) if min(said) > 0 else None)


def _parsed(path: Path) -> ElementTree.Element:
    with limits.typed(path, "Pascal VOC"):
        data = path.read_bytes()
        if len(data) > LARGEST:
            raise ResourceError("larger than an annotation can be", where=str(path), got=f"{len(data) >> 20} MB")
        # Entities are the way to make a parser swell or fetch; no annotation has any.
        if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
            raise UnreadableError("XML with entities of its own", where=str(path), wanted="plain elements")
        try:
            return ElementTree.fromstring(data)
        except ElementTree.ParseError as error:
            raise UnreadableError("not XML", where=str(path), got=str(error)) from error


def write(path: Path, value: Boxes | Instances, image: str = "") -> None:
    """Writes boxes as VOC; halves of a pixel stay as fractions, a score becomes ``confidence``.

    Raises
    ------
    OutputError
        A volume.
    """
    height, width = flat(value, "Pascal VOC")
    found = boxed(value)
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = image
    size = ElementTree.SubElement(root, "size")
    for name, number in (("width", width), ("height", height)):
        ElementTree.SubElement(size, name).text = str(number)
    for i, (low, high) in enumerate(found.edges):
        item = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(item, "name").text = found.classes[int(found.labels[i])]
        ignored = found.ignored is not None and bool(found.ignored[i])
        ElementTree.SubElement(item, "difficult").text = str(int(ignored))
        if found.scores is not None:
            ElementTree.SubElement(item, "confidence").text = repr(float(found.scores[i]))
        box = ElementTree.SubElement(item, "bndbox")
        values = (low[1] + 1.5, low[0] + 1.5, high[1] + 0.5, high[0] + 0.5)
        for name, value_ in zip(CORNERS, values, strict=True):
            ElementTree.SubElement(box, name).text = f"{float(value_):.12g}"
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8"))
