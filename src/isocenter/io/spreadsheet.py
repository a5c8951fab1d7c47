"""Cells of text tables that no spreadsheet runs.

A cell that a spreadsheet would take for a formula (it begins with = + - @, also in full width, a tab or a return, and
is no number) gets an apostrophe in front, and so does one that begins with an apostrophe; reading takes it off again
(OWASP, CSV injection).
"""

from __future__ import annotations

from typing import Any

RISKY = tuple("=+-@\t\r\n＝＋－＠'")


def safe(cell: Any) -> str:
    """A cell as text that is only text.

    >>> safe("=1+1"), safe(-0.5), safe("-0.5"), safe(None), safe("'x")
    ("'=1+1", '-0.5', '-0.5', '', "''x")
    """
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RISKY) and not _number(text) else text


def restored(cell: str) -> str:
    """The text that `safe` was given.

    >>> restored("'=1+1"), restored("-0.5"), restored("''x"), restored("'quoted'")
    ('=1+1', '-0.5', "'x", "'quoted'")
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) and not _number(cell[1:]) else cell


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text
