"""The flow of cases as a figure and as text: read, left out and why, sets, refused, analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from xml.sax.saxutils import escape

from isocenter.report.paper_names import SPLITS
from isocenter.report.paper_story import Story
from isocenter.report.wording import counted

WIDTH, GAP, PAD, LINE = 250, 40, 12, 18
# Characters that fit a box at the size of the text.
LETTERS = 36


@dataclass(frozen=True)
class Box:
    """One box: its lines, and whether it is about cases that leave."""

    lines: tuple[str, ...]
    leaves: bool = False


def flow_of(story: Story) -> tuple[list[Box], list[Box], list[Box]]:
    """What came in (one box), what left before the division (none or one), and one box a set with what left it."""
    data = story.data
    out = sum(data["left_out"].values())
    read = counted(data["cases"] + out, "case") + " in the data"
    who = counted(data["subjects"], "subject") if data["subjects_known"] else "subjects unknown"
    # Of whom the rows were that left, nobody knows.
    start = [Box((read,) if out else (read, who))]
    left = [Box((f"Left out: {out}", *(f"{why}: {n}" for why, n in data["left_out"].items())), True)] if out else []
    sets = []
    for name, row in story.splits.items():
        title = SPLITS.get(name, (name,))[0].capitalize() + (" set" if name in ("train", "val", "test") else "")
        lines = [title, f"{counted(row['cases'], 'case')}, {counted(row['subjects'], 'subject')}"]
        lines += [f"{c}: {n}" for c, n in row["classes"].items()]
        if row.get("unlabelled"):
            lines.append(f"without a label: {row['unlabelled']}")
        lines += _analysed(story, name)
        sets.append(Box(tuple(lines)))
    return start, left, sets


def _analysed(story: Story, split: str) -> list[str]:
    # A run over folds or over all cases is about every set.
    if not story.scores or (split != story.split and story.split in story.splits):
        return []
    if split != story.split and len(story.splits) > 1:
        return []
    first = next(iter(story.scores.values()))
    refused = [f"refused: {story.refused}"] if story.refused else []
    reasons: dict[str, int] = {}
    for problem in story.record["problems"]:
        if problem["severity"] == "error":
            reasons[problem["what"]] = reasons.get(problem["what"], 0) + 1
    return [*refused, *(f"  {why}: {n}" for why, n in reasons.items()), f"analysed: {first['n_cases']}"]


def flow_text(story: Story) -> str:
    """As Markdown, for readers of the text and for those who cannot see the figure."""
    start, left, sets = flow_of(story)
    lines = ["**Figure 1.** Flow of cases.", ""]
    for box in (*start, *left, *sets):
        head, *rest = box.lines
        lines += [f"- {head}" + (f": {'; '.join(r.strip() for r in rest)}" if rest else "")]
    return "\n".join([*lines, ""])


def flow_svg(story: Story) -> str:
    """As a picture of its own: black on white, text that stays text."""
    start, left, sets = flow_of(story)
    many = max(len(sets), 1)
    width: float = max(many * WIDTH + (many + 1) * GAP, 2 * WIDTH + 3 * GAP)
    top, parts = float(GAP), []
    middle = width / 2
    bottom = top + _height(start[0])
    parts.append(_box(start[0], middle - WIDTH / 2, top))
    if left:
        side = middle + WIDTH / 2 + GAP / 2
        if side + WIDTH > width:
            width = side + WIDTH + GAP
        y = bottom + GAP / 2
        parts += [_box(left[0], side, y), _arrow(middle, y + _height(left[0]) / 2, side, y + _height(left[0]) / 2)]
        under = y + _height(left[0]) + GAP / 2
    else:
        under = bottom + GAP
    first = middle - (many * WIDTH + (many - 1) * GAP) / 2
    centres = [first + i * (WIDTH + GAP) + WIDTH / 2 for i in range(many)]
    if sets:
        parts.append(_line(middle, bottom, middle, under))
        parts.append(_line(centres[0], under, centres[-1], under))
    for box, centre in zip(sets, centres, strict=False):
        parts += [_arrow(centre, under, centre, under + GAP / 2), _box(box, centre - WIDTH / 2, under + GAP / 2)]
    height = under + GAP / 2 + max([_height(b) for b in sets], default=0) + GAP
    return _drawing(width, height, parts)


def _drawing(width: float, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="Flow of cases" font-family="Arial, sans-serif" font-size="13">')
    tip = ('<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
           '<path d="M0 0 L8 4 L0 8 z"/></marker></defs>')
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
    return "\n".join([head, "<title>Flow of cases</title>", tip, ground, *parts, "</svg>", ""])


def _lines(box: Box) -> list[str]:
    return [piece for line in box.lines for piece in (wrap(line, LETTERS) or [""])]


def _height(box: Box) -> float:
    return 2 * PAD + LINE * len(_lines(box))


def _box(box: Box, x: float, y: float) -> str:
    dash = ' stroke-dasharray="4 3"' if box.leaves else ""
    shape = (f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{_height(box):g}" fill="#fff" stroke="#000"{dash} '
             'stroke-width="1.2"/>')
    rows = [f'<text x="{x + PAD:g}" y="{y + PAD + LINE * (i + 0.75):g}"{_weight(i)}>{escape(line)}</text>'
            for i, line in enumerate(_lines(box))]
    return "\n".join([shape, *rows])


def _weight(row: int) -> str:
    return "" if row else ' font-weight="bold"'


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path d="M{x:g} {y:g} L{to_x:g} {to_y:g}" fill="none" stroke="#000" stroke-width="1.2"/>'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    return _line(x, y, to_x, to_y).replace("/>", ' marker-end="url(#tip)"/>')
