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
    assert page(["a\nb < c"]) == "<pre>a\nb &lt; c</pre>"


def pictures_in(shown: str) -> int:
    return shown.count("data:image/png;base64,")


def nouns() -> dict[str, tuple[Any, int, str]]:
    """Each noun that a notebook meets: the value, how many pictures it shows, and some text that it must say."""
    from isocenter.data import Attribution, Case, Cases, Geometry, Segmentation, Value, Values

    volume = Image.from_array(np.random.default_rng(0).normal(size=(4, 20, 24)).astype(np.float32), spacing=(3, 1, 1))
    labels = np.zeros((4, 20, 24), np.uint8)
    labels[1:3, 5:15, 5:15] = 1
    marked = Segmentation(labels, ("background", "tumour <1>"), volume.geometry)
    map_ = np.random.default_rng(1).normal(size=(20, 24)).astype(np.float32)
    film = Image.from_array(np.zeros((3, 20, 24), np.uint8), axes="tyx")
    cases = Cases.from_arrays(np.zeros((4, 8, 8), np.uint8), ["a", "b"] * 2, splits=["train"] * 3 + ["test"])
    return {
        "volume": (volume, 1, "4 x 20 x 24 (zyx), float32, 3 x 1 x 1 mm"),
        "film": (film, 1, "(tyx)"),
        "colour": (Image.from_array(np.zeros((3, 8, 8), np.uint8), axes="cyx"), 1, "spacing unknown"),
        "case": (Case("c1", {"T1": volume}, lead="T1", facts={"age": 61}), 1, "age 61"),
        "cases": (cases, 0, "<td>train</td><td>3</td>"),
        "segmentation": (marked, 1, "<td>tumour &lt;1&gt;</td><td>200</td><td>0.600 ml</td>"),
        "probabilities": (Probabilities(("ill", "well"), (0.2, 0.8)), 0, "<td>well</td><td>0.800</td><td>decided</td>"),
        "attribution": (Attribution(map_, Geometry((20, 24)), "ill", "grad-cam"), 1, "grad-cam for ill"),
        "values": (Values({"volume": Value(12.5, "ml", 11.0, 14.0)}), 0, "<td>12.50 ml</td><td>11.00 to 14.00</td>"),
        "no answer": (NotEvaluated("no contrast", "3 HU", "50 HU"), 0, "measured 3 HU, limit 50 HU"),
    }


@pytest.mark.parametrize("name", list(nouns()))
def test_every_noun_shows_itself(shell: Any, name: str) -> None:
    value, pictures, text = nouns()[name]
    shown = as_html(shell, value)
    assert pictures_in(shown) == pictures and text in shown
    # What a notebook stores is one piece: nothing is fetched, nothing runs.
    assert "http" not in shown and "<script" not in shown and "onerror" not in shown


def test_results_of_verbs_show_themselves(shell: Any, discs_folder: Any) -> None:
    import isocenter as iso
    from isocenter.verbs.doctor import doctor
    from isocenter.verbs.methods import methods

    scores = iso.evaluate("segment/histogram", discs_folder)
    shown = as_html(shell, scores)
    assert "segment by histogram, split test" in shown and "few_subjects" in shown and shown.count("<tr>") > 10
    compared = iso.compare("segment", discs_folder, methods=["histogram", "morphology"])
    assert "best on val, named before test was opened" in as_html(shell, compared)
    assert "could be asked: segment, classify" in as_html(shell, iso.look(discs_folder))
    assert "can prove" in as_html(shell, iso.check(discs_folder))
    assert "levels" in as_html(shell, methods("segment", "histogram"))
    trained = iso.train("classify", discs_folder, method="linear", threads=1)
    assert "trained in" in as_html(shell, trained) and "on val (4 cases" in as_html(shell, trained)
    assert "fit" in as_html(shell, doctor()) and "test: " in as_html(shell, iso.split(discs_folder))


def test_tables_of_results_keep_their_columns(shell: Any, discs_folder: Any) -> None:
    import isocenter as iso

    shown = as_html(shell, iso.compare("segment", discs_folder, methods=["histogram", "morphology"]))
    assert shown.startswith("<pre>") and shown.endswith("</pre>")
    rows = [line for line in shown.splitlines() if line.startswith(("method ", "histogram ", "morphology "))]
    assert len(rows) >= 3 and rows[0].index("interval") == rows[1].index(" to ") - 5


def test_an_explanation_shows_its_map_or_why_there_is_none(shell: Any) -> None:
    from isocenter.data import Attribution, Geometry
    from isocenter.verbs.explain import Explained

    found = Attribution(np.eye(20, dtype=np.float32), Geometry((20, 20)), "ill", "grad-cam")
    shown = as_html(shell, Explained(found, (), "gradients", "a.bundle", "x.png"))
    assert pictures_in(shown) == 1 and "grad-cam for ill" in shown
    none = Explained(NotEvaluated("too dark"), (), "gradients", "a.bundle", "x.png")
    assert "not evaluated: too dark" in as_html(shell, none)


def test_plain_text_stays_what_it_was(shell: Any) -> None:
    found, _ = shell.display_formatter.format(NotEvaluated("too dark"))
    assert found["text/plain"].startswith("NotEvaluated(")
    assert as_html(shell, {"a": 1}) == "" and as_html(shell, np.zeros(3)) == ""
