"""In notebooks every noun, finding and score shows itself: the picture, the table.

`isocenter` calls `register` when it is imported under IPython; `data/` stays free of drawing.
"""

from __future__ import annotations

import base64
import html
import sys
from collections.abc import Callable
from typing import Any

# Class to the function of `isocenter.verbs._display` that shows it; nothing is imported before a value of it is shown.
SHOWN = {
    ("isocenter.data.image", "Image"): "image",
    ("isocenter.data.case", "Case"): "case",
    ("isocenter.data.cases", "Cases"): "cases",
    ("isocenter.data.findings.segmentation", "Segmentation"): "segmentation",
    ("isocenter.data.findings.probabilities", "Probabilities"): "probabilities",
    ("isocenter.data.findings.attribution", "Attribution"): "attribution",
    ("isocenter.data.findings.values", "Values"): "values",
    ("isocenter.data.findings.not_evaluated", "NotEvaluated"): "not_evaluated",
    ("isocenter.data.scores", "Scores"): "scores",
    ("isocenter.verbs.evaluate", "Evaluation"): "scores",
    ("isocenter.verbs.compare", "Comparison"): "lines",
    ("isocenter.verbs._trained", "Trained"): "lines",
    ("isocenter.verbs.check", "Checked"): "lines",
    ("isocenter.verbs.look", "Looked"): "lines",
    ("isocenter.verbs.methods", "Method"): "lines",
    ("isocenter.verbs.methods", "Methods"): "lines",
    ("isocenter.verbs.explain", "Explained"): "explained",
    ("isocenter.verbs.predict", "Predictions"): "lines",
    ("isocenter.verbs.split", "Divided"): "lines",
    ("isocenter.verbs.correct", "Corrected"): "lines",
    ("isocenter.verbs.measure", "Measured"): "lines",
    ("isocenter.verbs.doctor", "Diagnosis"): "lines",
    ("isocenter.verbs.models", "Models"): "lines",
}


def register(shell: Any = None) -> bool:
    """Teaches a running IPython how to show our values; False where none runs.

    Parameters
    ----------
    shell
        Default the one that runs.
    """
    if shell is None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return False
    formatter = shell.display_formatter.formatters["text/html"]
    for (module, name), how in SHOWN.items():
        formatter.for_type_by_name(module, name, _shower(how))
    return True


def _shower(how: str) -> Callable[[Any], str]:
    def shown(value: Any) -> str:
        from isocenter.verbs import _display as drawing

        return page(getattr(drawing, how)(value))

    return shown


def page(parts: list[Any]) -> str:
    """Pictures (PNG bytes), tables (lists of rows, the first the heading), lines and blocks of text as HTML."""
    return "".join(_part(part) for part in parts)


def _part(part: Any) -> str:
    if isinstance(part, bytes):
        return f'<img alt="picture" src="data:image/png;base64,{base64.b64encode(part).decode("ascii")}">'
    if isinstance(part, list):
        head, *rows = ["".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in row)
                       for tag, row in zip(["th", *["td"] * len(part)], part, strict=False)]
        return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    # Lines that belong together stand in columns, as on a terminal.
    tag = "pre" if "\n" in str(part) else "div"
    return f"<{tag}>{html.escape(str(part))}</{tag}>"
