"""Tables as files: CSV that no spreadsheet takes for a formula, Markdown, LaTeX, and the numbers of every case."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from isocenter.data import CaseScore, Score
from isocenter.report.card import plain
from isocenter.report.markup import cleaned
from isocenter.report.percase import metric_of
from isocenter.report.privacy import Codes
from isocenter.report.run import Run
from isocenter.report.section_scores import keys_of
from isocenter.report.wording import digits, flag_text, metric_name, p_text, score_text, target_name

# What spreadsheets read as a formula (OWASP, CSV Injection), in full width too, and the mark that we put before it.
RISKY = tuple("=+-@\t\r\n＝＋－＠'")
CASES_HEAD = (
    "chapter",
    "task",
    "method",
    "split",
    "positive",
    "case",
    "group",
    "note",
    "metric",
    "number",
    "target",
    "value",
)
TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",
    "–": "--",
}


def neutral(cell: object) -> object:
    """A cell that stays text in a spreadsheet: an apostrophe before what would be a formula. Numbers stay numbers.

    >>> neutral("=1+1"), neutral(-0.5), neutral("lung")
    ("'=1+1", -0.5, 'lung')
    """
    return "'" + cell if isinstance(cell, str) and cell.startswith(RISKY) else cell


def restored(cell: str) -> str:
    """The text that `neutral` was given.

    >>> restored("'=1+1"), restored("lung")
    ('=1+1', 'lung')
    """
    return cell[1:] if cell.startswith("'") else cell


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV with every text cell neutralised; None is empty, floats keep all their digits."""
    out = io.StringIO()
    # RFC 4180; with this ending the module also quotes a lone carriage return.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow(["" if c is None else repr(c) if isinstance(c, float) else neutral(c) for c in row])
    return out.getvalue().encode("utf-8", "backslashreplace").decode("utf-8")


