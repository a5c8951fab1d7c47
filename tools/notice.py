"""Writes NOTICE: what isocenter builds on, from the installed metadata and the cards of the shipped bundles."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The extras that something in isocenter uses.
EXTRAS = ("train", "tune", "video")
HEAD = """isocenter
Copyright the isocenter authors. Licensed under the Apache License, Version 2.0 (see LICENSE).

This file is made by `make notice` from the metadata of the packages that isocenter asks for and from the cards of the
bundles that it ships. The packages are installed beside isocenter, not copied into it.
"""


def needs(name: str, extra: str = "") -> list[str]:
    """Names of the packages that a package asks for, with one extra."""
    found = []
    for line in distribution(name).requires or []:
        spec, _, marker = line.partition(";")
        wanted = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if wanted is None or wanted.group(1) == extra:
            found.append(re.split(r"[\s\[<>=!~(]", spec.strip())[0])
    return found


def closure(names: list[str]) -> dict[str, str]:
    """Every package reached from `names` that is installed, with its licence."""
    seen: dict[str, str] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen or key == "isocenter":
            continue
        try:
            seen[key] = licence(name)
        except PackageNotFoundError:
            continue
        todo += needs(name)
    return dict(sorted(seen.items()))


def licence(name: str) -> str:
    """Version and licence of one installed package, as its metadata state them."""
    meta = distribution(name).metadata
    stated = meta.get("License-Expression") or ""
    classified = [c.rpartition(" :: ")[2] for c in meta.get_all("Classifier") or [] if c.startswith("License")]
    text = stated or ", ".join(classified) or (meta.get("License") or "not stated").strip().split("\n")[0]
    return f"{meta['Version']}  {text}"


def bundles() -> list[str]:
    """A paragraph per shipped bundle: what it was trained on, whose data, under which licence."""
    lines = []
    for path in sorted((ROOT / "src/isocenter/bundle/shipped").glob("*/bundle.json")):
        card = json.loads(path.read_text(encoding="utf-8"))["card"]
        lines += [
            f"bundle {path.parent.name}",
            *(f"  {k}: {card[k]}" for k in ("data", "licence", "credit") if k in card),
            "",
        ]
    return lines


def main() -> None:
    """Writes NOTICE."""
    parts = [HEAD]
    core = set(needs("isocenter"))
    for title, own in (("Core", core), *((f"Extra `{e}`", set(needs("isocenter", e)) - core) for e in EXTRAS)):
        rows = [f"  {name}  {text}" for name, text in closure(sorted(own)).items()]
        parts += [f"{title}\n", "\n".join(rows) + "\n"]
    parts += ["Shipped bundles\n", "\n".join(bundles())]
    (ROOT / "NOTICE").write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
