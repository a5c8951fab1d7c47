"""The model card: what a bundle is for, what it was made from, and what it has shown (Mitchell et al., FAT* 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SECTIONS = {
    "intended_use": "Intended use",
    "not_for": "Not for",
    "data": "Training data",
    "licence": "Licence",
    "credit": "Credit",
    "citation": "Citation",
    "metrics": "What it has shown",
    "sureness": "Right decisions on val by confidence",
    "envelope": "What it may be given",
    "limits": "Known limits",
}
REQUIRED = ("intended_use", "data", "licence", "metrics", "envelope")
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


def card_text(card: Mapping[str, Any], *, task: str, method: str, made: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Parameters
    ----------
    card
        Any of ``name``, ``intended_use``, ``not_for``, ``data``, ``licence``, ``credit``, ``citation``, ``metrics``,
        ``envelope``, ``limits`` and others: text, a list, or a mapping; ``metrics`` is text or rows with ``metric``,
        ``target``, ``value``, ``low``, ``high``, ``n``, ``split``. What every card needs and this one lacks is said.
    task, method, made
        As in `write`.
    """
    lines = [f"# {card.get('name') or f'{task} / {method}'}", "", NOTICE, ""]
    others = {key: key.replace("_", " ").capitalize() for key in card if key not in SECTIONS and key != "name"}
    for key, heading in {**SECTIONS, **others}.items():
        if card.get(key) or key in REQUIRED:
            lines += [f"## {heading}", "", *_block(card.get(key) or "Not stated."), ""]
    lines += ["## Made", "", *_block({"question": task, "method": method, **made}), ""]
    return "\n".join(lines)


def _block(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"- {key}: {_line(v)}" for key, v in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(v, Mapping) for v in value):
            return _table(value)
        return [f"- {_line(v)}" for v in value]
    return [str(value)]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    body = ["| " + " | ".join(_line(row.get(key)) for key in keys) + " |" for row in rows]
    return ["| " + " | ".join(keys) + " |", "|" + " --- |" * len(keys), *body]


def _line(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {_line(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_line(v) for v in value)
    return "" if value is None else " ".join(str(value).replace("|", "\\|").split())
