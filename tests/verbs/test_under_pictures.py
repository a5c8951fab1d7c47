"""Pictures of what had to change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isocenter.data import Cases, Entry, Geometry, Perturbation, Probabilities
from isocenter.errors import InputError
from isocenter.verbs._under_pictures import DRAWN, changes_of

BEFORE, AFTER = (Probabilities(("large", "small"), v) for v in ((0.9, 0.1), (0.2, 0.8)))


def found(shape: tuple[int, ...], at: tuple[int, ...], **more: object) -> Perturbation:
    values = np.zeros((1, *shape), np.float32)
    values[(0, *at)] = 3
    grid = Geometry.from_spacing(shape, None)
    made = Perturbation(values, grid, BEFORE, AFTER, BEFORE, "pgd", span=(0.0, 255.0), unit="grey levels")
    return replace(made, **more)


def test_the_first_altered_ones_are_drawn(sizes: Cases) -> None:
    every = {e.id: found((24, 24), (5, 6)) for e in sizes.entries}
    first = next(iter(every))
    every[first] = replace(every[first], after=BEFORE)
    changes = changes_of({"net under pgd": every}, sizes)
    assert len(changes) == DRAWN and changes[0].case != first
    assert changes[0].text == "net under pgd: large became small; at most 3 grey levels"
    one = changes[0]
    assert one.difference[5, 6] == 3 and np.array_equal(one.changed - one.image, one.difference)
    assert one.limits == (0.0, 255.0)


def test_of_a_volume_the_slice_that_changed_most() -> None:
    volume = Cases.from_arrays(np.zeros((1, 5, 6, 7), np.uint8), ["large"], splits=["test"])
    (change,) = changes_of({"x": {volume.entries[0].id: found((5, 6, 7), (3, 2, 2))}}, volume)
    assert change.image.shape == (6, 7) and change.difference[2, 2] == 3


def test_what_cannot_be_read_again_or_is_not_there_costs_a_picture(sizes: Cases) -> None:
    def gone() -> None:
        raise InputError("the file is gone")

    broken = replace(sizes, entries=(Entry("x", gone),))  # type: ignore[arg-type]
    assert changes_of({"a": {"x": found((24, 24), (1, 1))}}, broken) == ()
    assert changes_of({"a": {"unknown": found((24, 24), (1, 1))}}, sizes) == ()
    assert changes_of({}, sizes) == ()
