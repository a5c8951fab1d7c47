from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from isocenter.data import Case, Image, NotEvaluated
from isocenter.errors import NotFoundError
from isocenter.infer.envelope import Envelope
from isocenter.infer.gated import Gated, led, parted


class Mean:
    """Answers the mean of the leading image, and spoils its pixels."""

    about: Mapping[str, Any] = {"recipe": {}}
    bins = 7

    def state(self) -> dict[str, np.ndarray]:
        return {"weights/a": np.ones(2)}

    def predict(self, case: Case) -> float:
        array = case.image().pixels()
        found = float(array.mean())
        if "t" not in case.image().axes:
            array[:] = 0
        return found


def image(reads: list[int], value: float = 4.0) -> Image:
    array = np.array([[value, value], [value, value + 2]])

    def load() -> np.ndarray:
        reads.append(1)
        return array

    return Image.from_array(array).replaced(load)


def test_it_answers_inside_and_not_outside() -> None:
    gated = Gated(Mean(), Envelope(2, ("CT",)))
    assert gated.predict(Case.of(Image.from_array(np.eye(2)))) == 0.5
    strange = gated.predict(Case.of(Image.from_array(np.eye(2), modality="MR")))
    assert isinstance(strange, NotEvaluated) and (strange.measured, strange.limit) == ("MR", "CT")


def test_it_shows_itself_in_a_line() -> None:
    assert repr(Gated(Mean(), Envelope(2))) == "<Mean within its envelope>"


def test_the_pixels_are_read_once_and_are_the_methods_own() -> None:
    reads: list[int] = []
    case = Case.of(image(reads))
    gated = Gated(Mean(), Envelope(2))
    assert gated.predict(case) == 4.5 and len(reads) == 1
    assert gated.predict(case) == 4.5


def test_films_pass() -> None:
    film = Image.from_array(np.zeros((2, 3, 3)), axes="tyx")
    assert Gated(Mean(), Envelope(2)).predict(Case.of(film)) == 0.0


def test_the_rest_is_the_methods() -> None:
    gated = Gated(Mean(), Envelope(2))
    assert gated.bins == 7 and not hasattr(gated, "opened") and hasattr(gated, "predict")
    assert copy.copy(gated).bins == 7
    with pytest.raises(AttributeError):
        _ = gated.fit


def test_what_is_written_comes_apart_again() -> None:
    small = {"mean": np.zeros(4, np.float32), "scale": np.ones(4, np.float32), "white": np.eye(4, dtype=np.float32)}
    gated = Gated(Mean(), Envelope(2, limit=2.0, arrays=small))
    about, state, envelope = parted(gated.about, gated.state())
    assert about == {"recipe": {}} and set(state) == {"weights/a"}
    assert envelope is not None and envelope.limit == 2.0 and set(envelope.arrays) == set(small)
    assert parted(Mean.about, Mean().state())[2] is None


def test_of_several_images_the_envelope_is_of_the_leading_one() -> None:
    class Led(Mean):
        lead = "PET"

        def predict(self, case: Case) -> Any:
            return case.lead, set(case.images)

    gated = Gated(Led(), Envelope(2, ("PT",)))
    pet, ct = Image.from_array(np.eye(2), modality="PT"), Image.from_array(np.eye(2), modality="CT")
    assert gated.predict(Case("x", {"CT": ct, "PET": pet}, "CT")) == ("PET", {"CT", "PET"})
    assert isinstance(gated.predict(Case("x", {"CT": pet, "PET": ct}, "CT")), NotEvaluated)
    # What a case lacks the method itself says; one image without a name is the leading one.
    assert gated.predict(Case("x", {"CT": ct, "MR": ct})) == ("image", {"CT", "MR"})
    assert isinstance(gated.predict(Case.of(ct)), NotEvaluated)
    assert led(Mean(), Case.of(ct)) == Case.of(ct)
    with pytest.raises(NotFoundError):
        led(Mean(), Case("x", {"CT": ct, "MR": ct}))
