"""What the cases of a run were, in numbers that a paper needs: by split, and of which files."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.data import Cases
from isocenter.errors import IsocenterError
from isocenter.files import sha256

# Facts with at most so many different whole numbers are kinds, not measurements: 0 and 1 for no and yes.
KINDS = 2
# How a README begins the line that says where the data come from, and under which licence.
ORIGIN = re.compile(r"^\W*(origin|source|citation|cite|how to cite|please cite|reference)\b|doi\.org/|\bdoi:", re.I)
LICENCE = re.compile(r"^\W*licen[cs]e\b", re.I)


def counted_splits(cases: Cases) -> dict[str, dict[str, Any]]:
    """Split to number of cases, of subjects, and of cases by class; opens no file."""
    groups: dict[str, set[str]] = {}
    found: dict[str, dict[str, Any]] = {}
    for entry, group in zip(cases.entries, cases.groups, strict=True):
        row = found.setdefault(entry.split, {"cases": 0, "subjects": 0, "classes": {}})
        groups.setdefault(entry.split, set()).add(group)
        row["cases"] += 1
        row["subjects"] = len(groups[entry.split])
        row["unlabelled"] = row.get("unlabelled", 0) + entry.unlabelled
        for label in entry.labels:
            row["classes"][label] = row["classes"].get(label, 0) + 1
    return found


def described(cases: Cases) -> dict[str, Any]:
    """Facts and leading images by split, from the headers of all cases; those that cannot be read are counted.

    Returns
    -------
    dict
        ``facts`` (name to split to summary, see `summarised`), ``images`` (split to modality, axes, size in pixels and
        spacing in mm, each to the number of cases), ``unread``.
    """
    facts: dict[str, dict[str, list[Any]]] = {}
    images: dict[str, dict[str, Counter[str]]] = {}
    unread = 0
    for entry in cases.entries:
        try:
            case = entry.open()
            image = case.image()
            seen = {
                "modality": image.modality or "unknown", "axes": image.axes,
                "size": " x ".join(map(str, image.geometry.shape)), "spacing": _spacing(image.geometry.spacing),
            }
        except IsocenterError:
            unread += 1
            continue
        for name, value in case.facts.items():
            facts.setdefault(name, {}).setdefault(entry.split, []).append(value)
        for key, text in seen.items():
            images.setdefault(entry.split, {}).setdefault(key, Counter())[text] += 1
    kinds = {name: _kind([v for values in by.values() for v in values]) for name, by in facts.items()}
    said = {name: {s: summarised(v, kind=kinds[name]) for s, v in by.items()} for name, by in facts.items()}
    plain = {s: {k: dict(c.most_common()) for k, c in by.items()} for s, by in images.items()}
    return {"facts": said, "images": plain, "unread": unread}


def summarised(values: Sequence[Any], *, kind: str) -> dict[str, Any]:
    """One fact of one split: known, missing, and of a number mean, SD, quartiles; of a kind how often each occurs.

    >>> summarised([1.0, 3.0, None], kind="number")["mean"]
    2.0
    >>> summarised(["m", "f", "f"], kind="kind")["counts"]
    {'f': 2, 'm': 1}
    """
    known = [v for v in values if v is not None]
    row: dict[str, Any] = {"kind": kind, "n": len(known), "missing": len(values) - len(known)}
    if kind == "kind":
        return {**row, "counts": dict(Counter(_text(v) for v in known).most_common())}
    numbers = sorted(float(v) for v in known)
    if not numbers:
        return row
    # With one value there is no spread to speak of.
    quarters = statistics.quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else None
    return {
        **row, "mean": statistics.fmean(numbers), "sd": statistics.stdev(numbers) if len(numbers) > 1 else None,
        "median": statistics.median(numbers), "q1": quarters[0] if quarters else None,
        "q3": quarters[2] if quarters else None, "low": numbers[0], "high": numbers[-1],
    }


def files_of(cases: Cases, *, more: Sequence[str | Path] = ()) -> list[Path]:
    """Every file that the cases were read from, their table and its cases.json, and `more` (files or folders)."""
    named = {str(place).partition("#")[0] for e in cases.entries for place in e.files.values() if place}
    if cases.table:
        table = Path(cases.table)
        named |= {str(table), str(table.with_name("cases.json"))}
        named |= {str(table.parent / t["file"]) for t in cases.declared.get("tables", ()) if t.get("file")}
    found: set[Path] = set()
    for path in (*map(Path, named), *map(Path, more)):
        if path.is_dir():
            found |= {p.resolve() for p in path.rglob("*") if p.is_file()}
        elif path.is_file():
            found.add(path.resolve())
    return sorted(found)


def checksums(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Path to sha256 and size in bytes."""
    return {str(p): {"sha256": sha256(p), "bytes": p.stat().st_size} for p in paths}


def changed(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Path to what is the matter with it, of every file that is not as it was recorded."""
    found: dict[str, str] = {}
    for name, was in inputs.items():
        path = Path(name)
        if not path.is_file():
            found[name] = "is gone"
        elif path.stat().st_size != was["bytes"] or sha256(path) != was["sha256"]:
            found[name] = "holds other bytes"
    return found


def sourced(place: str | Path | None) -> dict[str, Any]:
    """What the files beside the data say about where they come from: sentences on origin and licence, as they stand.

    Parameters
    ----------
    place
        Folder of the set, or its table; a README, a ``dataset_description.json`` (BIDS) or a ``dataset.json``
        (Decathlon) is looked for there.

    Returns
    -------
    dict
        ``file``, ``origin``, ``licence`` (lists of text); empty where nothing is said.
    """
    if not place:
        return {}
    folder = Path(place) if Path(place).is_dir() else Path(place).parent
    for name in ("dataset_description.json", "dataset.json"):
        if (folder / name).is_file():
            said = _declared(folder / name)
            if said:
                return {"file": str((folder / name).resolve()), **said}
    readmes = sorted(p for p in folder.glob("*") if p.stem.lower() == "readme" and p.is_file())
    if not readmes:
        return {}
    lines = [" ".join(line.split()) for line in readmes[0].read_text("utf-8", errors="replace").splitlines()]
    found = {"origin": _lines(lines, ORIGIN), "licence": _lines(lines, LICENCE)}
    return {"file": str(readmes[0].resolve()), **found} if any(found.values()) else {}


def _declared(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    names = ("HowToAcknowledge", "ReferencesAndLinks", "DatasetDOI", "reference")
    values = [said.get(n) for n in names]
    origin = [str(v) for value in values for v in (value if isinstance(value, list) else [value]) if v]
    licence = [str(said[n]) for n in ("License", "licence", "license") if said.get(n)]
    return {"origin": origin, "licence": licence} if origin or licence else {}


def _lines(lines: Sequence[str], wanted: re.Pattern[str]) -> list[str]:
    return [text.lstrip("-* ").replace("**", "")[:500] for text in lines if wanted.search(text)][:3]


def _kind(values: Sequence[Any]) -> str:
    known = [v for v in values if v is not None]
    if any(isinstance(v, str) for v in known):
        return "kind"
    whole = all(float(v).is_integer() for v in known)
    return "kind" if known and whole and len(set(known)) <= KINDS else "number"


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _spacing(spacing: Sequence[float] | None) -> str:
    return " x ".join(f"{s:.4g}" for s in spacing) if spacing else "unknown"
