"""Template matching: the mean picture of each class, looked for in several sizes and turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Boxes, Case, Cases, NotEvaluated, Watch, as_settings, build, knob, silent
from isocenter.errors import InputError
from isocenter.infer.detecting import rated
from isocenter.ops.array import Array
from isocenter.ops.boxes import area, clip, nms
from isocenter.ops.correlation import normalised_correlation
from isocenter.ops.resample import resize
from isocenter.tasks.detect._choose import Example, best, examples, limits_of, sides_of
from isocenter.tasks.detect._pixels import pixels

# Correlation below which nothing is answered, and IoU above which only the better of two answers remains.
LEAST, OVERLAP = 0.2, 0.3
# Shortest side of a template in pixels.
SHORTEST = 3
NAME = "template/"


@dataclass(frozen=True)
class Template:
    """The recipe of template matching: normalised cross-correlation over sizes and turns.

    Source: Lewis, Fast normalized cross-correlation, Vision Interface 1995.
    """

    scales: tuple[float, ...] | None = knob(
        None, "sizes of the templates, as factors; None: learnt from train", low=0.05, high=20.0
    )
    turns: int = knob(
        1, "directions of each template, evenly spaced over 360 degrees in the last two axes", low=1, high=72
    )
    fine: int = knob(
        16,
        "pixels across the smallest class at which it is looked for; images are made smaller before",
        low=4,
        high=512,
    )

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedTemplate:
        """Templates are the mean crops of each class in its median size; scales and limits by F1 on train.

        Raises
        ------
        LabelError
            A class has no box in train.
        """
        shown = examples(train)
        classes = shown[0].truth.classes
        sizes = [np.median(np.concatenate([_sizes(e, c) for e in shown]), 0) for c in range(len(classes))]
        factor = max(1.0, min(float(s.min()) for s in sizes) / self.fine)
        arrays = {f"{NAME}{c}": _mean_crop(shown, c, sizes[c] / factor) for c in range(len(classes))}
        about = {"recipe": as_settings(self), "classes": list(classes), "factor": factor, "limits": []}
        tried = SCALES if self.scales is None else (self.scales,)
        chosen = best([FittedTemplate({**about, "scales": list(s)}, arrays) for s in tried], shown, watch=watch)
        limits = limits_of(sides_of(chosen, shown), classes)
        return FittedTemplate({**chosen.about, "limits": list(limits)}, arrays)

    def of(self, templates: Mapping[str, Array]) -> FittedTemplate:
        """Matching with templates that are given; a score is the correlation.

        Parameters
        ----------
        templates
            Class to pixels (*window) or (channels, *window), cut from an image like those to be searched.

        Raises
        ------
        InputError
            No template, or one of less than three pixels across.
        """
        if not templates:
            raise InputError("there is no template", remedy="Give one a class, or learn them: fit(train, valid)")
        arrays, rank = {}, min(np.ndim(t) for t in templates.values())
        for i, (name, pixels_) in enumerate(templates.items()):
            array = np.asarray(pixels_, np.float32)
            array = array if array.ndim > rank or (rank == 3 and len(array) <= 4) else array[None]
            if min(array.shape[1:]) < SHORTEST:
                raise InputError(
                    "the template is too small", where=name, got=str(array.shape), wanted="3 pixels across"
                )
            arrays[f"{NAME}{i}"] = array
        about = {"recipe": as_settings(self), "classes": list(templates), "factor": 1.0, "limits": []}
        return FittedTemplate({**about, "scales": list(self.scales or (1.0,))}, arrays)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedTemplate:
        """The matching that `about` and `state` described."""
        return FittedTemplate(dict(about), dict(state))


# Sets of scales that `fit` tries.
SCALES = ((1.0,), (0.85, 1.0, 1.18), (0.7, 0.85, 1.0, 1.18, 1.4))


@dataclass(frozen=True, eq=False, repr=False)
class FittedTemplate:
    """Template matching that knows its templates.

    Parameters
    ----------
    about
        ``recipe``, ``classes``, ``factor`` (by which images are made smaller), ``scales``, ``limits`` (correlation of
        each class that becomes a score of 0.5; empty: the score is the correlation).
    arrays
        ``template/N`` float32 (channels, *window) of class N.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    def predict(self, case: Case) -> Boxes | NotEvaluated:
        """The boxes of the leading image, on its own grid; NotEvaluated where every template is larger than it."""
        array = pixels(case)
        if isinstance(array, NotEvaluated):
            return array
        image = case.image()
        own = np.asarray(image.geometry.shape)
        factor = np.asarray(own / np.maximum(1, np.round(own / self.about["factor"])))
        small = resize(array, tuple(int(n) for n in np.round(own / factor)))
        classes = tuple(self.about["classes"])
        fits, edges, scores, labels = False, [np.zeros((0, 2, len(own)))], [np.zeros(0)], [np.zeros(0, np.int64)]
        for c in range(len(classes)):
            for template in self._variants(c, small):
                fits = True
                found, sure = _peaks(small, template)
                edges.append(found)
                scores.append(sure)
                labels.append(np.full(len(sure), c))
        if not fits:
            least = min(tuple(a.shape[1:]) for a in self.arrays.values())
            seen, limit = (" x ".join(map(str, map(int, size))) for size in (small.shape[-len(own) :], least))
            return NotEvaluated("the templates are larger than the image", f"{seen} px", f"more than {limit} px")
        where = clip((np.concatenate(edges) + 0.5) * factor - 0.5, tuple(own))
        return self._answer(Boxes(where, np.concatenate(labels), classes, image.geometry, np.concatenate(scores)))

    def _answer(self, boxes: Boxes) -> Boxes:
        kept = boxes.chosen(area(boxes.edges) > 0)
        scores = np.zeros(0) if kept.scores is None else kept.scores
        kept = kept.chosen(nms(kept.edges, scores, limit=OVERLAP))
        if not self.about["limits"] or kept.scores is None:
            return kept
        return replace(kept, scores=rated(kept.scores, np.asarray(self.about["limits"])[kept.labels])).ranked()

    def _variants(self, c: int, image: Array) -> list[Array]:
        """The template in every scale and turn in which it fits into the image."""
        from scipy import ndimage

        base = self.arrays[f"{NAME}{c}"]
        base = np.repeat(base, len(image), 0) if len(base) == 1 else base
        base = base.mean(0, keepdims=True).repeat(len(image), 0) if len(base) != len(image) else base
        turns = build(Template, self.about["recipe"]).turns
        out = []
        for scale in self.about["scales"]:
            shape = tuple(max(SHORTEST, round(n * scale)) for n in base.shape[1:])
            if any(n > m for n, m in zip(shape, image.shape[1:], strict=True)):
                continue
            sized = resize(base, shape)
            for k in range(turns):
                angle = 360.0 * k / turns
                turned = ndimage.rotate(sized, angle, axes=(-2, -1), reshape=False, order=1, mode="nearest")
                out.append(sized if k == 0 else turned)
        return out


