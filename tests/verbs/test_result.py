from __future__ import annotations

from isocenter.verbs._result import Result, exit_code
from isocenter.verbs.look import Looked
from isocenter.verbs.methods import methods


def test_what_verbs_give_back() -> None:
    assert isinstance(methods("segment"), Result) and isinstance(Looked(()), Result)
    assert not isinstance(object(), Result)
    assert exit_code(methods("segment")) == 0
