from __future__ import annotations

import builtins

import pytest

from isocenter.data import Watch, build
from isocenter.errors import InputError, MissingExtraError, RecipeError
from isocenter.tasks.detect._study import Keep, studied
from isocenter.tasks.detect.yolo import Yolo


def test_what_to_keep_has_ranges() -> None:
    assert build(Keep, {"least": 0.2, "most": 5}) == Keep(0.2, None, 5)
    for bad in ({"least": 1.5}, {"overlap": -0.1}, {"most": 0}):
        with pytest.raises(RecipeError, match="out of range"):
            build(Keep, bad)


def test_without_torch_it_says_what_to_install(made, monkeypatch) -> None:
    real = builtins.__import__

    def blocked(name: str, *rest: object, **more: object) -> object:
        if name == "isocenter.fit":
            raise ModuleNotFoundError("No module named 'torch'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", blocked)
    cases = made(6)
    with pytest.raises(MissingExtraError, match="training a network"):
        studied(Yolo(), cases.split("train"), cases.split("val"), watch=Watch())


def test_it_needs_val(made) -> None:
    cases = made(6)
    with pytest.raises(InputError, match="validate"):
        studied(Yolo(), cases.split("train"), cases.subset([]), watch=Watch())
