"""What a method says about one class, as a number that can be watched while the image changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Case, NotEvaluated, Probabilities, Segmentation, Values
from isocenter.errors import InputError, NotFoundError, nearest
from isocenter.ops.array import Array

NOT = "not "


@dataclass(frozen=True, eq=False)
class Asked:
    """One question to one predictor.

    Parameters
    ----------
    predictor
        Any that answers with `Probabilities`, a `Segmentation` or `Values`.
    target
        The class asked for.
    region
        Of a segmentation: bool (*grid), the pixels that it gave to the class when it was first asked.
    """

    predictor: Any
    target: str
    region: Array | None = None

    def answer(self, case: Case) -> float:
        """0 to 1: the class's probability; of a segmentation its mean over the region; 0 where there is no answer.

        Of `Values` the number itself, in its own unit.
        Where a segmenting method gives no probabilities it is the share of the region that is still found.
        """
        found = _answered(self.predictor, case)
        if isinstance(found, Probabilities):
            other = refuted(self.target, found.classes)
            return float(found.of(self.target)) if other is None else 1.0 - float(found.of(other))
        if isinstance(found, Values) and self.target in found.items:
            return float(found.items[self.target].number)
        if isinstance(found, Segmentation) and self.region is not None and self.target in found.names:
            index = found.names.index(self.target)
            shares = found.labels == index if found.scores is None else found.scores[index]
            return float(shares[self.region].mean())
        return 0.0


def asked(predictor: Any, case: Case, target: str | None = None) -> Asked | NotEvaluated:
    """The question that an explanation is about.

    Parameters
    ----------
    predictor, case
        Who is asked, about what.
    target
        A class; ``"not CLASS"``: all others together; None: the most probable one, of a segmentation the region with
        the most pixels, of numbers the first.

    Returns
    -------
    NotEvaluated where there is no answer, or no such region in it.

    Raises
    ------
    NotFoundError
        The answer knows no such class.
    InputError
        The answer is no probability, no region and no number.
    """
    inner = within(predictor)
    if inner is not predictor and isinstance(outside := predictor.predict(case), NotEvaluated):
        return outside
    predictor = inner
    found = _answered(predictor, case)
    if isinstance(found, NotEvaluated):
        return found
    if not isinstance(found, Probabilities | Segmentation | Values):
        raise InputError("only classes of an image or of its pixels, and numbers, can be explained",
                         got=type(found).__name__, wanted="Probabilities, Segmentation or Values")
    names = _names(found)
    if target is not None and target not in names and not (
        isinstance(found, Probabilities) and refuted(target, names)
    ):
        raise NotFoundError(f"the answer knows no class {target!r}", remedy=nearest(target, names))
    if isinstance(found, Probabilities):
        return Asked(predictor, target or found.label)
    if isinstance(found, Values):
        return Asked(predictor, target or names[0])
    sizes = {name: int(found.mask(name).sum()) for name in names}
    name = target or max(sizes, key=lambda n: sizes[n], default="")
    if not sizes.get(name):
        what = "no region" if target is None else f"no {target}"
        return NotEvaluated(f"the method finds {what} here, so there is no answer to explain")
    return Asked(predictor, name, found.mask(name))


def _names(found: Probabilities | Segmentation | Values) -> tuple[str, ...]:
    if isinstance(found, Values):
        return tuple(found.items)
    return found.classes if isinstance(found, Probabilities) else found.regions


def refuted(target: str | None, classes: Sequence[str]) -> str | None:
    """The class that ``"not CLASS"`` speaks against; None for a class itself, and for what names none.

    >>> refuted("not normal", ["normal", "mass"]), refuted("mass", ["normal", "mass"])
    ('normal', None)
    """
    if target is None or target in classes or not target.startswith(NOT):
        return None
    other = target.removeprefix(NOT)
    return other if other in classes else None


def within(predictor: Any) -> Any:
    """The method behind its envelope: a covered image is unlike those that it learnt from, and is to be answered."""
    return predictor.method if hasattr(predictor, "envelope") and hasattr(predictor, "method") else predictor


def with_pixels(case: Case, pixels: Array) -> Case:
    """The case with other pixels in its leading image, of the same shape; they take the image's own type."""
    image = case.image()
    kind = np.dtype(image.dtype)
    own = np.round(pixels) if kind.kind in "iu" and pixels.dtype.kind == "f" else pixels
    cast = np.asarray(own).astype(kind)
    role = next(r for r, im in case.images.items() if im is image)
    return replace(case, images={**case.images, role: image.replaced(lambda: cast)})


def _answered(predictor: Any, case: Case) -> Any:
    """With probabilities where the method gives them only when asked."""
    return getattr(predictor, "scored", predictor.predict)(case)
