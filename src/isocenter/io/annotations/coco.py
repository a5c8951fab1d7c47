"""COCO: one JSON file for many images: boxes as x, y, width, height, masks as run lengths or polygons."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from isocenter.data import Boxes, Instances
from isocenter.errors import AmbiguousError, LabelError, MissingFileError, UnreadableError
from isocenter.io import limits
from isocenter.io.annotations import polygons, rle
from isocenter.io.annotations.marks import Crop, Marks, boxed, corners, edges_of, flat, plane, stacked
from isocenter.ops.array import Array

# A JSON document takes some ten times its bytes as objects.
SWELLING = 10


@dataclass(frozen=True, eq=False)
class Coco:
    """An opened file (https://cocodataset.org/#format-data): `read` makes it.

    Parameters
    ----------
    path
        For messages.
    names
        Category number to name.
    images
        Every image: its name in the file, its number, and its height and width where stated.
    items
        Image number to its annotations.
    """

    path: str
    names: Mapping[int, str]
    images: Mapping[str, tuple[int, tuple[int, int] | None]]
    items: Mapping[int, Sequence[Mapping[str, Any]]]

    @property
    def classes(self) -> tuple[str, ...]:
        """Categories in the file's order."""
        return tuple(dict.fromkeys(self.names.values()))

    def size(self, image: str) -> tuple[int, ...] | None:
        """Height and width as stated."""
        return self.images[self.known(image)][1]

    def known(self, image: str) -> str:
        """The name that the file has for an image: the one that the path ends in, else the only one of its name.

        Raises
        ------
        MissingFileError, AmbiguousError
            None, or several.
        """
        path = PurePosixPath(Path(image).as_posix())
        tails = [PurePosixPath(*path.parts[i:]).as_posix() for i in range(len(path.parts))]
        for tail in tails:
            if tail in self.images:
                return tail
        alike = [n for n in self.images if PurePosixPath(n).name == path.name]
        alike = alike or [n for n in self.images if PurePosixPath(n).stem == path.stem]
        if len(alike) > 1:
            raise AmbiguousError("several images of one name", where=self.path, got=", ".join(alike[:3]))
        if not alike:
            raise MissingFileError("the file does not know this image", where=self.path, got=path.name)
        return alike[0]

    def lost(self) -> list[str]:
        """Annotations of images that the file does not list, as text."""
        known = {number for number, _ in self.images.values()}
        return [f"id {a.get('id')} of image {n}" for n, items in self.items.items() if n not in known for a in items]

    def marks(self, image: str, shape: tuple[int, ...]) -> Marks:
        """The annotations of an image; crowds are ignored.

        Raises
        ------
        LabelError
            A volume, an annotation of no category, or one with neither box nor mask.
        MissingFileError, AmbiguousError
            The file does not know the image, or several of that name.
        """
        grid, known = plane(shape, "COCO"), self.known(image)
        with limits.typed(self.path, "COCO"):
            items = self.items.get(self.images[known][0], ())
            names = tuple(self._name(item) for item in items)
            edges = [self._edges(item, grid) for item in items]
            scores = [item.get("score") for item in items]
            drawn = any(item.get("segmentation") for item in items)
            scored = None if not items or None in scores else np.asarray(scores, np.float64)
            ignored = np.asarray([bool(item.get("iscrowd") or item.get("ignore")) for item in items], bool)

        def crop(i: int) -> Crop:
            found = self._crop(items[i], grid)
            if found is None:
                raise LabelError("an annotation without a pixel", where=self.path, got=f"id {items[i].get('id')}")
            return found

        return Marks(names, stacked(edges, 2), crop if drawn or not items else None, scored, ignored)

    def _name(self, item: Mapping[str, Any]) -> str:
        kind = item.get("category_id")
        if not isinstance(kind, int) or kind not in self.names:
            known = ", ".join(f"{k} {n}" for k, n in list(self.names.items())[:12])
            raise LabelError(
                "an annotation of no category", where=self.path, wanted=known,
                got=f"category_id {kind} in annotation {item.get('id')}",
                remedy="Add the category to the file, or correct or remove the annotation",
            )
        return self.names[kind]

    def _edges(self, item: Mapping[str, Any], grid: tuple[int, int]) -> Array:
        box = item.get("bbox")
        if isinstance(box, list) and len(box) == 4:
            x, y, width, height = (float(v) for v in box)
            return corners((x, y), (x + width, y + height))
        if (found := self._crop(item, grid)) is None:
            return np.zeros((2, 2))
        return edges_of(found)

    def _crop(self, item: Mapping[str, Any], grid: tuple[int, int]) -> Crop | None:
        said = item.get("segmentation")
        if not said:
            raise LabelError("an annotation without a mask", where=self.path, got=f"id {item.get('id')}")
        with limits.typed(self.path, "COCO"):
            if isinstance(said, list):
                return _union([polygons.filled([np.asarray(p, np.float64).reshape(-1, 2)], grid) for p in said])
            return rle.crop_of(said, grid)


def _union(crops: Sequence[Crop | None]) -> Crop | None:
    """One object of several parts: COCO's polygons of one annotation add up."""
    there = [c for c in crops if c is not None]
    if len(there) < 2:
        return there[0] if there else None
    low = np.min([s for s, _ in there], axis=0)
    out = np.zeros(np.max([s + m.shape for s, m in there], axis=0) - low, bool)
    for start, mask in there:
        at = start - low
        out[at[0] : at[0] + mask.shape[0], at[1] : at[1] + mask.shape[1]] |= mask
    return low, out


def claims(path: Path) -> bool:
    """Whether the name is that of a JSON file."""
    return path.suffix.lower() == ".json"


def read(path: str | Path) -> Coco:
    """The images, annotations and categories of a file.

    Raises
    ------
    UnreadableError
        Not JSON, or without the three lists.
    """
    with limits.typed(path, "COCO"):
        limits.fits(path, Path(path).stat().st_size * SWELLING)
        try:
            said = json.loads(Path(path).read_bytes())
        except (ValueError, RecursionError) as error:
            raise UnreadableError("not JSON", where=str(path), got=str(error).split("\n")[0]) from error
        if not isinstance(said, dict) or not all(isinstance(said.get(k), list) for k in ("images", "categories")):
            got = ", ".join(said)[:80] if isinstance(said, dict) else type(said).__name__
            raise UnreadableError("not COCO", where=str(path), got=got, wanted="images, annotations, categories")
        items: dict[int, list[Mapping[str, Any]]] = {}
        for item in said.get("annotations") or []:
            items.setdefault(item["image_id"], []).append(item)
        images = {str(i["file_name"]): (i["id"], _size(i)) for i in said["images"]}
        return Coco(str(path), {c["id"]: str(c["name"]) for c in said["categories"]}, images, items)


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    height, width = image.get("height"), image.get("width")
    return (int(height), int(width)) if height and width else None


def document(found: Sequence[tuple[str, Boxes | Instances]]) -> dict[str, Any]:
    """The COCO document of several images: (file name, finding) of each; categories are numbered from 1.

    Raises
    ------
    OutputError
        A volume.
    """
    classes = list(dict.fromkeys(c for _, value in found for c in value.classes))
    images: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for number, (name, value) in enumerate(found, start=1):
        height, width = flat(value, "COCO")
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        boxes = boxed(value)
        for i, (low, high) in enumerate(boxes.edges):
            x, y, w, h = low[1] + 0.5, low[0] + 0.5, high[1] - low[1], high[0] - low[0]
            ignored = boxes.ignored is not None and bool(boxes.ignored[i])
            item: dict[str, Any] = {
                "id": len(items) + 1, "image_id": number,
                "category_id": classes.index(boxes.classes[int(boxes.labels[i])]) + 1,
                "bbox": [float(v) for v in (x, y, w, h)], "area": float(w * h), "iscrowd": int(ignored),
            }
            if isinstance(value, Instances):
                mask = value.masks[i]
                runs = rle.encode((value.starts[i], mask), (height, width))
                item |= {"segmentation": {"size": [height, width], "counts": rle.packed(runs)}, "area": int(mask.sum())}
            if value.scores is not None:
                item["score"] = float(value.scores[i])
            items.append(item)
    categories = [{"id": i + 1, "name": c} for i, c in enumerate(classes)]
    return {"images": images, "annotations": items, "categories": categories}


def write(path: Path, value: Boxes | Instances, image: str = "") -> None:
    """Writes one image's boxes or objects as COCO, masks as packed run lengths; raises as `document`."""
    text = json.dumps(document([(image or path.stem, value)]), ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
