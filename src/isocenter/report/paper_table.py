"""Table 1 of a paper: who and what the cases were, by split, as CSV and Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isocenter.report.card import ABSENT, plain
from isocenter.report.paper_names import SPLITS
from isocenter.report.paper_story import Story, spread
from isocenter.report.tables import csv_text

Row = tuple[str, ...]


def table_one(story: Story) -> tuple[Row, list[Row]]:
    """Heading and rows: cases, subjects, classes, facts, images; one column a split.

    A number is given as mean (SD) and as median (IQR), a kind as n (%), both of the cases where it is known; how many
    lack it stands in a row of its own.
    """
    splits = list(story.splits)
    head = ("", *(f"{SPLITS.get(s, (s,))[0]} (n = {story.splits[s]['cases']})" for s in splits))
    known = "subjects" if story.data["subjects_known"] else "subjects (unknown; each case counts as one)"
    rows: list[Row] = [
        ("cases", *(str(story.splits[s]["cases"]) for s in splits)),
        (known, *(str(story.splits[s]["subjects"]) for s in splits)),
    ]
    for name in story.data["classes"]:
        counts = [story.splits[s]["classes"] for s in splits]
        if any(counts):
            rows.append((f"class {name}, n (%)", *(
                share(c.get(name, 0), story.splits[s]["cases"]) for c, s in zip(counts, splits, strict=True))))
    if any(story.splits[s].get("unlabelled") for s in splits):
        rows.append(("without a label, n", *(str(story.splits[s].get("unlabelled", 0)) for s in splits)))
    for name, by in story.data["facts"].items():
        rows += fact_rows(name, [by.get(s, {"kind": "number", "n": 0, "missing": 0}) for s in splits])
    for key, title in (("modality", "modality"), ("size", "image size, pixels"), ("spacing", "spacing, mm")):
        counts = [story.data["images"].get(s, {}).get(key, {}) for s in splits]
        cells = [often(c) if key == "modality" else ranged(c) for c in counts]
        rows.append((title, *cells))
    return head, rows


def fact_rows(name: str, summaries: list[Mapping[str, Any]]) -> list[Row]:
    """The rows of one fact."""
    rows: list[Row] = []
    if any(s["kind"] == "kind" for s in summaries):
        values = dict.fromkeys(v for s in summaries for v in s.get("counts", {}))
        rows += [(f"{name} = {v}, n (%)", *(share(s.get("counts", {}).get(v, 0), s["n"]) for s in summaries))
                 for v in values]
    else:
        rows.append((f"{name}, mean (SD)", *(_pair(s.get("mean"), s.get("sd")) for s in summaries)))
        rows.append((f"{name}, median (IQR)", *(
            _pair(s.get("median"), _quarters(s) if s.get("q1") is not None else None)
            for s in summaries)))
    if any(s["missing"] for s in summaries):
        rows.append((f"{name} missing, n", *(str(s["missing"]) for s in summaries)))
    return rows


def share(n: int, of: int) -> str:
    """A count with its share in percent.

    >>> share(3, 12), share(0, 0)
    ('3 (25.0)', '0')
    """
    return f"{n} ({100 * n / of:.1f})" if of else str(n)


def often(counts: Mapping[str, int]) -> str:
    """The values of a property, the most frequent first, with their numbers where there are several.

    >>> often({"24 x 24": 8}), often({"CT": 3, "MR": 1}), often({})
    ('24 x 24', 'CT (3), MR (1)', 'not provided')
    """
    if not counts:
        return ABSENT
    shown = [*counts][:3]
    if len(counts) == 1:
        return shown[0]
    more = f", {len(counts) - 3} others" if len(counts) > 3 else ""
    return ", ".join(f"{v} ({counts[v]})" for v in shown) + more


def ranged(counts: Mapping[str, int]) -> str:
    """Sizes or spacings: what they are where they are few, else the range of each axis.

    >>> ranged({"8 x 9": 4}), ranged({f"{n} x 9": 1 for n in (5, 6, 7, 8)})
    ('8 x 9', '5 to 8 x 9')
    """
    known = [c for c in counts if c != "unknown"]
    return often(counts) if len(counts) <= 3 or len(known) < len(counts) else spread(known) or often(counts)


def table_csv(story: Story) -> str:
    """As CSV."""
    head, rows = table_one(story)
    return csv_text(head, rows)


def table_markdown(story: Story) -> str:
    """As Markdown, with what the numbers are."""
    head, rows = table_one(story)
    lines = [f"| {' | '.join(map(plain, row))} |" for row in (head, ("---",) * len(head), *rows)]
    lines[1] = "|" + " --- |" * len(head)
    remark = ("Facts are counted by case, of the cases where they are known. SD standard deviation, IQR interquartile "
              "range.")
    if not story.data["facts"]:
        remark += (" The data carry no clinical facts; name the columns that hold age, sex and so on with --facts when "
                   "the run is made, and they appear here.")
    return "\n".join([f"**Table 1.** Cases of {plain(story.data['name'])} by set.", "", *lines, "", remark, ""])


def _quarters(summary: Mapping[str, Any]) -> str:
    places = 1 if abs(summary["median"]) >= 10 else 3
    return f"{summary['q1']:.{places}f} to {summary['q3']:.{places}f}"


def _pair(value: float | None, other: float | str | None) -> str:
    if value is None:
        return ABSENT
    places = 1 if abs(value) >= 10 else 3
    said = other if other is None or isinstance(other, str) else f"{other:.{places}f}"
    return f"{value:.{places}f}" + ("" if said is None else f" ({said})")
