from __future__ import annotations

import base64
import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from isocenter.data import Image, NotEvaluated, Probabilities
from isocenter.faces.notebook import SHOWN, page, register

interactive = pytest.importorskip("IPython.core.interactiveshell")


@pytest.fixture
def shell() -> Any:
    made = interactive.InteractiveShell()
    register(made)
    yield made
    made.history_manager.end_session()


def as_html(shell: Any, value: Any) -> str:
    found, _ = shell.display_formatter.format(value)
    return str(found.get("text/html", ""))


def test_an_image_shows_its_picture(shell: Any) -> None:
    shown = as_html(shell, Image.from_array(np.arange(600, dtype=np.uint8).reshape(20, 30), spacing=(2.0, 1.0)))
    data = shown.split("base64,")[1].split('"')[0]
    assert Pillow.open(io.BytesIO(base64.b64decode(data))).size == (30, 20)
    assert "20 x 30 (yx), uint8, 2 x 1 mm" in shown


def test_probabilities_show_a_table_and_names_are_escaped(shell: Any) -> None:
    shown = as_html(shell, Probabilities(("<b>", "b"), (0.75, 0.25)))
    assert "<table>" in shown and "&lt;b&gt;" in shown and "0.750" in shown


def test_no_answer_says_why(shell: Any) -> None:
    assert "not evaluated: too dark" in as_html(shell, NotEvaluated("too dark"))


def test_every_class_named_is_there() -> None:
    import importlib

    from isocenter.verbs import _display

    for (module, name), how in SHOWN.items():
        assert isinstance(getattr(importlib.import_module(module), name), type)
        assert callable(getattr(_display, how))


def test_without_a_shell_nothing_happens() -> None:
    code = (
        "import isocenter, sys; from isocenter.faces.notebook import register;"
        "print(register(), 'IPython' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_importing_in_ipython_registers() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance(); import isocenter;"
        "print(len(s.display_formatter.formatters['text/html'].deferred_printers)); s.history_manager.end_session()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) >= len(SHOWN)


def test_parts_become_html() -> None:
    assert page([[["a"], [1]], "x < y"]) == "<table><tr><th>a</th></tr><tr><td>1</td></tr></table><div>x &lt; y</div>"
