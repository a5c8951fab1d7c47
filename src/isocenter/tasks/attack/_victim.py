"""A network's answer about one case, as an attack sees it: shares of the range in, scores out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import (
    IGNORE,
    Case,
    Differentiable,
    NotEvaluated,
    Opened,
    Passage,
    Perturbation,
    Probabilities,
    Segmentation,
)
from isocenter.errors import LabelError, RecipeError
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array
from isocenter.ops.span import span
from isocenter.tasks.attack._budget import rounded, unit_of

Answered = Probabilities | Segmentation


@dataclass(frozen=True, eq=False)
class Victim:
    """What is attacked.

    Parameters
    ----------
    of, case
        The network, and the case.
    inside, passage
        Its inside, and the way from the case's pixels to the decision.
    before, aim
        Its answer, and what to move it away from.
    span
        Lowest and highest value of a pixel.
    whole
        Whether pixels are whole numbers.
    """

    of: Any
    case: Case
    inside: Opened
    passage: Passage
    before: Answered
    aim: Answered
    span: tuple[float, float]
    whole: bool

    @property
    def width(self) -> float:
        """Of the range, in the image's unit; 1 where all pixels are equal."""
        return (self.span[1] - self.span[0]) or 1.0

    @property
    def x(self) -> Any:
        """Tensor (1, c, *grid): the pixels as shares of the range."""
        return (self.passage.pixels - self.span[0]) / self.width

    def answers(self, x: Any) -> Any:
        """Scores (1, classes[, *grid]) of pixels as shares of the range."""
        return self.passage.scores(x * self.width + self.span[0])

    def truth(self) -> Any:
        """What to move away from, as `nets.adversarial.Aim` wants it.

        Raises
        ------
        LabelError
            The truth knows a class or region that the network does not.
        """
        import torch

        known = self.inside.classes
        if isinstance(self.aim, Segmentation):
            table = np.full(256, IGNORE, np.uint8)
            # The only region of one stands for the only region of the other, as in the scores.
            alone = len(self.aim.names) == len(known) == 2
            for value, name in enumerate(self.aim.names):
                table[value] = value if alone or value == 0 else _place(name, known)
            labels = self.passage.labels(table[self.aim.labels])
            return torch.from_numpy(labels.astype(np.int64))[None]
        places = [_place(name, known) for name in self.aim.decision]
        if not self.passage.multilabel:
            return torch.tensor(places)
        return torch.from_numpy(np.isin(np.arange(len(known)), places).astype(np.float32))[None]

    def change(self, x: Any, *, norm: str, radius: float) -> Array:
        """(c, *grid) float64: what `x` adds to the pixels, in the image's unit, as a file can hold it."""
        added = ((x - self.x)[0].double() * self.width).numpy()
        return rounded(added, norm=norm, radius=radius * self.width, whole=self.whole)

    def stored(self, *, norm: str, radius: float) -> Callable[[Any], Any]:
        """What a file makes of shares of the range within a budget."""
        import torch

        def kept(x: Any) -> Any:
            change = self.change(x, norm=norm, radius=radius)
            return self.x + torch.from_numpy((change / self.width).astype(np.float32))[None]

        return kept

    def perturbed(
        self, change: Array, *, method: str, norm: str, epsilon: float | None, **checks: float
    ) -> Perturbation:
        """The finding: the change as it is stored, and the answer to it by the usual way of predicting."""
        image, pixels = self.case.image(), self.passage.pixels[0].double().numpy()
        values = (np.clip(pixels + change, *self.span) - pixels).astype(np.float32)
        after = self.of.predict(self.passage.changed(pixels + values))
        return Perturbation(values, image.geometry, self.before, after, self.aim, method, norm, epsilon, self.span,
                            unit_of(image), checks)

    def untouched(self, *, method: str, norm: str, epsilon: float | None) -> Perturbation:
        """No change: the answer is wrong without any."""
        image = self.case.image()
        none = np.zeros(self.passage.pixels.shape[1:], np.float32)
        return Perturbation(none, image.geometry, self.before, self.before, self.aim, method, norm, epsilon,
                            self.span, unit_of(image), {"wrong_before": 1.0})


def differentiable(of: Any, name: str) -> None:
    """Refuses what has no gradients.

    Raises
    ------
    RecipeError
        Nothing is named, or no single network is.
    """
    if of is None:
        raise RecipeError(f"{name} attacks another method", wanted="of=", remedy="Name a bundle of a network")
    if not isinstance(of, Differentiable):
        raise RecipeError(f"{name} needs the gradients of one network", got=type(of).__name__,
                          wanted="a fitted network with opened()",
                          remedy="Methods without gradients can be attacked by square, which takes any predictor")


def victim(of: Any, case: Case, *, name: str) -> Victim | NotEvaluated:
    """A network and a case, ready to be attacked; NotEvaluated where it does not answer about this case.

    Raises
    ------
    RecipeError
        The network does not say how gradients reach the pixels.
    MissingExtraError
        torch is not installed.
    InputError
        The network cannot see this image (axes, channels).
    LabelError
        It answers neither classes nor regions.
    """
    image = case.image()
    array = image.channels_first()
    lack = unusable(array)
    if lack is not None:
        return lack
    inside = of.opened()
    if inside.through is None:
        raise RecipeError("the network does not say how its input is made, so no gradient reaches the pixels",
                          wanted="opened() with through=", remedy="Attack it by square, which needs no gradient")
    passage = inside.through(case)
    before = of.predict(case)
    if isinstance(before, NotEvaluated):
        return before
    aim = aimed(case, before, name=name)
    limits = span(array, image.dtype)
    return Victim(of, case, inside, passage, before, aim, limits, np.dtype(image.dtype).kind in "biu")


def aimed(case: Case, before: Any, *, name: str) -> Answered:
    """What an attack moves away from: the truth of the same kind, or the answer itself.

    Raises
    ------
    LabelError
        The answer is neither classes nor regions.
    """
    if not isinstance(before, (Probabilities, Segmentation)):
        raise LabelError(f"{name} attacks classes of an image or of its pixels", got=type(before).__name__,
                         wanted="Probabilities or Segmentation")
    truth = case.truth()
    return truth if isinstance(truth, type(before)) else before


def wrong(found: Answered, aim: Answered) -> bool:
    """Whether an answer decides for other classes than the aim."""
    if isinstance(found, Probabilities) and isinstance(aim, Probabilities):
        return set(found.decision) != set(aim.decision)
    return False


def _place(name: str, known: tuple[str, ...]) -> int:
    if name not in known:
        raise LabelError("the truth knows a class that the network does not", got=name, wanted=", ".join(known))
    return known.index(name)
