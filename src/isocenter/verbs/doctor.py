"""Is this machine fit?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Unpack

from isocenter.data import Problem
from isocenter.errors import IsocenterError
from isocenter.verbs._options import Options, checked, threads_of
from isocenter.verbs._text import table

# What each extra brings, by the module that shows whether it is there.
EXTRAS = {"train": ("torch", "onnx"), "fast": ("openvino",), "dicom": ("highdicom", "pynetdicom"), "video": ("cv2",)}
# Readable size in MB below which real work is likely to be refused.
LITTLE_MEMORY = 2000
LITTLE_DISK = 1000


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Parameters
    ----------
    machine
        System, processor, cores, threads, memory and disk in MB.
    versions
        Package to version; None where it is not installed.
    extras
        Extra to whether all of its parts are there.
    bundles
        Shipped bundle to what its stored vector says.
    problems
        What is wrong.
    """

    machine: Mapping[str, Any]
    versions: Mapping[str, str | None]
    extras: Mapping[str, bool]
    bundles: Mapping[str, str]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """1 when something is broken, 0 otherwise."""
        return int(any(p.severity == "error" for p in self.problems))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1,
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "extras": dict(self.extras),
            "bundles": dict(self.bundles),
            "problems": [p.as_json() for p in self.problems],
        }

    def lines(self) -> list[str]:
        """Short tables and the verdict."""
        extras = [(name, "there" if there else f"absent: pip install 'isocenter[{name}]'")
                  for name, there in self.extras.items()]
        return [
            *table(("machine", ""), [(k, str(v)) for k, v in self.machine.items()]), "",
            *table(("part", "version"), [(k, v or "absent") for k, v in self.versions.items()]), "",
            *table(("extra", ""), extras), "",
            *(table(("bundle", "self-check"), list(self.bundles.items())) if self.bundles else []),
            *[f"{p.severity}: {p.line()}" for p in self.problems],
            "broken" if self.exit_code else "fit", "next: isocenter look PATH",
        ]


def doctor(**options: Unpack[Options]) -> Diagnosis:
    """Versions, threads, memory, optional parts, whether files can be written, and each shipped bundle's self-check."""
    checked(options)
    problems: list[Problem] = []
    bundles: dict[str, str] = {}
    for name, path in _shipped(problems).items():
        try:
            bundles[name] = _checked_bundle(path)
        except IsocenterError as error:
            bundles[name] = "fails"
            problems.append(Problem.of(error, name))
    problems += _writing()
    machine = _machine(threads_of(options))
    problems += _little(machine)
    extras = {name: all(find_spec(m) is not None for m in modules) for name, modules in EXTRAS.items()}
    return Diagnosis(machine, _versions(), extras, bundles, tuple(problems))


def _machine(threads: int) -> dict[str, Any]:
    total, free = _memory()
    return {
        "system": f"{platform.system()} {platform.release()}", "processor": platform.machine(),
        "python": sys.version.split()[0], "cores": os.cpu_count(), "threads": threads,
        "memory_mb": total, "memory_free_mb": free, "disk_free_mb": shutil.disk_usage(Path.cwd()).free // 2**20,
    }


def _memory() -> tuple[int | None, int | None]:
    from isocenter.infer import available

    free = available()
    known = hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else None
    return (total // 2**20 if total else None), (free // 2**20 if free is not None else None)


def _versions() -> dict[str, str | None]:
    names = ["isocenter"]
    for line in requires("isocenter") or []:
        if "extra ==" in line:
            continue
        name = line.split(";")[0].split("[")[0].strip()
        names.append("".join(c if c.isalnum() or c in "-_." else " " for c in name).split()[0])
    out: dict[str, str | None] = {}
    for name in dict.fromkeys([*names, "torch", "onnx", "openvino"]):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            # Parts of extras that are absent are listed under their extra.
            if name in ("torch", "onnx", "openvino"):
                out[name] = None
    return out


def _writing() -> list[Problem]:
    try:
        with tempfile.NamedTemporaryFile(dir=Path.cwd(), prefix=".isocenter-") as file:
            file.write(b"x")
    except OSError as error:
        return [Problem("output", "warning", "this folder cannot be written", got=str(error.strerror),
                        remedy="Pass -o with a folder of your own")]
    return []


def _little(machine: Mapping[str, Any]) -> list[Problem]:
    out = []
    for key, least, what in (("memory_mb", LITTLE_MEMORY, "memory"), ("disk_free_mb", LITTLE_DISK, "free disk")):
        if machine[key] is not None and machine[key] < least:
            out.append(Problem("resource", "warning", f"there is little {what}", got=f"{machine[key]} MB",
                               wanted=f"{least} MB"))
    return out


def _shipped(problems: list[Problem]) -> Mapping[str, Path]:
    from isocenter.bundle import shipped

    try:
        return dict(shipped())
    except IsocenterError as error:
        problems.append(Problem.of(error))
        return {}


def _checked_bundle(path: Path) -> str:
    from isocenter.bundle import open_bundle, state
    from isocenter.data import Plan
    from isocenter.infer import ready
    from isocenter.verbs._enclosing import described

    bundle = open_bundle(path)
    about, arrays = bundle.about.get("about", {}), state(bundle)
    if "network.onnx" not in arrays:
        return "checksums agree"
    plan = Plan.from_json(about["plan"])
    ready(arrays["network.onnx"].tobytes(), arrays["vector/input"], arrays["vector/output"], plan)
    return f"answers as at its export; envelope: {described(about.get('envelope'))}"
