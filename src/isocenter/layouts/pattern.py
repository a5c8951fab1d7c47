"""Name pattern: files such as {well}_s{field}_w{channel}_t{frame}.tif; channels and frames become axes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from isocenter import io
from isocenter.data import Cases, Image
from isocenter.errors import AmbiguousError, MissingFileError, TableError, UsageError
from isocenter.layouts.ask import Ask, Notes
from isocenter.layouts.assembling import Item, assembled
from isocenter.layouts.cells import order
from isocenter.layouts.scanning import images
from isocenter.layouts.stacking import stacked
from isocenter.layouts.truths import Classes

# Names of microscopes and plate readers that are found without being given.
KNOWN = (
    "{well}_s{field}_w{channel}_t{frame}.tif",
    "{well}_s{field}_t{frame}_w{channel}.tif",
    "{well}_s{field}_w{channel}.tif",
    "{well}_w{channel}.tif",
)
AXES = {"channel": "c", "frame": "t", "time": "t"}
# What a place of the pattern means beside the name of the case.
MEANINGS = ("subject", "group", "split", "label")


@dataclass(frozen=True)
class Name:
    """A pattern of file names, compiled.

    Parameters
    ----------
    text
        As given; ``{name}`` stands for any text without a separator.
    folder
        Where the files lie.
    """

    text: str
    folder: Path

    @property
    def places(self) -> tuple[str, ...]:
        """The names in braces, in order."""
        return tuple(re.findall(r"\{(\w+)\}", self.text))

    @property
    def compiled(self) -> re.Pattern[str]:
        """The pattern as a regular expression; letters and digits of numbered places do not run into each other."""
        parts = re.split(r"(\{\w+\})", self.text)
        numbered = ("channel", "frame", "time", "field")
        out = ""
        for part in parts:
            place = part[1:-1] if part.startswith("{") else None
            if place is None:
                out += re.escape(part)
            elif f"(?P<{place}>" in out:
                out += f"(?P={place})"
            else:
                out += f"(?P<{place}>{r'[A-Za-z0-9]+?' if place in numbered else r'[^/]+?'})"
        # .tif and .TIF, .tiff are one promise.
        out = re.sub(r"\\\.tiff?$", r"\\.tiff?", out)
        return re.compile(out, re.IGNORECASE)

    def matches(self) -> dict[Path, Mapping[str, str]]:
        """Each file that fits, with the text of every place."""
        compiled, depth = self.compiled, self.text.count("/")
        files = sorted(self.folder.glob("/".join(["*"] * (depth + 1))))
        found = ((p, compiled.fullmatch(p.relative_to(self.folder).as_posix())) for p in files if p.is_file())
        return {p: m.groupdict() for p, m in found if m and not p.name.startswith(".")}


def claims(path: Path) -> bool:
    """Whether the path holds braces, or most images of the folder fit a known pattern with channels or frames."""
    return "{" in str(path) or (path.is_dir() and _recognised(path) is not None)


def read(path: Path, ask: Ask, *, pattern: str | None = None) -> Cases:
    """The cases: files that differ in channel and frame alone are one.

    Parameters
    ----------
    path
        A folder, or a folder and a pattern in one (``plate/{well}_w{channel}.tif``).
    pattern
        Of the names in the folder; otherwise a known one is found.

    Raises
    ------
    MissingFileError
        No file fits.
    TableError
        A case lacks a channel or frame that others have (names it).
    UsageError
        A place twice for one axis, or none at all.
    AmbiguousError
        Two files for one place.
    """
    name = _name(path, pattern)
    if len([p for p in name.places if p in ("frame", "time")]) > 1 or not name.places:
        raise UsageError("not a pattern of names", got=name.text, wanted=f"such as {KNOWN[0]}")
    found = name.matches()
    if not found:
        raise MissingFileError("no file fits the pattern", where=str(name.folder), got=name.text)
    notes = Notes(ask.tolerant)
    spare = len(images(name.folder)) - len(found)
    if spare > 0 and "/" not in name.text:
        notes.note("pattern-spare", f"{spare} images do not fit the pattern {name.text}", where=str(name.folder))
    items = _items(name, found, notes)
    labels = tuple(sorted({i.label for i in items if i.label}, key=order))
    return assembled(
        items, ask, root=name.folder, tasks=("classify",) if labels else (), notes=notes,
        reader=(lambda: Classes(labels, {n: n for n in labels})) if labels else None,
    )


def _name(path: Path, pattern: str | None) -> Name:
    if pattern is not None:
        return Name(pattern, path)
    if "{" in str(path):
        fixed = [p for p in path.parts if "{" not in p]
        first = next(i for i, p in enumerate(path.parts) if "{" in p)
        return Name("/".join(path.parts[first:]), Path(*fixed[:first]))
    return _recognised(path) or Name("", path)


def _recognised(folder: Path) -> Name | None:
    files = images(folder)
    for text in KNOWN:
        name = Name(text, folder)
        found = name.matches()
        cases = {_key(name, places) for places in found.values()}
        if files and 2 * len(found) > len(files) and len(found) > len(cases):
            return name
    return None


def _key(name: Name, places: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(places[p] for p in name.places if p not in AXES)


def _items(name: Name, found: Mapping[Path, Mapping[str, str]], notes: Notes) -> list[Item]:
    grouped: dict[tuple[str, ...], dict[tuple[str, str], Path]] = {}
    for path, places in found.items():
        at = (places.get("frame", places.get("time", "")), places.get("channel", ""))
        cells = grouped.setdefault(_key(name, places), {})
        if at in cells:
            both = f"{cells[at].name} and {path.name}"
            raise AmbiguousError("two files for one place", where=str(name.folder), got=both)
        cells[at] = path.absolute()
    frames, channels = ({at[i] for cells in grouped.values() for at in cells} for i in (0, 1))
    items = []
    for key, cells in grouped.items():
        here = {at[0] for at in cells}
        # Films may differ in length; every frame of one has every channel.
        lacking = [(f, c) for f in sorted(here, key=order) for c in sorted(channels, key=order) if (f, c) not in cells]
        if lacking:
            frame, channel = lacking[0]
            notes.leave_out("a channel or frame is not there")
            notes.refuse(TableError(
                f"{'_'.join(key)} lacks {f'frame {frame} ' if frame else ''}channel {channel}", where=str(name.folder),
                got=f"{len(cells)} files", wanted=f"{len(here) * len(channels)}",
            ))
            continue
        items.append(_item(name, key, cells, tuple(sorted(channels, key=order)), bool(frames - {""})))
    return items


def _item(
    name: Name, key: tuple[str, ...], cells: Mapping[tuple[str, str], Path], channels: tuple[str, ...], film: bool
) -> Item:
    said = dict(zip([p for p in name.places if p not in AXES], key, strict=True))
    frames = sorted({at[0] for at in cells}, key=order)
    files = tuple(tuple(cells[frame, channel] for channel in channels) for frame in frames)
    notes = {k: v for k, v in said.items() if k not in MEANINGS}
    return Item(
        "_".join(key) or name.folder.name, partial(opened, files, channels, film), str(files[0][0]),
        said.get("label", ""), said.get("split", ""), said.get("subject", ""), said.get("group", ""), notes,
    )


def opened(files: tuple[tuple[Path, ...], ...], channels: tuple[str, ...], film: bool) -> Image:
    """One image of the files of a case: frames by channels, each a plane."""
    named = tuple(channels) if len(channels) > 1 else ()
    frames = []
    for row in files:
        planes = [io.read_image(path) for path in row]
        frames.append(stacked(planes, "c", channels=named) if len(planes) > 1 else planes[0])
    return stacked(frames, "t") if film else frames[0]
