"""An explanation with its checks, as numbers, as a sentence and as a page."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isocenter.data import Array, Attribution, Case, Segmentation
from isocenter.errors import GeometryError
from isocenter.verbs._method import Method
from isocenter.verbs._pictures import plane_spacing, shown
from isocenter.verbs._text import number

if TYPE_CHECKING:
    from isocenter.metrics.faithfulness import Curve
    from isocenter.report import Run

# Curves at which the map beats a random order, of how many.
GAINS = {
    (2, 2): "beats a random order at deletion and at insertion",
    (1, 2): "beats a random order at one of deletion and insertion, not at both",
    (0, 2): "does no better than a random order",
}


@dataclass(frozen=True, eq=False)
class Examined:
    """A map and all that was measured on it.

    Parameters
    ----------
    found
        The map.
    curves
        ``"deletion"`` and ``"insertion"``; empty without checks.
    numbers
        Every check by its name: those of `isocenter.metrics.faithfulness.checked`, ``completeness``, and with a truth
        ``pointing_game`` and ``iou_same_size``.
    truth
        bool (*grid), or None.
    """

    found: Attribution
    curves: Mapping[str, Curve] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    truth: Array | None = None

    def as_json(self) -> dict[str, Any]:
        """Numbers and the points of the curves."""
        curves = {
            name: {"shares": [float(s) for s in c.shares], "answers": [float(a) for a in c.answers],
                   "random": [float(r) for r in c.random]}
            for name, c in self.curves.items()
        }  # fmt: skip
        return {"checks": {k: float(v) for k, v in self.numbers.items()}, "curves": curves}


def examined(explainer: Any, predictor: Any, case: Case, *, found: Attribution, truth: Any, checks: bool) -> Examined:
    """The map with its checks; GeometryError where the truth lies on another grid."""
    from isocenter.metrics.explain import iou_same_size, pointing_game, truth_mask
    from isocenter.metrics.faithfulness import Checked, checked

    made = checked(explainer, predictor, case, found) if checks else Checked(found)
    numbers = dict(made.found.checks)
    if found.completeness is not None:
        numbers["completeness"] = found.completeness
    mask = truth_mask(truth, found)
    if mask is not None:
        if mask.shape != found.values.shape:
            raise GeometryError("the truth lies on another grid", got=str(mask.shape), wanted=str(found.values.shape))
        for key, metric in (("pointing_game", pointing_game), ("iou_same_size", iou_same_size)):
            numbers[key] = metric(found, truth)["values"]["all"]
    return Examined(made.found, made.curves, numbers, mask)


def truth_of(path: str | Path | None, case: Case) -> Any:
    """The mask that a file holds, everything above 0; without a file the case's own truth."""
    if path is None:
        return case.truth()
    from isocenter.io import read_image

    image = read_image(path)
    labels = (image.channels_first().max(axis=0) > 0).astype(np.uint8)
    return Segmentation(labels, ("background", "truth"), image.geometry)


def sentence(seen: Examined, *, name: str) -> str:
    """What the method answers and whether the map is to be believed."""
    from isocenter.report.section_explanations import MARGIN, SAME

    numbers, found = seen.numbers, seen.found
    said = f'{name}, asked about "{found.target}".'
    if "answer" in numbers:
        said = f'{name} gives "{found.target}" the probability {numbers["answer"]:.2f}.'
    gains = [sign * (numbers[k] - numbers[f"{k}_random"]) > MARGIN
             for k, sign in (("deletion", -1), ("insertion", 1)) if k in numbers]  # fmt: skip
    if gains:
        said += f" The map by {found.method} {GAINS[sum(gains), len(gains)]}."
    if abs(numbers.get("randomised", 0.0)) >= SAME:
        said += " It hardly changes when the weights are drawn anew: it shows the image more than the method."
    if "pointing_game" in numbers:
        said += f" Its highest pixel lies {'in' if numbers['pointing_game'] else 'outside'} the truth."
    return said


def words(seen: Examined) -> list[str]:
    """The checks, a line each."""
    n = seen.numbers
    lines = [
        f"{key}: area {number(n[key])}, in random order {number(n[f'{key}_random'])} ({better} is better)"
        for key, better in (("deletion", "lower"), ("insertion", "higher")) if key in n
    ]
    if "randomised" in n:
        lines.append(f"weights drawn anew: rank correlation {number(n['randomised'])} (near 0 is right)")
    if "completeness" in n:
        lines.append(f"completeness: error {number(n['completeness'])} (at most 0.01)")
    if "pointing_game" in n:
        hit = "lies in the truth" if n["pointing_game"] else "lies outside the truth"
        size = number(n["iou_same_size"])
        lines.append(f"pointing game: the highest pixel {hit}; IoU at the truth's own size {size}")
    return lines


def explanation(seen: Examined, case: Case, *, task: str) -> Any:
    """The value that the report draws: of a volume the slice in which the map is strongest."""
    from isocenter.report.section_explanations import CheckedExplanation

    image, found = case.image(), seen.found
    array, values, truth, text = image.channels_first(), found.values, seen.truth, ""
    if image.ndim == 3:
        z = int(np.argmax(np.abs(values).sum((1, 2))))
        array, values, truth = array[:, z], values[z], None if truth is None else truth[z]
        text = f"slice {z + 1} of {image.geometry.shape[0]}, where the map is strongest"
    whole = "mean probability in the region" if task == "segment" else "probability"
    return CheckedExplanation(
        shown(array, image), values, found.target, found.method, case.id, plane_spacing(image), seen.numbers, text,
        {name: (c.shares, c.answers, c.random) for name, c in seen.curves.items()}, truth,
        f"{whole} of {found.target}",
    )  # fmt: skip


def explain_run(seen: Examined, case: Case, *, asked: Method, explainer: Any, command: str = "") -> Run:
    """The page of one explanation."""
    from isocenter.report import Run

    image = case.image()
    facts = {"explained by": seen.found.method, "method": asked.name,
             "image size": " x ".join(map(str, image.geometry.shape)) + f" ({image.axes})"}  # fmt: skip
    return Run(
        title=f"Why {seen.found.target}? {asked.name}, explained by {seen.found.method}",
        task=asked.task, verb="explain", created=stamp(), command=command, headline=sentence(seen, name=asked.name),
        plan=recipe_of(explainer), explanations=(explanation(seen, case, task=asked.task),), facts=facts,
        made={"method": f"{asked.task}/{asked.method}", "notice": "research use only"},
        notes=("A map pictures the network, not the disease.",),
        identifiers=tuple(i for i in (case.id, case.subject, *image.source.files) if i),
    )  # fmt: skip


def recipe_of(explainer: Any) -> dict[str, Any]:
    """The recipe of an explanation without what it explains and what was left open."""
    plain: dict[str, Any] = {f.name: getattr(explainer, f.name) for f in fields(explainer) if f.name != "of"}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items() if v is not None}


def stamp() -> str:
    """Now, as ISO 8601 text."""
    return datetime.datetime.now(datetime.UTC).astimezone().isoformat(timespec="seconds")
