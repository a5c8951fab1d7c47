"""The recipe of contours."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from isocenter.data import as_settings, build, merged
from isocenter.errors import RecipeError
from isocenter.tasks.instances.contours import Contours


def test_a_recipe_is_plain_values() -> None:
    recipe = merged(Contours(), {"width": 8, "study.epochs": 3, "after.smallest": 12.0})
    assert build(Contours, json.loads(json.dumps(as_settings(recipe)))) == recipe
    with pytest.raises(RecipeError, match="Did you mean width"):
        build(Contours, {"widht": 8})


def test_coming_back_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from isocenter.errors import BundleError\n"
        "from isocenter.tasks.instances.contours import Contours\n"
        "try:\n    Contours.from_state({}, {})\n"
        "except BundleError as error:\n    print(error.line())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "no plan" in found.stdout, found.stderr


def test_without_torch_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from isocenter.data import Cases\n"
        "from isocenter.errors import MissingExtraError\n"
        "from isocenter.tasks.instances.contours import Contours\n"
        "try:\n    Contours().fit(Cases(()), Cases(()))\n"
        "except MissingExtraError as error:\n    print(error.line())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "train" in found.stdout, found.stderr
