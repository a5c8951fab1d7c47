from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import isocenter


def test_the_package_runs_as_the_command(command: Callable[..., CompletedProcess[str]]) -> None:
    done = command("--version")
    assert done.returncode == 0 and done.stdout.strip() == f"isocenter {isocenter.__version__}"
    assert command("nonsense").returncode == 2


def test_every_public_name_loads_and_is_stated_for_checkers() -> None:
    from pathlib import Path

    stub = Path(isocenter.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    for name in isocenter.__all__:
        assert getattr(isocenter, name) is not None
        assert f" as {name}\n" in stub or f"{name}: str" in stub
    assert set(isocenter.__all__) <= set(dir(isocenter))


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(isocenter, "nonsense")
