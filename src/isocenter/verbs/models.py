"""The bundles that come with isocenter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isocenter.verbs._text import table


@dataclass(frozen=True)
class Models:
    """Shipped bundles.

    Parameters
    ----------
    items
        Name to what is said about it: task, method, classes, text, licence, envelope, megabytes.
    """

    items: Mapping[str, Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"format": 1, "models": {name: dict(item) for name, item in self.items.items()}}

    def lines(self) -> list[str]:
        """One table."""
        if not self.items:
            return ["no bundle comes with this version", "next: isocenter train TASK DATA -o BUNDLE"]
        rows = [(name, i["text"] or "-", f"{i['task']}/{i['method']}", f"{i['megabytes']:.1f} MB", i["licence"] or "-")
                for name, i in self.items.items()]
        first = next(iter(self.items))
        free = [name for name, i in self.items.items() if i["envelope"].startswith("none")]
        note = [f"without an envelope, so every image is answered: {', '.join(free)}"] if free else []
        return [*table(("name", "what", "method", "size", "licence"), rows, right=[3]), "", *note,
                f"next: isocenter predict {first} IMAGE -o OUT"]


def models() -> Models:
    """The bundles that come with isocenter, checked against their checksums; raises BundleError for a damaged one."""
    from isocenter.bundle import open_bundle, shipped
    from isocenter.verbs._enclosing import described

    items: dict[str, dict[str, Any]] = {}
    for name, path in shipped().items():
        bundle = open_bundle(path)
        card = dict(bundle.about.get("card", {}))
        size = sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
        items[name] = {
            "task": bundle.task,
            "method": bundle.method,
            "classes": list(bundle.about.get("about", {}).get("classes", [])),
            "text": str(card.get("intended_use") or ""),
            "licence": str(card.get("licence") or ""),
            "envelope": described(bundle.about.get("about", {}).get("envelope")),
            "megabytes": round(size / 1e6, 2),
            "path": str(path),
        }
    return Models(items)
