"""The section on a search over recipes: scores in the order of the trials, what mattered, every trial."""

from __future__ import annotations

from collections.abc import Mapping

from isocenter.report.charts import share_bar
from isocenter.report.curves import learning_chart
from isocenter.report.markup import Markup, joined, tag
from isocenter.report.run import Run
from isocenter.report.searched import Searched
from isocenter.report.view import Section, View, fold, paragraph, shown, table
from isocenter.report.wording import counted, digits


def search_section(view: View, run: Run) -> Section | None:
    """Scores of the trials and the best so far, importance of the fields, the table of all trials."""
    found = run.search
    if found is None:
        return None
    parts = (_words(found), _course(view, found), _importance(found), _trials(view, found))
    return view.section("search", "Search", *parts)


def _words(found: Searched) -> Markup:
    failed = sum(t["score"] is None for t in found.trials)
    lost = f" {counted(failed, 'trial')} failed." if failed else ""
    return paragraph(
        f"{counted(len(found.trials), 'trial')}; the first is the recipe as it was asked. Each learnt on train and was "
        f"scored on val ({found.score}). Trial {found.best} is the one that is kept.{lost} The best of many scores on "
        "val flatters: only the comparison on test says what was gained."
    )


def _course(view: View, found: Searched) -> Markup | None:
    rows, best = [], None
    for trial in found.trials:
        score = trial["score"]
        if isinstance(score, (int, float)):
            best = score if best is None else max(best, score)
            rows.append({"trial": trial["trial"], "score": score, "best so far": best})
    if len(rows) < 2:
        return None
    chart = learning_chart(rows, ["score", "best so far"], title=f"{found.score} on val", best=False, along="trial",
                           size=(640, 260))
    return view.figure("search", view.keep("search", chart), "The score of each trial on val, and the best until then.")


def _importance(found: Searched) -> Markup | None:
    if not found.importance:
        return None
    rows = [
        [tag("code", name), found.ranges.get(name, ""), f"{100 * share:.0f} %", share_bar(round(1000 * share), 1000, 7)]
        for name, share in sorted(found.importance.items(), key=lambda pair: -pair[1])
    ]
    said = (
        "Share of the variance of the scores that each field explains by itself (epsilon squared); what fields do "
        "together is not in it, and it is rough with few trials."
    )
    return joined([tag("h3", "What mattered"), table(["Field", "Searched", "Share", ""], rows, caption=said)])


def _trials(view: View, found: Searched) -> Markup:
    names = list(dict.fromkeys(k for t in found.trials for k in _values(t)))
    rows = [
        [
            t["trial"],
            "failed" if t["score"] is None else digits(float(str(t["score"])), 4),
            f"{float(str(t['seconds'])):.0f} s",
            *(shown(_values(t).get(k, "")) for k in names),
            view.text(str(t["lack"])) if t["lack"] else "",
        ]
        for t in found.trials
    ]
    listing = table(["Trial", "Score on val", "Took", *names, ""], rows)
    return fold(f"All trials ({len(rows)})", listing)


def _values(trial: Mapping[str, object]) -> Mapping[str, object]:
    values = trial["values"]
    return values if isinstance(values, Mapping) else {}
