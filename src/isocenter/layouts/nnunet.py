"""nnU-Net raw: imagesTr/CASE_0000.ext per channel, labelsTr/CASE.ext and a dataset.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from isocenter import io
from isocenter.data import Cases, Image
from isocenter.errors import TableError
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled, masks_of
from isocenter.layouts.modality import with_modality
from isocenter.layouts.scanning import dataset_json
from isocenter.layouts.stacking import stacked

PART = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")
UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Described:
    """A checked dataset.json: channel names in order, labels by name, the end of file names, how many cases."""

    channels: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    ending: str
    count: int | None
    listed: Mapping[str, Any]


def claims(path: Path) -> bool:
    """Whether the folder's dataset.json names channels (or modalities) and there are imagesTr."""
    document = dataset_json(path)
    if document is None:
        return False
    folder = path if path.is_dir() else path.parent
    return ("channel_names" in document or "modality" in document) and (
        (folder / "imagesTr").is_dir() or isinstance(document.get("dataset"), dict)
    )


def read(path: Path, ask: Ask) -> Cases:
    """The cases; imagesTs with labelsTs are split ``"test"``, without labels ``"unlabelled"``.

    Raises
    ------
    TableError
        A channel or label of a case is not there (names it), or dataset.json contradicts itself.
    LabelError
        Labels that are not numbers.
    """
    folder = path if path.is_dir() else path.parent
    notes = Notes(ask.tolerant)
    described = _described(folder, dataset_json(path) or {}, notes)
    items = _listed(folder, described, notes) if described.listed else _found(folder, described, notes)
    labelled = sum(1 for item in items if item.label and item.split == "")
    if described.count is not None and described.count != labelled:
        notes.warn(
            "count", f"numTraining says {described.count}, the folder holds {labelled} usable cases",
            where=str(folder / "dataset.json"),
        )
    return assembled(
        items, ask, root=folder, tasks=("segment",), notes=notes,
        reader=masks_of(described.labels, str(folder / "dataset.json")),
    )


def _described(folder: Path, document: Mapping[str, Any], notes: Notes) -> Described:
    where = str(folder / "dataset.json")
    channels = document.get("channel_names") or document.get("modality") or {}
    labels = document.get("labels") or {}
    if not isinstance(channels, dict) or not isinstance(labels, dict):
        raise TableError("channel_names and labels must be objects", where=where)
    ordered = tuple(str(channels[k]) for k in sorted(channels, key=lambda k: (len(str(k)), str(k))))
    count, listed = document.get("numTraining"), document.get("dataset")
    return Described(
        ordered, _labels(labels, where, notes), str(document.get("file_ending") or _ending(folder)),
        count if isinstance(count, int) else None, listed if isinstance(listed, dict) else {},
    )


def _labels(labels: Mapping[str, Any], where: str, notes: Notes) -> dict[str, tuple[str, ...]]:
    # Version 1 wrote number to name.
    if labels and all(str(k).isdigit() and isinstance(v, str) for k, v in labels.items()):
        return {name: (code,) for code, name in labels.items()}
    numbers = {n: tuple(map(str, v)) if isinstance(v, list) else (str(v),) for n, v in labels.items()}
    claimed = [v for values in numbers.values() for v in values]
    if len(claimed) == len(set(claimed)):
        return numbers
    notes.warn(
        "regions-overlap", "regions overlap, a label map holds one name a pixel: each number is a class of its own",
        where=where, got="; ".join(f"{n} = {'+'.join(v)}" for n, v in numbers.items()),
    )
    single = {n: v for n, v in numbers.items() if n in ("background", "ignore")}
    fixed = {v for values in single.values() for v in values}
    return single | {v: (v,) for v in sorted(set(claimed) - fixed, key=int)}


def _ending(folder: Path) -> str:
    first = next((p.name for p in sorted((folder / "imagesTr").glob("[!.]*")) if p.is_file()), "")
    match = re.search(r"_\d{4}(\.[\w.]+)$", first)
    return match[1] if match else ".nii.gz"


def _found(folder: Path, described: Described, notes: Notes) -> list[Item]:
    items = []
    for images, labels, split in (("imagesTr", "labelsTr", ""), ("imagesTs", "labelsTs", "test")):
        for case, parts in sorted(_cases(folder / images, described.ending).items()):
            paths = [parts.get(i) for i in range(max(len(described.channels), 1))]
            label = folder / labels / f"{case}{described.ending}"
            named = str(label.absolute()) if label.is_file() else ""
            lacking = [i for i, p in enumerate(paths) if p is None]
            if lacking or (split == "" and not named):
                wanted = f"{case}_{lacking[0]:04d}{described.ending}" if lacking else label.name
                notes.leave_out("a file is not there")
                notes.refuse(TableError(f"case {case!r} lacks a file", where=str(folder), wanted=wanted))
                continue
            files = tuple(p for p in paths if p is not None)
            items.append(_item(case, files, described, named, split if named else UNLABELLED))
    return items


def _cases(folder: Path, ending: str) -> dict[str, dict[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for path in folder.glob(f"[!.]*{ending}") if folder.is_dir() else ():
        if match := PART.fullmatch(path.name.removesuffix(ending)):
            found.setdefault(match["case"], {})[int(match["channel"])] = path.absolute()
    return found


def _listed(folder: Path, described: Described, notes: Notes) -> list[Item]:
    items = []
    for case, entry in described.listed.items():
        images = entry.get("images") if isinstance(entry, dict) else None
        if not isinstance(images, list) or not all(isinstance(i, str) for i in images):
            raise TableError(f"case {case!r} of 'dataset' names no images", where=str(folder / "dataset.json"))
        label = entry.get("label")
        paths = [(folder / cell).absolute() for cell in [*images, *([label] if isinstance(label, str) else [])]]
        if missing := [p for p in paths if not p.is_file()]:
            notes.leave_out("a file is not there")
            what = f"case {case!r} names a file that is not there"
            notes.refuse(TableError(what, where=str(folder), got=str(missing[0])))
            continue
        items.append(_item(case, paths[: len(images)], described, str(paths[-1]) if isinstance(label, str) else ""))
    return items


def _item(case: str, files: Sequence[Path], described: Described, label: str, split: str = "") -> Item:
    return Item(case, partial(opened, tuple(files), described.channels), str(files[0]), label, split)


def opened(files: Sequence[Path], channels: tuple[str, ...]) -> Image:
    """One image of the channel files of a case; GeometryError when they lie on different grids."""
    images = [io.read_image(path) for path in files]
    word = " ".join(channels)
    if len(images) == 1:
        return with_modality(images[0], word)
    return with_modality(replace(stacked(images, "c"), channels=channels), word)
