"""Opening a bundle: every file is there, is a plain file, and has the size and checksum that it was written with."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.bundle.documents import parsed
from isocenter.bundle.layout import FORMAT, INDEX, INDEX_BYTES, SEAL, STATE, legal, seal
from isocenter.bundle.network import refuse_external
from isocenter.bundle.tensors import unpacked
from isocenter.data import Bundle
from isocenter.errors import BundleError, NotFoundError, nearest

SHIPPED = Path(__file__).parent / "shipped"
AGAIN = "Fetch or train the bundle again"
UNKNOWN = "the version that made it"
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def shipped() -> dict[str, Path]:
    """Name to folder of the bundles that come with isocenter."""
    folders = SHIPPED.iterdir() if SHIPPED.is_dir() else ()
    return {p.name: p for p in sorted(folders) if (p / INDEX).is_file()}


def open_bundle(path_or_name: str | Path) -> Bundle:
    """A bundle, after every one of its files was checked.

    Parameters
    ----------
    path_or_name
        A folder, or the name of a shipped bundle.

    Raises
    ------
    NotFoundError
        Neither; the nearest shipped name is offered.
    BundleError
        Made by a newer format; or a file is missing, changed, a link, or badly named.
    """
    path = Path(path_or_name)
    if not path.exists():
        if str(path_or_name) not in shipped():
            remedy = nearest(str(path_or_name), shipped()) if shipped() else "Name a folder that train wrote"
            raise NotFoundError(f"no bundle {str(path_or_name)!r}", remedy=remedy)
        path = shipped()[str(path_or_name)]
    if not (path / INDEX).is_file():
        raise BundleError(
            "not a bundle", where=str(path), got=f"no {INDEX}", wanted="a folder that train or export wrote"
        )
    about = _index(path)
    for name, entry in about["files"].items():
        _checked(path, name, entry)
    return Bundle(path, about)


def state(bundle: Bundle) -> dict[str, NDArray[Any]]:
    """Every array of a bundle, exported networks as uint8 ``*.onnx``; read-only.

    Raises
    ------
    BundleError
        A file changed since the bundle was opened, or does not hold what its name says.
    """
    out: dict[str, NDArray[Any]] = {}
    for name, entry in bundle.about["files"].items():
        if name == STATE:
            out |= unpacked(_checked(bundle.path, name, entry))
        elif name.endswith(".onnx"):
            network = _checked(bundle.path, name, entry)
            refuse_external(network)
            out[name] = np.frombuffer(network, np.uint8)
    return out


def _index(path: Path) -> dict[str, Any]:
    data = _plain_file(path, INDEX, INDEX_BYTES)
    about = parsed(data, what=f"{path / INDEX}")
    form = about.get("format")
    if type(form) is not int or form < 1:
        raise BundleError("the bundle names no format", where=str(path), got=str(form)[:40], wanted=f"1 to {FORMAT}")
    if form > FORMAT:
        made = about.get("made")
        version = str(made.get("isocenter", UNKNOWN) if isinstance(made, dict) else UNKNOWN)[:40]
        remedy = f"Install isocenter >= {version}"
        raise BundleError(f"made by format {form}", where=str(path), wanted=f"at most {FORMAT}", remedy=remedy)
    if _plain_file(path, SEAL, 200) != seal(hashlib.sha256(data).hexdigest()):
        raise BundleError("bundle.json is not as it was written", where=str(path), remedy=AGAIN)
    kinds = {"task": str, "method": str, "about": dict, "files": dict, "made": dict, "fingerprint": dict}
    wrong = [key for key, kind in kinds.items() if not isinstance(about.get(key), kind)]
    if wrong or not about["files"]:
        raise BundleError(
            "bundle.json lacks what every bundle has", where=str(path), got=", ".join(wrong) or "no files"
        )
    return about


def _checked(path: Path, name: str, entry: Any) -> bytes:
    if not legal(name) or not isinstance(entry, Mapping) or type(entry.get("bytes")) is not int:
        raise BundleError("a file of the bundle is badly named or described", where=str(path), got=name[:100])
    data = _plain_file(path, name, entry["bytes"])
    if len(data) != entry["bytes"]:
        got, wanted = f"{len(data)} bytes", str(entry["bytes"])
        raise BundleError("a file is cut short", where=str(path / name), got=got, wanted=wanted, remedy=AGAIN)
    if hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        raise BundleError("a file is not as it was written (sha256 differs)", where=str(path / name), remedy=AGAIN)
    return data


def _plain_file(folder: Path, name: str, most: int) -> bytes:
    """Content of a regular file of at most `most` bytes that lies in the folder itself and is no link."""
    path = folder / name
    try:
        handle = os.open(path, FLAGS)
    except OSError as error:
        got = error.strerror or ""
        raise BundleError(
            "a file of the bundle is missing or a link", where=str(path), got=got, remedy=AGAIN
        ) from error
    try:
        _regular(path, os.fstat(handle), most)
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most + 1)
    finally:
        os.close(handle)


def _regular(path: Path, found: os.stat_result, most: int) -> None:
    # Installers may link the files that come with the package; nobody else has a reason to.
    linked = path.is_symlink() or (found.st_nlink > 1 and path.parent.parent != SHIPPED)
    if not stat.S_ISREG(found.st_mode) or linked:
        remedy = "Copy the bundle with its files"
        raise BundleError("a file of the bundle is a link", where=str(path), wanted="a plain file", remedy=remedy)
    if found.st_size > most:
        got = f"{found.st_size} bytes"
        raise BundleError("a file of the bundle is too large", where=str(path), got=got, wanted=f"at most {most}")
