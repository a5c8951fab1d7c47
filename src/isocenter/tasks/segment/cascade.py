"""Cascade: find the region coarsely, segment it in full, and where asked look again with the first answer as context.

Stage 1 sees the whole image on a coarse grid and says where anything is; stage 2 sees that region with a margin on the
image's own grid and learns two tasks at once, the labels and the distance to each region's edge; stage 3 sees it once
more beside the probabilities of stage 2 (coarse to fine as in Roth et al., Comput. Med. Imaging Graph. 2018; two tasks
after Murugesan et al., EMBC 2019; auto-context after Tu and Bai, TPAMI 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from isocenter.data import Case, Cases, NotEvaluated, Progress, Segmentation, Study, Watch, as_settings, knob, silent
from isocenter.errors import BundleError, RecipeError
from isocenter.infer import unusable
from isocenter.ops.array import Array
from isocenter.tasks._named import under
from isocenter.tasks._network import plan_of
from isocenter.tasks.segment._fitted import FittedSegmenter
from isocenter.tasks.segment._stages import (
    box_of,
    changed,
    coarse_shape,
    coarsened,
    cut,
    joined,
    localised,
    seen_as,
    shrunk,
)
from isocenter.tasks.segment.unet import UNet

STAGES = ("coarse", "fine", "again")
# Of the time, per network that is trained: the coarse one learns on few pixels.
SHARES = {"coarse": 1.0, "fine": 3.0, "half": 1.5, "again": 3.0}
SIDE = {2: 96, 3: 48}


@dataclass(frozen=True)
class Cascade:
    """The recipe of a cascade of U-Nets."""

    coarse: UNet = knob(UNet, "stage 1: where anything is")
    fine: UNet = knob(
        UNet, "stage 2: what it is, by two tasks unless fine.form.distance is false; also the recipe of stage 3"
    )
    again: bool = knob(
        False,
        "stage 3: look again beside the probabilities of stage 2; for training they come from networks that did not "
        "learn from the case, so it costs two more half trainings",
        source="Tu and Bai, TPAMI 2010",
    )
    side: int | None = knob(
        None, "longest axis of the coarse grid; None: 96, of volumes 48", unit="pixels", low=16, high=512
    )
    margin: float = knob(0.15, "added on each side of the region, a share of its extent", low=0.0, high=2.0)

    @property
    def study(self) -> Study:
        """How stage 2 learns."""
        return self.fine.study

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedCascade:
        """Trains the stages one after the other; each stops on what it would see of `valid`.

        Raises
        ------
        RecipeError
            A plan was handed over: there are several networks.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        if watch.plan is not None:
            raise RecipeError("a cascade has no single plan", remedy="Set coarse.* and fine.* instead")
        side, fine = self.side or SIDE[train[0].image().ndim], self._fine()
        run = _Run(watch, ("coarse", "fine", "half", "half", "again") if self.again else ("coarse", "fine"))
        whole = [
            changed(c, lambda case: coarsened(case, side), classes=("foreground",), codes={}, positive=None)
            for c in (train, valid)
        ]
        parts = [changed(c, lambda case: localised(case, side, self.margin)) for c in (train, valid)]
        stages = [run.next(self.coarse, *whole), run.next(fine, *parts)]
        if self.again:
            stages.append(self._again(stages[1], parts, run, recipe=fine))
        said = {"recipe": as_settings(self), "side": side, "classes": ["background", *train.classes],
                "history": stages[-1].about["history"], "origins": stages[-1].about["origins"]}  # fmt: skip
        return FittedCascade(said, tuple(stages))

    def _fine(self) -> UNet:
        form = self.fine.form
        return self.fine if form.distance is not None else replace(self.fine, form=replace(form, distance=True))

    def _again(self, fine: FittedSegmenter, parts: list[Cases], run: _Run, *, recipe: UNet) -> FittedSegmenter:
        train, valid = parts
        names = sorted(set(train.groups))
        first = [g in set(names[::2]) for g in train.groups]
        halves = [train.subset([i for i, mine in enumerate(first) if mine == k]) for k in (True, False)]
        if not all(len(h) for h in halves):
            raise RecipeError("looking again needs two groups in train", where=train.name, got=str(len(names)))
        # Each half is looked at by the network of the other, so that what stage 3 learns to mend is what it will meet.
        other = [run.next(recipe, half, valid) for half in reversed(halves)]
        seen = [changed(h, partial(_beside, network=n)) for h, n in zip(halves, other, strict=True)]
        both = replace(train, entries=(*seen[0].entries, *seen[1].entries))
        return run.next(recipe, both, changed(valid, partial(_beside, network=fine)))

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedCascade:
        """The cascade of a bundle; torch is not imported."""
        return FittedCascade.from_state(about, state)


