"""The network of a bundle as ONNX, with what is needed to use it elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.errors import UsageError
from isocenter.files import write_bytes, write_text
from isocenter.verbs._method import opened


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    network, sidecar
        The ONNX file, and the JSON file beside it.
    about
        Content of the sidecar.
    """

    network: Path
    sidecar: Path
    about: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"format": 1, "network": str(self.network), "sidecar": str(self.sidecar), "about": dict(self.about)}

    def lines(self) -> list[str]:
        """Where it lies."""
        return [
            f"network: {self.network}",
            f"what it needs: {self.sidecar} (input, intensity, grid, classes, thresholds)",
            f"next: isocenter predict {self.about['bundle']} INPUT -o OUT",
        ]


def export(bundle: str | Path, out: str | Path, *, overwrite: bool = False) -> Exported:
    """Writes the network of a bundle.

    Parameters
    ----------
    bundle
        Path or name.
    out
        A ``.onnx`` file; ``.json`` of the same name is written beside it: the plan (grid, intensity, windows,
        thresholds), classes and the checksum.
    overwrite
        Replace what is there.

    Raises
    ------
    UsageError
        The bundle holds no network.
    OutputError
        A file exists, or cannot be written.
    """
    import hashlib

    target = Path(out)
    if target.suffix != ".onnx":
        raise UsageError("networks are exported as ONNX", got=target.name, wanted="FILE.onnx")
    found = opened(bundle)
    arrays, kept = found.object.state(), found.bundle
    if kept is None or "network.onnx" not in arrays:
        raise UsageError(
            f"{found.name} holds no network: {found.task}/{found.method} is numbers alone", got=str(bundle)
        )
    data = arrays["network.onnx"].tobytes()
    about = {
        "format": 1,
        "bundle": str(bundle),
        "task": found.task,
        "method": found.method,
        "sha256": hashlib.sha256(data).hexdigest(),
        "plan": kept.about["about"].get("plan", {}),
        "classes": kept.about["about"].get("classes", []),
        "input": "float32 (n, channels, *patch)",
        "output": "logits (n, classes[, *patch])",
        "vector": {k.removeprefix("vector/"): list(a.shape) for k, a in arrays.items() if k.startswith("vector/")},
        "made": kept.about.get("made", {}),
        "card": kept.about.get("card", {}),
        "notice": "Research use only. Not a medical device.",
    }
    write_bytes(target, data, overwrite=overwrite)
    sidecar = target.with_suffix(".json")
    write_text(sidecar, json.dumps(about, indent=1, allow_nan=False) + "\n", overwrite=overwrite)
    return Exported(target, sidecar, about)
