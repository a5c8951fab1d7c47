"""Pairs of images that were brought together, drawn: what a number of registration cannot say."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.report.markup import Markup, joined, tag
from isocenter.report.overlaid import Overlaid, panels
from isocenter.report.run import MethodResult
from isocenter.report.view import View, slug

HOW = (
    "In a difference black is alike, orange where the fixed image is brighter, blue where the moving one is, dark grey "
    "where the moving image does not reach: edges in orange and blue side by side are misaligned. In a checkerboard "
    "lines must go on from field to field. In the picture that blinks what is aligned stands still (it stops while "
    "the pointer is on it)."
)


def overlaid_pictures(view: View, methods: Sequence[MethodResult], *, burned: str, most: int) -> Markup | None:
    """The drawn pairs of every method; None where there is none."""
    rows = []
    for m in methods:
        pairs = [p for p in m.pictures if isinstance(p, Overlaid)][:most]
        blocks = [_pair(view, p, f"case-{slug(m.name)}-{i + 1}") for i, p in enumerate(pairs)]
        if blocks:
            title = tag("p", m.name, class_="panel-title") if len(methods) > 1 else None
            rows.append(joined(b for b in (title, *blocks) if b is not None))
    return joined([tag("h3", "Drawn pairs"), view.figure("pictures", joined(rows), HOW + burned)]) if rows else None


def _pair(view: View, shown: Overlaid, name: str) -> Markup:
    words = " ".join(w for w in (shown.rank.capitalize(), view.codes.of(shown.case) if shown.case else "") if w)
    drawn = panels(shown, detail=view.detail, label=words)
    tiles = []
    for i, (caption, picture) in enumerate(drawn):
        view.keep_picture(f"{name}-{i + 1}", picture)
        wide = " wide-tile" if "pairs of points" in caption else ""
        tiles.append(tag("div", tag("div", picture, class_="frame"), tag("p", caption), class_=f"picture{wide}"))
    head = tag(
        "p", tag("b", shown.rank.capitalize()) if shown.rank else None, " " if shown.rank else None,
        tag("code", view.codes.of(shown.case)) if shown.case else None, " " if shown.case else None,
        view.text(shown.text), class_="note",
    )
    return tag("div", head, tag("div", *tiles, class_="pictures pairs"), class_="pair-block")
