"""Medical Segmentation Decathlon: imagesTr, labelsTr, imagesTs and a dataset.json (arXiv 1902.09063)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from isocenter import io
from isocenter.data import Cases, Image
from isocenter.errors import TableError
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, masks_of
from isocenter.layouts.modality import with_modality
from isocenter.layouts.scanning import dataset_json, relative_id

UNLABELLED = "unlabelled"


def claims(path: Path) -> bool:
    """Whether the folder's dataset.json lists its training pairs."""
    document = dataset_json(path)
    return document is not None and isinstance(document.get("training"), list)


def read(path: Path, ask: Ask) -> Cases:
    """The cases that dataset.json lists; images for testing, which bring no labels, are split ``"unlabelled"``.

    Raises
    ------
    TableError
        A listed file is not there (names it), or the list is malformed.
    LabelError
        Labels that are not numbers.
    """
    folder = path if path.is_dir() else path.parent
    document = dataset_json(path) or {}
    notes = Notes(ask.tolerant)
    channels = tuple(str(v) for _, v in sorted(_mapping(document, "modality", folder).items(), key=_number))
    items = list(_items(folder, document, channels, notes))
    _count(document, items, folder, notes)
    labels = {name: (code,) for code, name in _mapping(document, "labels", folder).items()}
    cases = assembled(
        items, ask, root=folder, tasks=("segment",), notes=notes,
        reader=masks_of({str(n): tuple(map(str, c)) for n, c in labels.items()}, str(folder / "dataset.json")),
    )
    return replace(cases, name=str(document.get("name") or folder.name))


def _mapping(document: Mapping[str, Any], key: str, folder: Path) -> dict[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, dict):
        raise TableError(f"{key!r} is not an object", where=str(folder / "dataset.json"), got=type(value).__name__)
    return value


def _number(pair: tuple[str, Any]) -> tuple[int, str]:
    return (int(pair[0]) if pair[0].isdigit() else 0, pair[0])


def _items(folder: Path, document: Mapping[str, Any], channels: tuple[str, ...], notes: Notes) -> Iterator[Item]:
    where = str(folder / "dataset.json")
    for n, pair in enumerate(document["training"], 1):
        image, label = (pair.get("image"), pair.get("label")) if isinstance(pair, dict) else (pair, None)
        cells = [c for c in (image, label) if isinstance(c, str)]
        if not isinstance(image, str):
            raise TableError(f"entry {n} of 'training' names no image", where=where, got=str(pair))
        missing = [c for c in cells if not (folder / c).is_file()]
        if missing:
            notes.leave_out("a file is not there")
            notes.refuse(TableError(
                f"entry {n} of 'training' names a file that is not there", where=where, got=missing[0],
                remedy="Bring the file, or remove the entry",
            ))
            continue
        yield _item(folder, image, channels, str((folder / label).absolute()) if isinstance(label, str) else "")
    for name in document.get("test") or []:
        name = name.get("image") if isinstance(name, dict) else name
        if isinstance(name, str) and (folder / name).is_file():
            yield _item(folder, name, channels, "", UNLABELLED)


def _item(folder: Path, cell: str, channels: tuple[str, ...], label: str, split: str = "") -> Item:
    path = (folder / cell).absolute()
    return Item(relative_id(folder.absolute(), path), partial(opened, path, channels), str(path), label, split)


def opened(path: Path, channels: tuple[str, ...]) -> Image:
    """A Decathlon image: with several modalities the fourth axis of the file is that of channels."""
    word = " ".join(channels)
    if len(channels) < 2:
        return with_modality(io.read_image(path), word)
    image = io.read_image(path, axes="czyx")
    return with_modality(replace(image, channels=channels) if image.length("c") == len(channels) else image, word)


def _count(document: Mapping[str, Any], items: list[Item], folder: Path, notes: Notes) -> None:
    found = sum(bool(item.label) for item in items)
    said = document.get("numTraining")
    if isinstance(said, int) and said != found:
        what = f"numTraining says {said}, the list holds {found} usable pairs"
        notes.warn("count", what, where=str(folder / "dataset.json"))
