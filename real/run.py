"""Runs one row: train, name the rival on val, then look at test once, and keep what was found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import isocenter as iso
from isocenter.catalog import find
from isocenter.data import Cases, Scores
from isocenter.files import sha256, write_text
from isocenter.layouts import read as read_cases
from real.row import Row
from real.sets import READERS
from real.weights import ready

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
BUNDLES = ROOT / "runs" / "real"


def run(row: Row, data: Path, *, threads: int, seed: int = 0) -> dict[str, Any]:
    """Everything that docs/results.md shows of one row, written to docs/results/ROW.json as well.

    A finished bundle is trained again only when its recipe, the data or the sources that made it differ.
    """
    cases = cases_of(row, data)
    marks = {"recipe": recipe_mark(row, seed), "data": data_mark(data / row.data), "sources": sources_mark()}
    print(f"{row.name}: {marks}", flush=True)
    if row.folds:
        return in_folds(row, cases, marks, threads=threads, seed=seed)
    row, bundle, candidates = leading(row, data, marks, threads=threads, seed=seed)
    rival, on_val = named_on_val(row, cases, seed=seed)
    print(f"{row.name}: rival named on val: {rival}", flush=True)
    found = iso.compare(
        row.task,
        cases,
        methods=[str(bundle or row.method), rival],
        split="test",
        seed=seed,
        threads=threads,
        out=BUNDLES / f"{row.name}-report",
        overwrite=True,
    )
    ours, theirs = found.methods.values()
    given = person(row, cases, seed=seed)
    result = {
        "format": 1,
        "row": asdict(row),
        "marks": marks,
        "seed": seed,
        "threads": threads,
        "rival": rival,
        "rival_on_val": on_val,
        "candidates_on_val": candidates,
        "training": json.loads(bundle.with_suffix(".json").read_text(encoding="utf-8")) if bundle else None,
        "bundle_sha256": sha256(bundle / "bundle.json") if bundle else None,
        "ours": ours.as_json(),
        "theirs": theirs.as_json(),
        "given": given.as_json() if given else None,
        "tests": [asdict(t) for t in found.tests],
        "looks": looks(row, marks),
    }
    write_text(RESULTS / f"{row.name}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n", overwrite=True)
    return result


def in_folds(row: Row, cases: Cases, marks: dict[str, str], *, threads: int, seed: int) -> dict[str, Any]:
    """As `run`, of a row whose every case is answered by a method that had not seen its subject."""
    beside = [f"{c.name}={c.method}" for c in row.beside]
    settings = {f"{row.method}.{name}": value for name, value in row.settings.items()}
    settings |= {f"{c.name}.{name}": value for c in row.beside for name, value in c.settings.items()}
    found = iso.compare(
        row.task,
        cases,
        methods=[row.method, *row.rivals[:1], *beside],
        settings=settings,
        folds=row.folds,
        **({"inner": row.inner} if row.inner else {}),
        seed=seed,
        threads=threads,
        report=progress,
        out=BUNDLES / f"{row.name}-report",
        overwrite=True,
    )
    rival = row.rivals[0] if row.rivals else row.beside[0].name
    ours, theirs = found.methods[row.method], found.methods[rival]
    others = {n: s.as_json() for n, s in found.methods.items() if n not in (row.method, rival)}
    taken = found.taken[row.method]
    result = {
        "format": 1,
        "row": asdict(row),
        "marks": marks,
        "seed": seed,
        "threads": threads,
        "rival": rival,
        "rival_on_val": {},
        "beside": others,
        "training": {"seconds": taken.seconds, "peak_mb": taken.peak_mb, "threads": threads, "notes": [*found.notes]},
        "bundle_sha256": None,
        "ours": ours.as_json(),
        "theirs": theirs.as_json(),
        "given": None,
        "tests": [asdict(t) for t in found.tests],
        "looks": looks(row, marks),
    }
    write_text(RESULTS / f"{row.name}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n", overwrite=True)
    return result


def leading(
    row: Row, data: Path, marks: dict[str, str], *, threads: int, seed: int
) -> tuple[Row, Path | None, dict[str, float | None]]:
    """The row with the method that leads on val where it has candidates, its bundle, and what each scored on val."""
    if not row.candidates:
        return row, trained(row, data, marks, threads=threads, seed=seed), {}
    bundles: dict[str, Path] = {}
    for one in row.candidates:
        settings = dict(one.settings) | ({"members": [{"use": str(b)} for b in bundles.values()]} if one.joins else {})
        name = one.name or one.method
        alone = replace(row, name=f"{row.name}-{name}", method=one.method, settings=settings, candidates=())
        # Its own recipe, so that another candidate beside it trains none of the others again.
        own = marks | {"recipe": recipe_mark(alone, seed)}
        made = trained(alone, data, own, threads=threads, seed=seed)
        assert made is not None, "a candidate is trained"
        bundles[name] = made
    lead = row.figures[0].metric
    notes = {m: json.loads(b.with_suffix(".json").read_text(encoding="utf-8")) for m, b in bundles.items()}
    on_val = {m: note["val"][lead] for m, note in notes.items()}
    best = max(on_val, key=lambda m: on_val[m] if on_val[m] is not None else -1.0)
    print(f"{row.name}: named on val: {best}", flush=True)
    return replace(row, method=best), bundles[best], on_val


def cases_of(row: Row, data: Path) -> Cases:
    """The cases of a row."""
    folder = data / row.data
    return READERS[row.reader](folder) if row.reader else read_cases(folder, task=row.task)


def trained(row: Row, data: Path, marks: dict[str, str], *, threads: int, seed: int) -> Path | None:
    """The row's bundle, trained unless it stands with the same marks; None for a method that studies nothing."""
    if not hasattr(find(row.task, row.method), "fit"):
        return None
    bundle, note = BUNDLES / f"{row.name}.bundle", BUNDLES / f"{row.name}.json"
    if bundle.is_dir() and note.is_file() and json.loads(note.read_text(encoding="utf-8"))["marks"] == marks:
        return bundle
    for name, setting in row.settings.items():
        if name.endswith("weights") and isinstance(setting, str):
            ready(setting)
    how: dict[str, bool] = {"resume": True} if bundle.with_name(bundle.name + ".part").is_dir() else {"overwrite": True}
    made = iso.train(
        row.task,
        cases_of(row, data) if row.reader else str(data / row.data),
        method=row.method,
        out=bundle,
        settings=dict(row.settings),
        seed=seed,
        threads=threads,
        report=progress,
        **how,
    )
    resumed = ["resumed: seconds are those of the last part"] if "resume" in how else []
    said = {
        "marks": marks,
        "seconds": made.taken.seconds,
        "peak_mb": made.taken.peak_mb,
        "threads": threads,
        "notes": [*made.notes, *resumed],
        "val": {name: value(made.scores, name, row) for name in made.scores.metrics} if made.scores else {},
    }
    write_text(note, json.dumps(said, indent=1) + "\n", overwrite=True)
    return bundle


