"""Foreign weights become safetensors, read in a capped process of their own that runs none of their code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.errors import OutputError, ResourceError, UnreadableError, UsageError
from isocenter.verbs._cases import kind_of
from isocenter.verbs._text import counted

SECONDS = 180


@dataclass(frozen=True)
class Converted:
    """What was taken over.

    Parameters
    ----------
    path
        The safetensors file.
    tensors
        Name to (type, shape).
    left
        What the file held beside weights, left out.
    """

    path: Path
    tensors: Mapping[str, tuple[str, tuple[int, ...]]]
    left: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        rows = [{"name": n, "type": t, "shape": list(s)} for n, (t, s) in self.tensors.items()]
        return {"format": 1, "path": str(self.path), "tensors": rows, "left_out": list(self.left)}

    def lines(self) -> list[str]:
        """Counts, and what was left out."""
        left = [f"left out: {', '.join(self.left)}"] if self.left else []
        return [f"{counted(len(self.tensors), 'tensor')} in {self.path}", *left, "next: isocenter methods"]


def convert(source: str | Path, out: str | Path, *, overwrite: bool = False) -> Converted:
    """Takes over the tensors of a .pth file.

    Parameters
    ----------
    source
        What torch.save wrote: a state dict, or a checkpoint that holds one.
    out
        A ``.safetensors`` file.
    overwrite
        Replace it.

    Raises
    ------
    UnreadableError, MissingFileError
        It is no such file, or is damaged.
    OutputError
        The target exists, or cannot be written.
    ResourceError
        It takes more memory or time than weights need.
    """
    target = Path(out)
    if target.suffix != ".safetensors":
        raise UsageError("weights are written as safetensors", got=target.name, wanted="OUT.safetensors")
    if target.exists():
        if not overwrite:
            raise OutputError("the file exists", where=str(target), remedy="Pass --overwrite or name another")
        target.unlink()
    said = _child(Path(source), target)
    if "error" in said:
        error = said["error"]
        raise kind_of(error.pop("code"))(error.pop("what"), **error)
    tensors = {name: (kind, tuple(shape)) for name, (kind, shape) in said["tensors"].items()}
    return Converted(target, tensors, tuple(said["left"]))


def _child(source: Path, target: Path) -> dict[str, Any]:
    # -P: a folder that somebody prepared must not shadow our modules.
    command = [sys.executable, "-P", "-m", "isocenter.verbs._foreign", str(source), str(target)]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ResourceError("reading the weights took too long", where=str(source), got=f"over {SECONDS} s") from error
    try:
        said: dict[str, Any] = json.loads(ended.stdout)
    except ValueError as error:
        last = (ended.stderr.decode("utf-8", "replace").strip().splitlines() or ["no answer"])[-1]
        raise UnreadableError("the weights cannot be read", where=str(source), got=last[:200]) from error
    return said