@dataclass(frozen=True, eq=False)
class FittedCascade:
    """The networks of a cascade, answering one after the other.

    Parameters
    ----------
    said
        ``recipe``, ``side``, ``classes``, ``history`` and ``origins`` (of the last stage).
    stages
        Coarse, fine and, where it looks again, the third.

    Raises
    ------
    BundleError
        A stage is missing.
    """

    said: Mapping[str, Any]
    stages: tuple[FittedSegmenter, ...]

    def __post_init__(self) -> None:
        if len(self.stages) not in (2, 3):
            raise BundleError("a cascade has two or three stages", got=str(len(self.stages)))

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedCascade:
        """The way back from `about` and `state`."""
        stages = []
        for name, said in zip(STAGES, about["stages"], strict=False):
            stages.append(FittedSegmenter.from_state(said, under(name, state)))
        return cls({k: v for k, v in about.items() if k != "stages"}, tuple(stages))

    @property
    def about(self) -> dict[str, Any]:
        """The recipe, what was learnt, and the description of each stage."""
        return dict(self.said) | {"stages": [dict(stage.about) for stage in self.stages]}

    def state(self) -> dict[str, Array]:
        """The arrays of all stages."""
        return {f"{n}.{k}": a for n, stage in zip(STAGES, self.stages, strict=False) for k, a in stage.state().items()}

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The label map on the case's own grid; background outside the region of stage 1.

        Where stage 1 finds nothing, stage 2 looks at the whole image.
        """
        return self._answer(case, want_scores=False)

    def scored(self, case: Case) -> Segmentation | NotEvaluated:
        """As `predict`, with the probabilities of the last stage."""
        return self._answer(case, want_scores=True)

    def _answer(self, case: Case, *, want_scores: bool) -> Segmentation | NotEvaluated:
        image = case.image()
        # Shrunk, a few pixels that are no numbers would spoil their neighbours.
        lack = unusable(image.channels_first())
        if lack is not None:
            return lack
        whole = image.geometry.shape
        shape = coarse_shape(whole, self.said["side"])
        found = self.stages[0].predict(seen_as(case, shrunk(image, shape), None))
        if isinstance(found, NotEvaluated):
            return found
        box = box_of(found.labels, whole, self.said["recipe"]["margin"])
        part = seen_as(case, cut(image, box), None)
        if len(self.stages) == 3:
            part = _beside(part, self.stages[1])
        last = self.stages[-1]
        answer = last.scored(part) if want_scores else last.predict(part)
        if isinstance(answer, NotEvaluated):
            return answer
        labels, scores = np.zeros(whole, np.uint8), None
        labels[box] = answer.labels
        if answer.scores is not None:
            scores = np.zeros((len(answer.names), *whole), np.float32)
            scores[0] = 1.0
            scores[(slice(None), *box)] = answer.scores
        return Segmentation(labels, answer.names, image.geometry, scores)


def _beside(case: Case, network: FittedSegmenter) -> Case:
    """The case with the probability of everything but background as a further channel, in the range of the values."""
    found = network.scored(case)
    if isinstance(found, NotEvaluated) or found.scores is None:
        values = np.zeros(case.image().geometry.shape, np.float32)
    else:
        values = 1.0 - found.scores[0]
    how = plan_of(network.about, "segment").normalisation
    if how.low is not None and how.high is not None:
        values = how.low + values * (how.high - how.low)
    return seen_as(case, joined(case.image(), values), case.load_truth)


class _Run:
    """The trainings of a cascade one after the other: each with its share of time and its own folder."""

    def __init__(self, watch: Watch, jobs: tuple[str, ...]) -> None:
        self._watch, self._jobs, self._at = watch, jobs, 0

    def next(self, recipe: UNet, train: Cases, valid: Cases) -> FittedSegmenter:
        """Trains the next network."""
        watch, at = self._watch, self._at
        name, total = self._jobs[at], sum(SHARES[j] for j in self._jobs)
        before, own = sum(SHARES[j] for j in self._jobs[:at]) / total, SHARES[name] / total
        self._at += 1

        def report(progress: Progress) -> None:
            watch.report(replace(progress, what=f"{name}: {progress.what}", share=before + own * progress.share,
                                 seconds_left=None))  # fmt: skip

        folder = None if watch.folder is None else watch.folder / f"{at}-{name}"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        minutes = None if watch.minutes is None else watch.minutes * own
        return recipe.fit(train, valid, watch=replace(watch, report=report, folder=folder, minutes=minutes))
