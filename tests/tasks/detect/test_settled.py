"""How recipes of a foreground in one channel are settled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from isocenter.data import Boxes, Case, NotEvaluated, Watch
from isocenter.errors import LabelError
from isocenter.tasks.detect._kinds import Kinds
from isocenter.tasks.detect._pixels import channel, foreground, pixels
from isocenter.tasks.detect._settled import settled


@dataclass(frozen=True)
class Spots:
    """Each part of the foreground as a box, widened by `grown` pixels and moved by `shift`."""

    channel: str | None = None
    bright: bool | None = None
    grown: float | None = None
    shift: float | None = None
    kinds: Kinds = Kinds()

    def predict(self, case: Case) -> Boxes | NotEvaluated:
        """The boxes."""
        from scipy import ndimage

        array = pixels(case)
        if isinstance(array, NotEvaluated):
            return array
        mask = foreground(channel(array, case.image(), self.channel or "mean"), bright=self.bright is not False)
        found = ndimage.find_objects(ndimage.label(mask)[0])
        edges = np.array([[[s.start - 0.5, s.stop - 0.5] for s in b] for b in found], float).transpose(0, 2, 1)
        edges = edges + np.array([-1, 1])[None, :, None] * (self.grown or 0.0) + (self.shift or 0.0)
        return self.kinds.named(edges, array, case.image().geometry)


TRIED = {"grown": (5.0, 0.0), "shift": (0.0, 6.0)}


def test_channel_and_side_come_first_and_the_own_fields_together(made) -> None:
    train = made(8, dark=True).split("train")
    said = []
    found = settled(Spots(), train, lambda kinds: TRIED, watch=Watch(report=said.append))
    assert (found.bright, found.grown, found.shift) == (False, 0.0, 0.0)
    assert found.kinds.classes == ("big", "small") and len(found.kinds.limits) == 2
    assert [p.share for p in said] == pytest.approx([0.25, 0.5, 0.625, 0.75, 0.875, 1.0])


def test_what_was_said_stays(made) -> None:
    train = made(8, colour=True).split("train")
    found = settled(Spots(channel="1", bright=True, shift=6.0), train, lambda kinds: TRIED, watch=Watch())
    assert (found.channel, found.bright, found.shift) == ("1", True, 6.0)
    assert found.grown in TRIED["grown"]


def test_what_is_tried_may_follow_from_the_classes(made) -> None:
    train = made(8).split("train")
    seen = []

    def own(kinds: Kinds) -> dict[str, tuple[float, ...]]:
        seen.append(kinds)
        return {"grown": (0.0,)}

    found = settled(Spots(), train, own, watch=Watch())
    assert [k.classes for k in seen] == [("big", "small")]
    assert len(seen[0].means) == 2 and found.grown == 0.0


def test_a_class_without_a_box_is_refused(made) -> None:
    train = made(8).split("train")
    none = tuple(
        replace(e, open=lambda c=e.open(): replace(c, load_truth=lambda: c.truth().chosen(c.truth().labels == 0)))
        for e in train.entries
    )
    with pytest.raises(LabelError, match=r"no box in train.*Give train a case of it"):
        settled(Spots(), replace(train, entries=none), lambda kinds: TRIED, watch=Watch())
