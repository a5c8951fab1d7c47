"""A corrected answer comes back: checked, kept as a new version with author and date, and ready to be learnt from."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.data import Array
from isocenter.errors import GeometryError, LabelError, NotFoundError, OutputError, UsageError, nearest
from isocenter.files import sha256, write_bytes, write_text
from isocenter.io import read_labels
from isocenter.verbs._csv import write_rows
from isocenter.verbs._ledger import NAME, Ledger
from isocenter.verbs._text import counted, typed

RECORD, TABLE = "corrections.json", "corrected.csv"
# Task to the column in which a table holds its label files.
COLUMNS = {"instances": "instances", "segment": "mask"}
HEADER = ("image", "version", "author", "date")


@dataclass(frozen=True)
class Corrected:
    """One accepted correction.

    Parameters
    ----------
    folder
        Of the answers.
    item
        What the record holds of it: name, version, file, author, date, sha256, corrects, changed_pixels.
    table
        All corrected answers as a data set: image, label file, author and date of the newest version.
    """

    folder: Path
    item: Mapping[str, Any]
    table: Path

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"format": 1, "folder": str(self.folder), **self.item, "table": str(self.table)}

    def lines(self) -> list[str]:
        """What was kept, and the data set of all corrections."""
        i = self.item
        return [
            f"{i['name']}: version {i['version']} by {i['author']}, {i['date']}, "
            f"{counted(i['changed_pixels'], 'pixel')} changed -> {self.folder / i['file']}",
            f"all corrections as a data set: {self.table}",
            f"next: isocenter check {typed(self.table)}",
        ]


def correct(folder: str | Path, case: str, edited: str | Path, *, by: str) -> Corrected:
    """Keeps an edited label file beside the answer that it corrects; the answer itself stays as it was.

    Parameters
    ----------
    folder
        Where `predict` wrote answers of segment or instances.
    case
        Name of the answer, as in predictions.csv.
    edited
        The label file as somebody's program saved it.
    by
        Who edited it.

    Raises
    ------
    NotFoundError
        No record of answers there, or no such answer.
    UsageError
        No author; an answer without a label file; nothing was changed.
    GeometryError
        The edited file lies on another grid than the answer.
    LabelError
        Its numbers are not those of objects, or of regions that the answer knows.
    """
    place, edited = Path(folder), Path(edited)
    if not by.strip():
        raise UsageError("a correction needs its author", remedy="Pass --by NAME")
    answers = Ledger(place, {}).items
    if not answers:
        raise NotFoundError("no answers lie here", where=str(place), wanted=f"a folder in which predict wrote {NAME}")
    if case not in answers:
        raise NotFoundError(f"no answer {case!r}", where=str(place), remedy=nearest(case, answers))
    answer, earlier = answers[case], _read(place)
    before = [c for c in earlier if c["name"] == case]
    latest = before[-1]["file"] if before else _label_file(answer)
    changed = _changed(edited, place / latest, answer)
    version = len(before) + 1
    file = f"{case}.v{version}{_suffix(edited)}"
    write_bytes(place / file, edited.read_bytes())
    item = {
        "name": case, "version": version, "file": file, "author": by.strip(), "date": _now(),
        "sha256": sha256(place / file), "corrects": latest, "changed_pixels": changed,
    }
    items = [*earlier, item]
    document = {"format": 1, "items": items}
    write_text(place / RECORD, json.dumps(document, indent=1, ensure_ascii=False) + "\n", overwrite=True)
    return Corrected(place, item, _table(place, answers, items))


def _task(answer: Mapping[str, Any]) -> str:
    return str(answer.get("made", {}).get("method", "")).partition("/")[0]


def _label_file(answer: Mapping[str, Any]) -> str:
    files = answer.get("files") or []
    if _task(answer) not in COLUMNS or not files:
        raise UsageError(
            "this answer has no label file that could be corrected", where=str(answer.get("name")),
            got=_task(answer) or "unknown", wanted=" or ".join(COLUMNS),
        )
    return str(files[0])


def _changed(edited: Path, latest: Path, answer: Mapping[str, Any]) -> int:
    """How many pixels differ from the version before; refuses what cannot be a correction of it."""
    (new, grid), (old, own) = read_labels(edited), read_labels(latest)
    # A program that keeps no spacing still keeps the pixels.
    if new.shape != old.shape or (grid.spacing is not None and not grid.same_grid(own)):
        raise GeometryError(
            "the edited file lies on another grid than the answer", where=str(edited), got=str(new.shape),
            wanted=f"{old.shape}, as {latest.name}", remedy="Save it on the answer's own grid",
        )
    _numbers(new, old, edited=edited, answer=answer)
    changed = int(np.count_nonzero(new != old))
    if not changed:
        raise UsageError("nothing was changed", where=str(edited), got=f"the same labels as {latest.name}")
    return changed


def _numbers(new: Array, old: Array, *, edited: Path, answer: Mapping[str, Any]) -> None:
    if new.min(initial=0) < 0:
        raise LabelError(
            "numbers below 0 name nothing", where=str(edited), got=str(int(new.min())),
            wanted="0 for the background, 1 and above for what was found", remedy="Save it with numbers from 0 on",
        )
    if _task(answer) == "instances":
        return
    regions = sum(str(k).endswith(" pixels") for k in answer.get("answer", {}))
    known = {*range(regions + 1), *np.unique(old).tolist()}
    if strangers := sorted(set(np.unique(new).tolist()) - known):
        raise LabelError(
            "numbers of regions that the answer does not know", where=str(edited),
            got=", ".join(map(str, strangers[:8])), wanted=", ".join(map(str, sorted(known))),
        )


def _suffix(path: Path) -> str:
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def _read(folder: Path) -> list[dict[str, Any]]:
    path = folder / RECORD
    if not path.is_file():
        return []
    try:
        items = json.loads(path.read_text("utf-8"))["items"]
        return [{**item, "name": item["name"], "file": item["file"]} for item in items]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError("the record of corrections cannot be read", where=str(path), got=str(error)) from error


def _table(folder: Path, answers: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Path:
    """The newest version of every corrected answer as rows that `train`, `evaluate` and `measure` read."""
    rows = []
    for name, item in {i["name"]: i for i in items}.items():
        column = COLUMNS[_task(answers[name])]
        rows.append({**item, "image": _from(folder, str(answers[name]["source"])), column: item["file"]})
    held = [c for c in COLUMNS.values() if any(c in r for r in rows)]
    return write_rows(folder / TABLE, (HEADER[0], *held, *HEADER[1:]), rows=rows, overwrite=True)


def _from(folder: Path, source: str) -> str:
    try:
        return Path(os.path.relpath(source, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return Path(source).absolute().as_posix()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
