"""What stands on a command line as INPUT: files, series folders, folders of images, ROLE=PATH and FACT=VALUE."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from isocenter.data import Case
from isocenter.errors import IsocenterError, UnreadableError, UsageError
from isocenter.files import sha256
from isocenter.verbs._text import counted

NOTHING: Mapping[str, Any] = MappingProxyType({})
BOUND = re.compile(r"([A-Za-z_]\w*)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Input:
    """One thing to answer.

    Parameters
    ----------
    name
        Of its answer: the file's name without its suffix.
    source
        As given.
    open
        Reads the case; raises what is wrong with it.
    files
        What it is made of, for the checksum.
    facts
        That were bound to it by name.
    """

    name: str
    source: str
    open: Callable[[], Case]
    files: tuple[Path, ...]
    facts: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def sha256(self) -> str:
        """Checksum of all of its files together."""
        if len(self.files) == 1:
            return sha256(self.files[0])
        return hashlib.sha256("".join(sorted(map(sha256, self.files))).encode()).hexdigest()


def inputs_of(
    given: Sequence[str | Path], *, how: Mapping[str, Any] = NOTHING, films: bool = False
) -> tuple[Input, ...]:
    """Everything to answer, in order, every name once; `how` as in `isocenter.io.read`.

    A folder of DICOM files is one input; any other folder stands for the images in it, or is one film of single images
    where `films` are asked about. What is not there, or cannot be read, raises when it is opened.

    Raises
    ------
    UsageError
        Nothing is given.
    UnreadableError
        A folder holds no image.
    """
    if not given:
        raise UsageError("nothing to answer", wanted="INPUT: a file, a series folder or a folder of images")
    if bound(given):
        return (_bound(given, how),)
    return _distinct([one for word in given for one in _expanded(str(word), how, films)])


def in_roles(given: Sequence[str | Path], roles: Sequence[str]) -> Sequence[str | Path]:
    """The inputs of a question that has several roles: as they are where bound by name, else bound in its order.

    Raises
    ------
    UsageError
        Unnamed inputs, and not one for each role.
    """
    if len(roles) < 2 or bound(given):
        return given
    if len(given) != len(roles):
        raise UsageError("one case has several images here", got=counted(len(given), "input"),
                         wanted=" ".join(f"{role}=PATH" for role in roles))
    return [f"{role}={path}" for role, path in zip(roles, given, strict=True)]


def _expanded(word: str, how: Mapping[str, Any], films: bool = False) -> list[Input]:
    path = Path(word)
    if not path.is_dir():
        return [_single(path, word, how)]
    files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    kinds = {p: _kind(p) for p in files}
    if any(kind == "dicom" for kind in kinds.values()):
        return [_single(path, word, how, files=tuple(p for p in files if kinds[p] == "dicom"))]
    frames = [p for p in files if kinds[p]]
    if films and len(frames) > 1:
        from isocenter.layouts.film_folder import is_film, opened

        if is_film(frames, how):
            return [Input(_stem(path), word, lambda: replace(opened(path, frames, how), id=_stem(path)), tuple(files))]
    images = [_single(p, str(p), how) for p in frames]
    below = [
        _single(p, str(p), how, files=tuple(sorted(f for f in p.iterdir() if f.is_file())))
        for p in sorted(path.iterdir())
        if p.is_dir() and _series(p)
    ]
    if not images + below:
        raise UnreadableError("the folder holds no image", where=word, got=f"{len(files)} files of other kinds",
                              remedy="Name the files, or the folder that holds them")
    return images + below


def _single(path: Path, word: str, how: Mapping[str, Any], *, files: tuple[Path, ...] = ()) -> Input:
    def opened() -> Case:
        from isocenter.io import read

        return replace(read(word, **how), id=_stem(path))

    inside = Path(word.split("#")[0])
    return Input(_stem(path), word, opened, files or (inside,))


def _bound(given: Sequence[str | Path], how: Mapping[str, Any]) -> Input:
    pairs: dict[str, str] = {}
    for word in given:
        pair = _binding(word)
        if pair is None or pair[0] in pairs:
            raise UsageError(
                "either every input is bound by name or none", got=str(word), wanted="ROLE=PATH or FACT=VALUE"
            )
        pairs[pair[0]] = pair[1]
    roles = {name: text for name, text in pairs.items() if Path(text.split("#")[0]).exists()}
    facts: dict[str, Any] = {name: _fact(text) for name, text in pairs.items() if name not in roles}
    if not roles:
        raise UsageError("no image among the inputs", got=", ".join(pairs), wanted="ROLE=PATH")

    paths: dict[str, Any] = dict(roles)

    def opened() -> Case:
        from isocenter.io import read

        return replace(read(None, **how, **paths), facts=facts)

    first = Path(next(iter(roles.values())))
    return Input(_stem(first), str(first), opened, tuple(Path(p.split("#")[0]) for p in roles.values()), facts)


def of_roles(given: Mapping[str, Any]) -> Case:
    """One case from role to image (a path or an object) and fact to value, as ROLE=PATH and FACT=VALUE say it.

    Raises
    ------
    UsageError
        No image among them.
    InputError
        A value that is neither an image nor a fact.
    """
    facts = {n: v for n, v in given.items() if v is None or isinstance(v, (int, float)) or _is_text(v)}
    roles: dict[str, Any] = {name: value for name, value in given.items() if name not in facts}
    if not roles:
        raise UsageError("no image among the inputs", got=", ".join(given), wanted="a role with a path or an image")
    from isocenter.io import read

    return replace(read(None, **roles), facts=facts)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not Path(value.split("#")[0]).exists()


def bound(given: Sequence[Any]) -> bool:
    """Whether inputs are one case bound by name, such as ``["T1=a.nii", "age=61"]``."""
    return any(isinstance(word, str) and _binding(word) is not None for word in given)


def _binding(word: str | Path) -> tuple[str, str] | None:
    found = None if isinstance(word, Path) or Path(word).exists() else BOUND.fullmatch(word)
    return (found[1], found[2]) if found else None


def _fact(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _stem(path: Path) -> str:
    name = path.name or path.resolve().name
    name = re.sub(r"\.(nii\.gz|[A-Za-z0-9]{1,6})$", "", name, flags=re.IGNORECASE) or name
    # "scans.npz#images[3]" becomes a name that every system takes.
    return re.sub(r"[^\w.\-]+", "_", re.sub(r"\.(npz|npy)#", "_", name)).strip("_") or "case"


def _kind(path: Path) -> str:
    from isocenter.io import sniff

    try:
        return sniff(path)
    except IsocenterError:
        # A broken image is answered with its own refusal; a text file beside the images is no input.
        return "broken" if re.search(r"\.(nii|nii\.gz|png|jpe?g|tiff?|dcm)$", path.name, re.IGNORECASE) else ""


def _series(folder: Path) -> bool:
    return any(_kind(p) == "dicom" for p in sorted(folder.iterdir())[:3] if p.is_file())


def _distinct(inputs: list[Input]) -> tuple[Input, ...]:
    names = [i.name.lower() for i in inputs]
    out = []
    for one in inputs:
        if names.count(one.name.lower()) > 1:
            # The folder tells them apart, the same way in every run.
            mark = hashlib.sha256(str(Path(one.source).resolve()).encode()).hexdigest()[:8]
            one = replace(one, name=f"{one.name}-{mark}")
        out.append(one)
    return tuple(out)
