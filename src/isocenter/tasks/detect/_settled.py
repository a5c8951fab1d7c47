"""How methods that look for a foreground in one channel settle what stands open in their recipe."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from isocenter.data import Boxes, Cases, Predictor, Watch
from isocenter.tasks.detect._choose import best, examples, kinds_of, limits_of, sides_of
from isocenter.tasks.detect._kinds import Kinds
from isocenter.tasks.detect._pixels import channels

M = TypeVar("M", bound=Predictor[Boxes])


def settled(method: M, train: Cases, own: Callable[[Kinds], Mapping[str, Sequence[Any]]], *, watch: Watch) -> M:
    """The method that knows the classes: channel and side chosen by F1 on train, then its own fields, then the limits.

    Parameters
    ----------
    method
        A recipe with the fields ``channel``, ``bright`` and ``kinds``.
    train
        Cases with truth.
    own
        From what the classes look like to what is tried for each further field, all together; a field that already says
        something stays.
    watch
        Receives progress.

    Raises
    ------
    LabelError
        A class has no box in train.
    """
    made: Any = method
    shown = examples(train)
    kinds = kinds_of(shown)
    named = (made.channel,) if made.channel else channels(shown[0].case.image())
    sides = (True, False) if made.bright is None else (made.bright,)
    every = [replace(made, channel=c, bright=b, kinds=kinds) for c in named for b in sides]
    chosen = best(every, shown, watch=watch, share=(0.0, 0.5))
    fields = own(kinds)
    choices = [tried if getattr(made, n) is None else (getattr(made, n),) for n, tried in fields.items()]
    every = [replace(chosen, **dict(zip(fields, values, strict=True))) for values in itertools.product(*choices)]
    chosen = best(every, shown, watch=watch, share=(0.5, 1.0))
    return cast(M, replace(chosen, kinds=replace(kinds, limits=limits_of(sides_of(chosen, shown), kinds.classes))))
