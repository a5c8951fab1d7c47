"""One gate: what share of images that a bundle was never meant for it refuses, and of those that it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import isocenter as iso
from isocenter.data import Image
from isocenter.errors import IsocenterError
from isocenter.files import write_text
from isocenter.layouts import read as read_cases
from isocenter.metrics.ranking import auc_interval, weighted_auc
from isocenter.metrics.resample import percentile_interval, weights, wilson
from real.run import BUNDLES, RESULTS, sources_mark
from real.table import show

GATES = RESULTS / "gates"
ENDS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".nii.gz", ".nii")
# Words in the names of label maps, which are no images.
NOT = ("mask", "label", "seg", "manual", "vessels", "_spleen")
# Pictures of everyday things that come with scikit-image.
PHOTOGRAPHS = ("astronaut", "camera", "coffee", "chelsea", "rocket", "coins", "clock", "page", "brick", "grass")
NOISES = 20
HEAD = """
## Gates

Made by `make real ROWS=none GATES=...`; each gate is one file in `real/gates/`. A bundle says which images look like
those that it was trained on; it answers no others. Its limit was set on `val`. Refused of its own kind: the set's
`test`, resampled by subject. Refused of others: images of other sets, photographs and noise, resampled by set (by
Wilson's interval where all sets agree); area under the ROC curve of the distance, own `test` against all others.
"""


@dataclass(frozen=True)
class Gate:
    """What is asked of which gate.

    Parameters
    ----------
    name
        Of the file and the results.
    row
        Whose bundle it is.
    data, task
        The set that it was trained on.
    others
        Folders of sets that it was not meant for; some images of each.
    most
        Images of each.
    must
        AUROC, and share of others that are refused.
    """

    name: str
    row: str
    data: str
    task: str
    others: tuple[str, ...]
    most: int = 60
    must: tuple[float, float] = (0.98, 0.95)


def run(gate: Gate, data: Path, *, seed: int = 0) -> dict[str, Any]:
    """Everything that docs/results.md shows of one gate, written to docs/results/gates/NAME.json as well."""
    said = json.loads((RESULTS / f"{gate.row}.json").read_text(encoding="utf-8"))
    name = f"{gate.row}-{said['row']['method']}" if said["row"].get("candidates") else gate.row
    envelope = iso.load(BUNDLES / f"{name}.bundle").envelope
    own = read_cases(data / gate.data, task=gate.task).split("test")
    inside = [judged(envelope, case.image()) for case in own]
    groups = {"photographs": list(photographs()), "noise": list(noises(seed))}
    groups |= {other: list(pictures(data / other, gate.most, seed)) for other in gate.others}
    outside = {what: [judged(envelope, image) for image in images] for what, images in groups.items() if images}
    result = {
        "format": 1, "gate": asdict(gate), "bundle": name, "sources": sources_mark(), "seed": seed,
        "limit": envelope.limit, "own": own_share(inside, own.groups, seed), "others": shares(outside, seed),
        "auroc": ranked(inside, [j for found in outside.values() for j in found]),
    }  # fmt: skip
    write_text(GATES / f"{gate.name}.json", json.dumps(result, indent=1) + "\n", overwrite=True)
    return result


def judged(envelope: Any, image: Image) -> tuple[bool, float]:
    """Whether an image is refused, and its distance; one without a look is infinitely far."""
    distance = envelope.distance(image.channels_first())
    return envelope.refused(image) is not None, np.inf if distance is None else float(distance)


def pictures(folder: Path, most: int, seed: int) -> Iterator[Image]:
    """Some images of a folder, drawn by the seed; label maps, films and what cannot be read are passed over."""
    files = [p for p in sorted(folder.rglob("*")) if p.name.lower().endswith(ENDS)]
    files = [p for p in files if not any(w in str(p.relative_to(folder)).lower() for w in NOT)]
    left = most
    for i in np.random.default_rng(seed).permutation(len(files)):
        try:
            image = iso.read(files[i]).image()
            if "t" not in image.axes and np.isfinite(image.channels_first()).all():
                left -= 1
                yield image
        except IsocenterError:
            continue
        if not left:
            return


def photographs() -> Iterator[Image]:
    """Everyday pictures."""
    from skimage import data

    for name in PHOTOGRAPHS:
        array = np.asarray(getattr(data, name)())
        yield Image.from_array(array) if array.ndim == 2 else Image.from_array(np.moveaxis(array, -1, 0), axes="cyx")


def noises(seed: int) -> Iterator[Image]:
    """Pixels that know nothing of each other."""
    rng = np.random.default_rng(seed)
    for i in range(NOISES):
        wide = rng.normal(128, 20 + 4 * (i % 10), (256 + 16 * i, 320))
        yield Image.from_array(np.clip(wide, 0, 255).astype(np.uint8))


def own_share(found: list[tuple[bool, float]], groups: tuple[str, ...], seed: int) -> dict[str, Any]:
    """Share of the set's own images that are refused, with an interval by subject."""
    refused = np.asarray([r for r, _ in found], np.float64)
    _, index = np.unique(groups, return_inverse=True)
    draws = np.concatenate([(w @ refused) / w.sum(1) for w in weights(index, 2000, seed)])
    low, high = percentile_interval(draws, 0.95, int(index.max()) + 1)
    return {"value": float(refused.mean()), "low": low, "high": high, "n": len(found),
            "n_subjects": int(index.max()) + 1}  # fmt: skip


def shares(found: dict[str, list[tuple[bool, float]]], seed: int) -> dict[str, Any]:
    """Refused of all other images and of each kind; Wilson's interval for a kind, resampled kinds for all."""
    counts = {what: (sum(r for r, _ in some), len(some)) for what, some in found.items()}
    kinds = {}
    for what, (hits, n) in counts.items():
        low, high = wilson(hits, n, 0.95)
        kinds[what] = {"value": hits / n, "low": low, "high": high, "n": n}
    table = np.asarray(list(counts.values()), np.float64)
    hits, n = table.T
    draws = np.concatenate([(w @ hits) / (w @ n) for w in weights(np.arange(len(table)), 2000, seed)])
    low, high = percentile_interval(draws, 0.95, len(table))
    if low == high:
        # Every draw of sets says the same: what is left is the chance of single images.
        low, high = wilson(float(hits.sum()), float(n.sum()), 0.95)
    every = {"value": float(hits.sum() / n.sum()), "low": low, "high": high, "n": int(n.sum())}
    return {"all": every, "kinds": kinds}


def ranked(inside: list[tuple[bool, float]], outside: list[tuple[bool, float]]) -> dict[str, Any]:
    """Area under the ROC curve of the distance, with DeLong's interval."""
    scores = np.asarray([d for _, d in (*inside, *outside)])
    truth = np.arange(len(scores)) >= len(inside)
    low, high = auc_interval(scores, truth, 0.95)
    return {"value": float(weighted_auc(scores, truth)(np.ones((1, len(scores))))[0]), "low": low, "high": high,
            "n": len(scores)}  # fmt: skip


def section(folder: Path) -> str:
    """The part of docs/results.md about docs/results/gates/*.json; nothing where there is none."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))]
    return "\n".join([HEAD, *(line for one in found for line in _lines(one)), ""]) if found else ""


def _lines(one: dict[str, Any]) -> list[str]:
    gate, others = one["gate"], one["others"]
    auroc, share = (("reached" if v["value"] >= must else "**missed**") for v, must in
                    zip((one["auroc"], others["all"]), gate["must"], strict=True))  # fmt: skip
    rows = [
        f"| AUROC, other sets | {_number(one['auroc'])} | {gate['must'][0]} {auroc} |",
        f"| refused of other sets | {_number(others['all'])} | {gate['must'][1]} {share} |",
        f"| refused of its own `test` ({one['own']['n_subjects']} subjects) | {_number(one['own'])} | 0.05 on `val` |",
        *(f"| refused of {what} | {_number(value)} | |" for what, value in others["kinds"].items()),
    ]
    head = ["| what | figure (95 % interval) | must |", "|---|---|---|"]
    return [f"{one['bundle']}, trained on {gate['data']}:", "", *head, *rows, ""]


def _number(value: dict[str, Any]) -> str:
    return f"{show(value['value'])} ({show(value['low'])} to {show(value['high'])}), n = {value['n']}"
