"""What a person asks for: one file a verb, each returning a value with `as_json()` and `lines()`.

>>> from isocenter.verbs import verb
>>> verb("methods")("segment").as_json()["task"]
'segment'
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from isocenter.errors import NotFoundError, nearest

__all__ = ["VERBS", "verb"]

VERBS: Mapping[str, str] = MappingProxyType({
    "demo": "an offline tour on real images; one report",
    "look": "what is this? series, geometry, units, problems, what could be asked of it",
    "check": "pre-flight of a data set: geometry, labels, leakage, near copies, time and memory",
    "split": "write a table with train, val and test by group, stratified and seeded",
    "train": "learn a method on train, stop and set thresholds on val, write a bundle",
    "tune": "search the recipe of a method on val; what that gained is measured once on test",
    "predict": "answer new images with a bundle or a classical method",
    "correct": "an edited label file becomes a new version of an answer, with author and date",
    "evaluate": "score one method on one split, every number with its interval",
    "compare": "several methods on the same cases: one table, paired tests, one report",
    "explain": "which pixels an answer rests on",
    "measure": "numbers read off labels: a row an object, a summary an image, relations, curves over time",
    "transform": "turned, flipped, cut, resampled, or brought over by a transform file, with all that lies on it",
    "mosaic": "overlapping images joined into one panorama: leg X-rays, fields of a slide, bed positions",
    "follow": "lesions over time: which is which, change of size with its error, sums after RECIST 1.1",
    "methods": "what there is to use, and every setting of it",
    "models": "the bundles that come with isocenter",
    "paper": "write up a run: methods, Table 1, flow of cases, checklists, references",
    "reproduce": "a run once more from its record: equal bit for bit, or what differs and why",
    "export": "the network of a bundle as ONNX, with what it needs to be used",
    "convert": "foreign weights (.pth) to safetensors, in a process of its own",
    "doctor": "is this machine fit? versions, threads, memory, bundles",
})


def verb(name: str) -> Callable[..., Any]:
    """The function of a verb; NotFoundError names the nearest."""
    known = [v for v in VERBS if Path(__file__).with_name(f"{v}.py").is_file()]
    if name not in known:
        raise NotFoundError(f"no verb {name!r}", remedy=nearest(name, known))
    found: Callable[..., Any] = getattr(importlib.import_module(f"isocenter.verbs.{name}"), name)
    return found
