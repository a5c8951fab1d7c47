"""What the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isocenter.errors import IsocenterError
from isocenter.faces.progress import Meter


def safe_streams() -> None:
    """Makes stdout and stderr write what their encoding lacks as ``?`` instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def meter(*, quiet: bool) -> Callable[[Any], None]:
    """Where progress goes: a bar on a terminal, else a line now and then, nothing when quiet."""
    return (lambda progress: None) if quiet else Meter(sys.stderr)


def result(value: Any, *, as_json: bool, quiet: bool) -> None:
    """Shows what a verb gave."""
    if as_json:
        json_document(value.as_json())
        return
    lines = list(value.lines())
    if quiet and lines and lines[-1].startswith("next: "):
        lines.pop()
    text([typed(line) for line in lines])


def typed(line: str) -> str:
    """A line whose remedy names arguments of Python, as a person types them.

    >>> typed("several series. Pass series=2, or axes='tyx'.")
    "several series. Pass --series 2, or --axes 'tyx'."
    >>> typed("--set before.spacing=1,1")
    '--set before.spacing=1,1'
    """
    return re.sub(r"(?<![\w.-])(series|axes|spacing)=(?=\S?)", r"--\1 ", line)


def json_document(document: Mapping[str, Any]) -> None:
    """One JSON document on stdout; a NaN in it is a fault of ours and refused by the encoder."""
    # ASCII: a document must survive any code page whole.
    print(json.dumps(document, indent=1, allow_nan=False), flush=True)


def text(lines: Sequence[str]) -> None:
    """Lines on stdout."""
    print("\n".join(lines), flush=True)


def note(line: str) -> None:
    """One line on stderr."""
    # A bar may stand on the terminal's last line.
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(clear + line, file=sys.stderr, flush=True)


def problem(error: IsocenterError) -> dict[str, Any]:
    """An error as a JSON document."""
    parts = {"what": error.what, "where": error.where, "got": error.got, "wanted": error.wanted, "remedy": error.remedy}
    return {"format": 1, "error": {"code": error.code, "severity": "error", **parts}}


def overview(verbs: Mapping[str, str]) -> list[str]:
    """The help of the whole command."""
    wide = max(map(len, verbs))
    return [
        "isocenter: from medical images to results that can be trusted",
        "",
        "usage: isocenter VERB ... [--json] [--help]",
        "",
        *[f"  {name:<{wide}}  {line}" for name, line in verbs.items()],
        "",
        "isocenter VERB --help tells the rest, with examples. Research use only: not a medical device.",
    ]
