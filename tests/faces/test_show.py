from __future__ import annotations

import io
import json
import sys

import pytest

from isocenter.data import Progress
from isocenter.errors import LabelError
from isocenter.faces import show


class Value:
    def as_json(self) -> dict[str, object]:
        return {"format": 1, "name": "肺"}

    def lines(self) -> list[str]:
        return ["one", "next: isocenter look"]


def test_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    show.result(Value(), as_json=False, quiet=False)
    assert capsys.readouterr().out == "one\nnext: isocenter look\n"
    show.result(Value(), as_json=False, quiet=True)
    assert capsys.readouterr().out == "one\n"
    show.result(Value(), as_json=True, quiet=False)
    assert json.loads(capsys.readouterr().out) == {"format": 1, "name": "肺"}


def test_words_of_python_become_those_that_are_typed(capsys: pytest.CaptureFixture[str]) -> None:
    class Refused(Value):
        def lines(self) -> list[str]:
            return ["a.tif: no axes. Pass axes='tyx'.", "to halve it: --set before.spacing=2,2"]

    show.result(Refused(), as_json=False, quiet=False)
    assert capsys.readouterr().out == "a.tif: no axes. Pass --axes 'tyx'.\nto halve it: --set before.spacing=2,2\n"


def test_a_number_that_json_lacks_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        show.json_document({"value": float("nan")})


def test_what_a_code_page_lacks_becomes_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    show.safe_streams()
    show.text(["肺 lung"])
    assert raw.getvalue().split() == [b"?", b"lung"]


def test_a_problem_keeps_its_parts() -> None:
    document = show.problem(LabelError("wrong", where="a", got="b", wanted="c", remedy="d"))
    assert document["error"] == {
        "code": "label", "severity": "error", "what": "wrong", "where": "a", "got": "b", "wanted": "c", "remedy": "d"
    }


def test_a_quiet_meter_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show.meter(quiet=True)(Progress("train", 0.5))
    assert capsys.readouterr().err == ""
    show.meter(quiet=False)(Progress("train", 0.5))
    assert "train" in capsys.readouterr().err