def named_on_val(row: Row, cases: Cases, *, seed: int) -> tuple[str, dict[str, float | None]]:
    """The rival that leads on val, and what each scored there."""
    lead = row.figures[0].metric
    found = {r: iso.evaluate(f"{row.task}/{r}", cases, split="val", seed=seed, threads=1) for r in row.rivals}
    values = {r: value(s, lead, row) for r, s in found.items()}
    return max(row.rivals, key=lambda r: values[r] if values[r] is not None else -1.0), values


def value(scores: Scores, metric: str, row: Row) -> float | None:
    """The number of one metric by which a row is led: that of its only target, else of all."""
    targets = scores.metrics[metric]
    wanted = {f.target for f in row.figures}
    if len(wanted) == 1 and wanted <= set(targets):
        return targets[wanted.pop()].value
    return (targets.get("all") or next(iter(targets.values()))).value


def person(row: Row, cases: Cases, *, seed: int) -> Scores | None:
    """How a second observer does on the same test cases."""
    if not row.given:
        return None
    return iso.evaluate(f"{row.task}/given", cases, split="test", settings={"column": row.given}, seed=seed, threads=1)


def looks(row: Row, marks: dict[str, str]) -> list[dict[str, str]]:
    """Every different training of this row that was ever scored on test: each one is a look."""
    path = RESULTS / f"{row.name}.json"
    before: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["looks"] if path.is_file() else []
    return before if marks in before else [*before, marks]


def progress(message: Any) -> None:
    """One line of text now and then, for the log."""
    done = f"{message.what} {100 * message.share:.0f} %"
    score = f", score {message.score:.4f}" if message.score is not None else ""
    left = f", {message.seconds_left:.0f} s left" if message.seconds_left is not None else ""
    print(f"  {done}{score}{left}", flush=True)


def recipe_mark(row: Row, seed: int) -> str:
    """Digest of what was asked for."""
    asked = {"task": row.task, "method": row.method, "settings": dict(row.settings), "seed": seed}
    if row.beside:
        asked |= {"beside": [asdict(c) for c in row.beside], "inner": row.inner}
    if row.candidates:
        asked["candidates"] = [{k: v for k, v in asdict(c).items() if v != ""} for c in row.candidates]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def data_mark(folder: Path) -> str:
    """Digest of every file of the set."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def sources_mark() -> str:
    """Digest of the sources that decide what a training gives."""
    digest = hashlib.sha256()
    for layer in ("data", "fit", "infer", "nets", "ops"):
        for path in sorted((ROOT / "src" / "isocenter" / layer).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
