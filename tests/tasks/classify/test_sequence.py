"""Films as volumes."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.data import Case, Cases, Geometry, Image
from isocenter.errors import InputError
from isocenter.tasks.classify._sequence import as_sequence, as_sequences


def film(axes: str, *shape: int) -> Image:
    return Image.from_array(np.arange(np.prod(shape), dtype=np.float32).reshape(shape), axes=axes, spacing=(2.0, 1.0))


def test_frames_become_slices_of_unknown_spacing() -> None:
    case = Case("a", {"image": film("tyx", 3, 4, 5), "other": film("yx", 4, 5)}, subject="s")
    found = as_sequence(case)
    assert found.image().axes == "zyx" and found.image().geometry == Geometry((3, 4, 5))
    assert np.array_equal(found.image().pixels(), case.image().pixels())
    assert found.subject == "s" and found.images["other"] is case.images["other"]


def test_colours_lead() -> None:
    coloured = film("tcyx", 3, 2, 4, 5)
    found = as_sequence(Case.of(coloured)).image()
    assert found.axes == "czyx" and found.shape == (2, 3, 4, 5)
    assert np.array_equal(found.pixels()[1, 2], coloured.pixels()[2, 1])


def test_volumes_stay_and_what_is_no_sequence_is_refused() -> None:
    volume = Case.of(Image.from_array(np.zeros((3, 4, 5))))
    assert as_sequence(volume) is volume
    with pytest.raises(InputError, match="no sequence"):
        as_sequence(Case.of(film("yx", 4, 5)))
    moving = Image.from_array(np.zeros((2, 3, 4, 5)), axes="tzyx")
    with pytest.raises(InputError, match="film of volumes"):
        as_sequence(Case.of(moving))


def test_cases_are_turned_when_opened() -> None:
    cases = Cases.from_arrays([film("tyx", 3, 4, 5)] * 2, ["a", "b"])
    found = as_sequences(cases)
    assert [c.image().axes for c in found] == ["zyx", "zyx"] and found[1].truth().label == "b"
    assert found.entries[0].labels == ("a",)
