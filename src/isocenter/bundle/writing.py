"""Writing a bundle: the folder appears when it is complete, or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isocenter.bundle.card import card_text
from isocenter.bundle.documents import dumped
from isocenter.bundle.layout import CARD, FORMAT, INDEX, PLAN, SEAL, STATE, legal, seal
from isocenter.bundle.lock import absolute, locked
from isocenter.bundle.network import refuse_external
from isocenter.bundle.reading import open_bundle
from isocenter.bundle.tensors import packed
from isocenter.data import Bundle, Fitted
from isocenter.errors import OutputError, UsageError, nearest
from isocenter.files import refusal

FACTS = ("made", "origins", "fingerprint", "card", "parent")


@contextmanager
def workspace(folder: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """The folder ``FOLDER.part`` to work in, under FOLDER's lock; checkpoints in it outlive a killed run.

    Parameters
    ----------
    folder
        Where the bundle will be. It must not exist yet, unless `overwrite` is true and it is a bundle.

    Raises
    ------
    OutputError
        The target exists, or cannot be written.
    ResourceError
        Another run is writing there.
    """
    folder = absolute(folder)
    with locked(folder):
        _vacant(folder, overwrite)
        part = folder.with_name(folder.name + ".part")
        try:
            part.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refusal(error, folder) from error
        yield part


def _vacant(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not overwrite:
        raise OutputError("the folder exists", where=str(folder), remedy="Pass --overwrite or name another")
    if not (folder / INDEX).is_file():
        raise OutputError(
            "the folder exists and is no bundle, so it is not replaced", where=str(folder), remedy="Name another"
        )


def write(
    fitted: Fitted,
    folder: str | Path,
    *,
    task: str,
    method: str,
    overwrite: bool = False,
    **facts: Mapping[str, Any] | None,
) -> Bundle:
    """A fitted method as a folder.

    Parameters
    ----------
    fitted
        What `fit` returned.
    folder
        Target; appears by one rename when everything is on the disk. Checkpoints in ``FOLDER.part`` are removed then.
    task, method
        As in the catalog.
    overwrite
        Replace a bundle that is there.
    **facts
        ``made`` (versions, time, seed, threads; its key ``"isocenter"`` is the version to install), ``origins`` (where
        each value of the recipe came from), ``fingerprint`` (``train`` and ``val``: sha256 of pixels; ``groups``: keyed
        hashes), ``card`` (see `bundle.card`), ``parent`` (of a method that was trained further). All JSON-able.

    Raises
    ------
    OutputError, ResourceError
        As `workspace`; the disk is full; or a value that JSON lacks.
    UsageError
        A fact of another name.
    """
    unknown = [name for name in facts if name not in FACTS]
    if unknown:
        raise UsageError(f"unknown fact {unknown[0]!r} of a bundle", remedy=nearest(unknown[0], FACTS))
    folder = absolute(folder)
    contents = _contents(fitted, task, method, facts)
    with workspace(folder, overwrite=overwrite) as part:
        ready = part / "bundle"
        try:
            shutil.rmtree(ready, ignore_errors=True)
            ready.mkdir()
            for name, data in contents.items():
                _write(ready / name, data)
            _sync(ready)
            _exchange(ready, folder)
            _sync(folder.parent)
        except OSError as error:
            shutil.rmtree(ready, ignore_errors=True)
            raise refusal(error, folder) from error
        shutil.rmtree(part, ignore_errors=True)
    return open_bundle(folder)


Facts = Mapping[str, Mapping[str, Any] | None]


def _contents(fitted: Fitted, task: str, method: str, facts: Facts) -> dict[str, bytes]:
    arrays = fitted.state()
    files: dict[str, bytes] = {}
    for name, array in arrays.items():
        if name.endswith(".onnx"):
            if not legal(name):
                raise OutputError("not a name for a network", got=name, wanted="letters, digits, '_', '-', '.'")
            files[name] = array.tobytes()
            refuse_external(files[name])
    files[STATE] = packed({name: array for name, array in arrays.items() if name not in files})
    about, card, made = dict(fitted.about), facts.get("card") or {}, facts.get("made") or {}
    # What was studied, and so what `train --plan` takes; else what answers go by.
    plan = about.get("scheme") or about.get("plan")
    if plan:
        files[PLAN] = dumped(plan)
    files[CARD] = card_text(card, task=task, method=method, made=made).encode("utf-8")
    index = dumped(
        {
            "format": FORMAT,
            "task": task,
            "method": method,
            "about": about,
            "origins": facts.get("origins") or {},
            "files": {
                name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
            },
            "made": made,
            "fingerprint": facts.get("fingerprint") or {},
            "parent": facts.get("parent"),
            "card": card,
        }
    )
    return {**files, INDEX: index, SEAL: seal(hashlib.sha256(index).hexdigest())}


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    # Windows neither can nor must.
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _exchange(ready: Path, folder: Path) -> None:
    if not folder.exists():
        ready.replace(folder)
        return
    old = folder.with_name(f"{folder.name}.old-{os.getpid()}")
    folder.replace(old)
    try:
        ready.replace(folder)
    except OSError:
        old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