def _peaks(image: Array, template: Array) -> tuple[Array, Array]:
    """Edges (n, 2, axes) and scores (n,) of the local maxima of the correlation."""
    from scipy import ndimage

    found = normalised_correlation(image, template)
    window = template.shape[1:]
    top = (found == ndimage.maximum_filter(found, [max(1, n // 2) for n in window])) & (found >= LEAST)
    low = np.argwhere(top).astype(float) - 0.5
    return np.stack((low, low + np.asarray(window)), 1), found[top]


def _sizes(example: Example, c: int) -> Array:
    return np.asarray(example.truth.sizes[example.truth.labels == c])


def _mean_crop(shown: Sequence[Example], c: int, size: Array) -> Array:
    """float32 (channels, *window): mean of the boxes of a class, each brought to `size` pixels."""
    window = tuple(max(SHORTEST, round(float(n))) for n in size)
    crops = []
    for example in shown:
        for edges in example.truth.edges[example.truth.labels == c]:
            low = np.clip(np.round(edges[0] + 0.5), 0, np.asarray(example.array.shape[1:]) - 1).astype(int)
            high = np.maximum(np.round(edges[1] + 0.5).astype(int), low + 1)
            cut = example.array[(slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))]
            crops.append(resize(cut, window))
    return np.asarray(np.mean(crops, 0), np.float32)
