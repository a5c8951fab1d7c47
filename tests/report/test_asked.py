from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict

import pytest

from isocenter.report.asked import ANSWERED, NOT_ASKED, REFUSED, Asked, Known


def test_what_is_no_answer_has_neither_probability_nor_interval() -> None:
    one = Asked("nuclei", "instances/contours", "How many?", "case", REFUSED, "outside")
    assert one.probability is None and one.known is None and one.files == () and one.picture is None
    assert len({ANSWERED, REFUSED, NOT_ASKED}) == 3


def test_values_do_not_change() -> None:
    known = Known("no interval known")
    assert asdict(known) == {"text": "no interval known", "low": None, "high": None, "level": None, "n": None}
    with pytest.raises(FrozenInstanceError):
        known.low = 0.5  # type: ignore[misc]