def leaves(record: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every plain value of a nested record with the way to it; positions in lists are ``[0]``, ``[1]`` ..."""
    if isinstance(record, Mapping) and record:
        for key, value in record.items():
            yield from leaves(value, (*path, str(key)))
    elif isinstance(record, (list, tuple)) and len(record):
        for i, value in enumerate(record):
            yield from leaves(value, (*path, f"[{i}]"))
    else:
        yield path, record


def case_rows(run: Run, chapter: str, codes: Codes) -> Iterator[tuple[object, ...]]:
    """The lines of cases.csv of one run: one number of one record of one case each."""
    for scores in run.scores:
        for case in scores.cases:
            yield from _case(case, (chapter, scores.task, scores.method, scores.split, run.positive or ""), codes)


def _case(case: CaseScore, head: tuple[str, ...], codes: Codes) -> Iterator[tuple[object, ...]]:
    who = (codes.of(case.case), codes.of(case.group), codes.text(case.note, pieces=True))
    for key, record in case.records.items():
        for path, value in leaves(record):
            *way, last = path or ("",)
            number, target = ("/".join(_slashed(p) for p in way), last) if way else (_slashed(last), "")
            # JSON, so that reading back gives the same value of the same kind; a number stays a bare number.
            yield (*head, *who, key, number, target, _Bare(json.dumps(value, ensure_ascii=False)))


class _Bare(str):
    """A JSON value: a negative number at the start of a cell is no formula, so it is not neutralised."""

    __slots__ = ()

    def startswith(self, *_: Any) -> bool:
        return False


def _slashed(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def score_rows(run: Run, chapter: str = "") -> Iterator[tuple[object, ...]]:
    """The lines of table.csv of one run: every number with its interval, n, unit and flags."""
    for scores in run.scores:
        for key in scores.metrics:
            for target, s in scores.metrics[key].items():
                metric = metric_of(scores.task, key)
                yield (
                    chapter,
                    scores.task,
                    scores.method,
                    scores.split,
                    key,
                    target,
                    s.value,
                    s.low,
                    s.high,
                    s.n,
                    s.unit,
                    scores.n_subjects,
                    " ".join(s.flags),
                    metric.better if metric else "",
                )


TABLE_HEAD = (
    "chapter",
    "task",
    "method",
    "split",
    "metric",
    "target",
    "value",
    "low",
    "high",
    "n",
    "unit",
    "n_subjects",
    "flags",
    "better",
)
PAIR_HEAD = ("chapter", "a", "b", "metric", "target", "difference", "low", "high", "p", "p_holm", "test", "flags")


def pair_rows(run: Run, chapter: str = "") -> Iterator[tuple[object, ...]]:
    """The lines of tests.csv of one run."""
    for t in run.tests:
        yield (
            chapter,
            t.a,
            t.b,
            t.metric,
            t.target,
            t.difference,
            t.low,
            t.high,
            t.p,
            t.p_holm,
            t.test,
            " ".join(t.flags),
        )


def cells(run: Run) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of the table in papers: a row per metric and target, a column per method."""
    rows = []
    for key in keys_of(run):
        targets = dict.fromkeys(t for s in run.scores for t in s.metrics.get(key, {}))
        for target in targets:
            found: list[Score | None] = [s.metrics.get(key, {}).get(target) for s in run.scores]
            rows.append([metric_name(key), target_name(target), *(score_text(s) if s else "–" for s in found)])
    return ["Metric", "Target", *(s.method for s in run.scores)], rows


def remarks(run: Run, codes: Codes) -> list[str]:
    """What has to stand below a table: interval, split, flags, what was allowed."""
    lines = []
    if run.scores:
        first = run.scores[0]
        lines.append(
            f"{100 * first.interval.level:g} % intervals ({first.interval.kind}, by {first.interval.by}); n is the "
            f"number of cases; split: {first.split or 'none'}"
        )
    flags = dict.fromkeys(f for s in run.scores for t in s.metrics.values() for x in t.values() for f in x.flags)
    lines += [f"{f}: {flag_text(f)}" for f in flags]
    lines += [f"{k} was allowed: {codes.text(v)}" for k, v in (run.data.allow if run.data else {}).items()]
    return [line.rstrip(".") + "." for line in lines]


def markdown(run: Run, codes: Codes) -> str:
    """The table of one run as Markdown, with its tests and remarks."""
    head, rows = cells(run)
    lines = [f"## {plain(codes.text(run.title))}", ""]
    if rows:
        lines += _pipes(head, rows)
    if run.tests:
        tests = [
            [
                f"{t.a} against {t.b}",
                metric_name(t.metric),
                target_name(t.target),
                f"{digits(t.difference)} ({digits(t.low)} to {digits(t.high)})",
                p_text(t.p),
                p_text(t.p_holm),
            ]
            for t in run.tests
        ]
        lines += ["", *_pipes(["Comparison", "Metric", "Target", "Difference", "p", "p, Holm"], tests)]
    return "\n".join([*lines, "", *(f"{plain(r)}  " for r in remarks(run, codes)), ""])


def _pipes(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(c if c == "---" else plain(c) for c in line) + " |" for line in lines]


def latex(run: Run, codes: Codes) -> str:
    """The table of one run as a LaTeX tabular (packages: none) with remarks as comments and in a note."""
    head, rows = cells(run)
    if not rows:
        return ""
    body = [" & ".join(map(tex, row)) + r" \\" for row in rows]
    note = " ".join(tex(r) for r in remarks(run, codes))
    return "\n".join(
        [
            f"% {tex(codes.text(run.title))}",
            rf"\begin{{tabular}}{{ll{'l' * len(run.scores)}}}",
            r"\hline",
            " & ".join(map(tex, head)) + r" \\",
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
            rf"\par\small {note}",
            "",
        ]
    )


def tex(text: str) -> str:
    """Text that LaTeX prints as it is.

    >>> tex("50 % of A_1")
    '50 \\\\% of A\\\\_1'
    """
    return "".join(TEX.get(c, c) for c in " ".join(cleaned(text).split()))
