"""How study settles a recipe that is all there is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from isocenter.data import After, Before, Case, Cases, Geometry, Image, NotEvaluated, Segmentation, Watch, knob
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._grey import colours
from isocenter.tasks.segment._settled import answered, bright_inside, finest, shared, spaced, tried


@dataclass(frozen=True)
class Above(Settled):
    """A level, from above or below."""

    before: Before = knob(Before, "channel")
    after: After = knob(After, "largest")
    level: float | None = knob(None, "the level", low=0.0)
    bright: bool | None = knob(None, "which side")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region."""
        image = case.image()
        values = image.channels_first()[int(self.before.channel or 0)]
        mask = (values > (self.level or 0.0)) == (self.bright is not False)
        return answered(mask, self.after, "organ", image.geometry)


def cases(speck: bool = False) -> Cases:
    """A dark square in the second of two channels."""
    truth = np.zeros((20, 20), int)
    truth[5:15, 5:15] = 1
    rng = np.random.default_rng(0)
    seen = truth.copy()
    seen[0, 0] = int(speck)
    x = [Image.from_array(np.stack([rng.random((20, 20)), 1.0 - 0.8 * seen]), axes="cyx", spacing=(2.0, 0.5))] * 4
    return Cases.from_arrays(x, [truth] * 4, task="segment", classes=("organ",))


def test_open_fields_are_chosen_together() -> None:
    fields = {"before.channel": ("0", "1"), "bright": (True, False), "level": (0.01, 0.5)}
    said = []
    found = tried(Above(), cases(), fields, watch=Watch(report=said.append), share=(0.2, 0.6))
    assert (found.before.channel, found.bright, found.level) == ("1", False, 0.5)
    assert [p.share for p in said] == pytest.approx([0.3, 0.4, 0.5, 0.6])


def test_what_was_said_stays() -> None:
    said = Above(before=Before(channel="0"), level=0.3, bright=False)
    fields = {"before.channel": ("0", "1"), "bright": (True, False), "level": (0.01, 0.5)}
    assert tried(said, cases(), fields, watch=Watch(), share=(0.0, 1.0)) == said
    found = tried(replace(said, before=Before()), cases(), fields, watch=Watch(), share=(0.0, 1.0))
    assert found == replace(said, before=Before(channel="1"))


@pytest.mark.parametrize(("speck", "wanted"), [(True, True), (False, None)])
def test_largest_is_learnt_where_it_helps(speck: bool, wanted: bool | None) -> None:
    made = Above(before=Before(channel="1"), bright=False, level=0.5)
    found = tried(made, cases(speck), {"after.largest": (None, True)}, watch=Watch(), share=(0.0, 1.0))
    assert found.after.largest is wanted


def test_only_channels_that_all_cases_have_are_shared() -> None:
    rgb = Image.from_array(np.zeros((3, 4, 4)), axes="cyx", channels=("red", "green", "blue"))
    grey = Image.from_array(np.zeros((4, 4)))
    masks = [np.eye(4, dtype=int)] * 2
    assert shared(Cases.from_arrays([rgb, rgb], masks, task="segment")) == ("mean", "red", "green", "blue")
    assert "lab-a" in shared(Cases.from_arrays([rgb, rgb], masks, task="segment"), of=colours)
    assert shared(Cases.from_arrays([rgb, grey], masks, task="segment")) == ("mean",)


def test_the_side_that_stays_off_the_edge() -> None:
    array = np.zeros((9, 9))
    array[3:6, 3:6] = 5
    assert bright_inside(array)
    assert not bright_inside(-array)
    assert bright_inside(np.zeros((1, 1)))


def test_answers_are_cleaned_as_after_says() -> None:
    mask = np.zeros((9, 9), bool)
    mask[1:6, 1:6] = True
    mask[3, 3] = mask[8, 8] = False
    mask[8, 6:8] = True
    geometry = Geometry.from_spacing((9, 9), None)

    def count(after: After) -> int:
        found = answered(mask, after, "organ", geometry)
        assert found.names == ("background", "organ")
        return int(found.labels.sum())

    assert count(After()) == 26
    assert count(After(largest=True)) == count(After(smallest=3)) == 24
    assert count(After(largest=True, fill=True)) == 25


def test_spacing() -> None:
    assert finest(cases()) == 0.5
    assert spaced(Geometry.from_spacing((3, 4), None)) == (1.0, 1.0)
