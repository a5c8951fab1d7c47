"""Cases drawn for a report: the worst, the median, the best; curves; an explanation; augmented samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.data import (
    Array,
    Boxes,
    Case,
    Cases,
    Image,
    Instances,
    NotEvaluated,
    Probabilities,
    Scores,
    Segmentation,
    Tracks,
    Transform,
    Value,
    Values,
)
from isocenter.errors import IsocenterError
from isocenter.report import Curves, Explanation, Picture, extremes, pick_slice
from isocenter.verbs._method import Method
from isocenter.verbs._object_pictures import box_marks, objects_picture
from isocenter.verbs._overlaid import is_pair, overlaid
from isocenter.verbs._text import number
from isocenter.verbs._track_pictures import tracks_picture


def pictures_of(method: Method, scores: Scores, *, cases: Cases, target: str = "") -> tuple[Picture, ...]:
    """The worst, median and best case of a method, answered again (answers are not kept).

    Nothing for a method that was fitted anew in every fold: there is no one that could answer.
    """
    if method.learns:
        return ()
    wanted = _worth_drawing(scores, target)
    entries = {e.id: e for e in cases.entries}
    out: list[Picture] = []
    for rank, name in wanted.items():
        try:
            case = entries[name].open()
            drawn = picture(case, method.object.predict(case))
        except (IsocenterError, KeyError):
            # The case could be read when it was scored; a picture less is no reason to lose a report.
            continue
        if drawn is not None:
            score = _case_text(scores, name, target)
            out.append(replace(drawn, rank=rank, text=", ".join(t for t in (score, drawn.text) if t)))
    return tuple(out)


def picture(case: Case, answer: Any) -> Picture | None:
    """One case with truth and answer, as the slice that says most; of films those that are followed alone."""
    truth = case.truth()
    if isinstance(answer, Tracks):
        return tracks_picture(case, answer)
    if is_pair(case) and isinstance(answer, Transform | NotEvaluated):
        return overlaid(case, answer, truth)
    image = case.image()
    if isinstance(truth, Boxes | Instances) or isinstance(answer, Boxes | Instances):
        return objects_picture(case, answer)
    if "t" in image.axes:
        return None
    array = image.channels_first()
    told, said = (t.labels if isinstance(t, Segmentation) else None for t in (truth, answer))
    if image.ndim == 3:
        z = pick_slice(array[0], told, said)
        array, told, said = array[:, z], _cut(told, z), _cut(said, z)
    names = next((t.names for t in (truth, answer) if isinstance(t, Segmentation)), ())
    if isinstance(truth, Segmentation) and isinstance(answer, Segmentation) and said is not None:
        said = _renamed(said, answer.names, wanted=truth.names)
    return Picture(shown(array, image), told, said, names, plane_spacing(image), case.id, text=_words(truth, answer))


def shown(array: Array, image: Image) -> Array:
    """(c, y, x) as what a picture takes: (y, x) numbers, or colours where the image is a colour photograph."""
    if len(array) >= 3 and array.dtype == np.uint8 and image.length("c") in (3, 4):
        return np.ascontiguousarray(np.moveaxis(array[:3], 0, -1))
    return np.asarray(array[0])


def plane_spacing(image: Image) -> tuple[float, float] | None:
    """mm per axis (y, x), or None."""
    spacing = image.geometry.spacing
    return None if spacing is None else (float(spacing[-2]), float(spacing[-1]))


def curves_of(scores: Scores, cases: Cases, *, thresholds: Sequence[float] = ()) -> tuple[Curves, ...]:
    """ROC with band, reliability and confusion of a classifier; nothing for other scores.

    Parameters
    ----------
    scores
        Of one method.
    cases
        That were scored; they name the class that leads.
    thresholds
        Per class, where the method decides by thresholds that were chosen on val.
    """
    if scores.task != "classify":
        return ()
    at = cases.classes.index(cases.positive) if cases.positive in cases.classes else None
    threshold = float(thresholds[at]) if at is not None and len(thresholds) == len(cases.classes) else None
    return (Curves.of(scores, cases.positive, threshold=threshold),)


def explanation_of(method: Method, scores: Scores, *, cases: Cases) -> tuple[Explanation, ...]:
    """Grad-CAM of one case; nothing without torch, or where the network cannot be opened."""
    from isocenter import catalog

    name = next(iter(_worth_drawing(scores).values()), scores.cases[0].case)
    try:
        case = next(e for e in cases.entries if e.id == name).open()
        cls: Any = catalog.find("explain", "gradients")
        found = cls(of=method.object).predict(case)
    except IsocenterError:
        return ()
    if isinstance(found, NotEvaluated) or "t" in case.image().axes:
        return ()
    image, values = case.image(), found.values
    array = image.channels_first()
    if image.ndim == 3:
        z = int(np.argmax(np.abs(values).sum((1, 2))))
        array, values = array[:, z], values[z]
    numbers = {} if found.completeness is None else {"completeness error": float(found.completeness)}
    return (
        Explanation(shown(array, image), values, found.target, found.method, case.id, plane_spacing(image), numbers),
    )


def samples_of(method: Method, cases: Cases, *, seed: int, n: int = 16) -> tuple[Picture, ...]:
    """Training samples as the network saw them, augmented; nothing for methods without a study."""
    about: Any = getattr(method.object, "about", None) or {}
    # The images of a pair lie on one grid only after the method brought them near.
    if "scheme" not in about or "train" not in cases.splits or method.task == "register":
        return ()
    from isocenter.fit import Scheme
    from isocenter.fit.feed import Shelf, sample

    train = _learnt(cases.split("train").labelled, about)
    if "t" in train[0].image().axes:
        # A film is not drawn.
        return ()
    shelf = Shelf(train, Scheme.from_json(about["scheme"]))
    # A number is no class: there is nothing to name.
    names = () if cases.task == "regress" else tuple(about["plan"]["classes"])
    return tuple(_sample(*sample(shelf, 0, k, seed=seed, size=n), names=names) for k in range(n))


def _learnt(train: Cases, about: Mapping[str, Any]) -> Cases:
    """The cases of train without those of classes of which the method saw none, as one that learns what is normal."""
    counts = (about.get("fingerprint") or {}).get("counts") or {}
    return train.subset([i for i, e in enumerate(train.entries) if all(counts.get(name, 1) for name in e.labels)])


def _sample(image: Array, target: Any, *, names: tuple[str, ...]) -> Picture:
    """One sample, (c, *patch) with its target, as a picture: its middle slice where it has several."""
    # Of several parts of a target the first says what is where.
    target = target[0] if isinstance(target, tuple) else target
    labels = target if target.shape == image.shape[1:] else None
    if labels is None and target.ndim == 2:
        return _boxed_sample(image, target, names)
    held = zip(names, target, strict=True) if target.ndim == 1 and names else ()
    text = " + ".join(c for c, v in held if v >= 0.5)
    if image.ndim == 4:
        z = pick_slice(image[0], labels)
        image, labels = image[:, z], _cut(labels, z)
    return Picture(image[0], labels, None, names if labels is not None else (), text=text)


def _boxed_sample(image: Array, rows: Array, names: tuple[str, ...]) -> Picture:
    """One sample with its boxes (k, 2 rank + 1): edges and class; of a volume the slice that most boxes cross."""
    rank = image.ndim - 1
    edges, kinds = rows[:, : 2 * rank].reshape(-1, 2, rank), rows[:, -1]
    if rank == 3:
        planes = np.arange(image.shape[1])[:, None]
        inside = (edges[None, :, 0, 0] < planes) & (planes < edges[None, :, 1, 0])
        z = int(np.argmax(inside.sum(1)))
        image, edges, kinds = image[:, z], edges[inside[z]][:, :, 1:], kinds[inside[z]]
    return Picture(image[0], text=f"{len(edges)} boxes", marks=box_marks(edges, kinds, names))


def _worth_drawing(scores: Scores, target: str = "") -> dict[str, str]:
    if scores.task == "classify":
        return _by_truth(scores)
    for key, targets in scores.metrics.items():
        found = extremes(scores, key, target if target in targets else "")
        if found:
            return dict(found)
    return {}


def _by_truth(scores: Scores) -> dict[str, str]:
    """Worst, median and best by the probability that the answer gave to what is true."""
    from isocenter.metrics import answers

    found = answers([c.records["auc"] for c in scores.cases])
    given = np.where(found.answered, np.where(found.truth, found.p, 1 - found.p).min(axis=1), -1.0)
    order = np.argsort(given, kind="stable")
    places = {"worst": order[0], "median": order[(len(order) - 1) // 2], "best": order[-1]}
    out: dict[str, str] = {}
    for rank, at in places.items():
        if scores.cases[at].case not in out.values():
            out[rank] = scores.cases[at].case
    return out


def _case_text(scores: Scores, name: str, asked: str) -> str:
    from isocenter.report.percase import case_values

    at = next(i for i, c in enumerate(scores.cases) if c.case == name)
    for key, targets in scores.metrics.items():
        target = next(t for t in (asked, "all", *targets) if t in targets)
        values = case_values(scores, key, target) if scores.task != "classify" else None
        if values and values[at] is not None:
            return f"{key} {number(values[at])}"
    return ""


def _words(truth: Any, answer: Any) -> str:
    if isinstance(answer, NotEvaluated):
        return answer.line()
    if isinstance(truth, Probabilities) and isinstance(answer, Probabilities):
        right = " + ".join(truth.decision)
        return f"truth: {right}; answer: {' + '.join(answer.decision)} ({number(max(answer.values))})"
    if isinstance(truth, Values) and isinstance(answer, Values):
        return "; ".join(_numbers(name, told, answer) for name, told in truth.items.items())
    return ""


def _numbers(name: str, told: Value, answer: Values) -> str:
    found = answer.items.get(name)
    if found is None:
        return f"{name}: truth {number(told.number)}; no answer"
    reach = "" if found.low is None else f" ({number(found.low)} to {number(found.high)})"
    return f"{name}: truth {number(told.number)}; answer {number(found.number)}{reach} {found.unit}".rstrip()


def _cut(labels: Array | None, z: int) -> Array | None:
    return None if labels is None else labels[z]


def _renamed(labels: Array, names: tuple[str, ...], *, wanted: tuple[str, ...]) -> Array:
    """Labels numbered as `wanted` numbers them; a region that it lacks takes the first number."""
    table = np.arange(256, dtype=np.uint8)
    for i, name in enumerate(names[1:], start=1):
        table[i] = wanted.index(name) if name in wanted else 1
    return table[labels]
