"""The answer in a sentence or two, and what speaks against reading more into it."""

from __future__ import annotations

from dataclasses import replace

from isocenter.data import Score, Scores, Test
from isocenter.report.markup import Markup, escaped, joined, tag
from isocenter.report.percase import alias, lead_target, lower_is_better, shared_targets
from isocenter.report.run import Data, MethodResult, Run
from isocenter.report.wording import (
    MINUS,
    counted,
    decimals,
    digits,
    flag_text,
    listed,
    metric_name,
    p_text,
    where_text,
)

COMPARED = 3
# Below this Holm-corrected p, and with an interval that leaves out zero, a difference is put as a claim.
CLAIM = 0.05


def lead_of(run: Run) -> tuple[str, str]:
    """Metric key and target that lead the tables of a run."""
    key = run.metric
    return key, lead_target(shared_targets(run.scores, key), run.positive)


def headline_method(run: Run) -> MethodResult | None:
    """The method that the answer is about: the one chosen beforehand, or the only one."""
    scored = [m for m in run.methods if m.scores is not None]
    if len(scored) == 1:
        return scored[0]
    return next((m for m in scored if m.name == run.chosen), None)


def answer(run: Run) -> Markup | None:
    """The answer that follows from the scores of a run; None where nothing was scored."""
    key, target = lead_of(run)
    if not key:
        return None
    method = headline_method(run)
    if method is None or method.scores is None:
        return _nobody(run, key, target)
    score = method.scores.metrics.get(key, {}).get(target)
    if score is None:
        return None
    return joined(
        [_claim(method.name, key, target, score, method.scores), *_against(run, method.name, key, target)], " "
    )


def _claim(name: str, key: str, target: str, score: Score, scores: Scores) -> Markup:
    if score.value is None:
        return joined(
            [
                tag("strong", name),
                f" has no {metric_name(key)} {where_text(scores.split)}: "
                f"it is not defined on these {counted(score.n, 'case')}.",
            ]
        )
    places = decimals((score.value, score.low, score.high), score.unit)
    unit = f" {score.unit}" if score.unit else ""
    spread = "no interval"
    if score.low is not None and score.high is not None:
        spread = f"{_level(scores)} interval {digits(score.low, places)} to {digits(score.high, places)}"
    target = alias(scores.metrics[key], target)
    of = "" if target == "all" else f" for {target}"
    over = " on average over all classes" if target == "all" and len(scores.metrics[key]) > 2 else ""
    size = f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{score.n}" + (
        f" from {counted(scores.n_subjects, 'subject')}" if scores.n_subjects != score.n else ""
    )
    return joined(
        [
            tag("strong", name),
            f" reaches {metric_name(key)} ",
            tag("strong", digits(score.value, places) + unit),
            f"{of}{over} {where_text(scores.split)} ",
            tag("span", f"({spread}; {size})", class_="soft"),
            ".",
        ]
    )


def _level(scores: Scores) -> str:
    return f"{100 * scores.interval.level:g} %"


def _nobody(run: Run, key: str, target: str) -> Markup:
    parts = []
    for scores in run.scores:
        score = scores.metrics.get(key, {}).get(target)
        if score is not None:
            places = decimals((score.value, score.low, score.high), score.unit)
            parts.append(f"{scores.method} {digits(score.value, places)}{score.unit and ' ' + score.unit}")
    n = max((s.metrics[key][target].n for s in run.scores if target in s.metrics.get(key, {})), default=0)
    split = next((s.split for s in run.scores), "")
    return joined(
        [
            f"{metric_name(key)} {where_text(split)} (n = {n}): ",
            tag("strong", listed(parts)),
            ". ",
            "No method was named before this split was opened, so none is called the best.",
        ]
    )


def oriented(test: Test, name: str) -> Test:
    """The same comparison with one method as the first."""
    if test.a == name:
        return test
    difference, low, high = (None if v is None else -v for v in (test.difference, test.high, test.low))
    return replace(test, a=test.b, b=test.a, difference=difference, low=low, high=high)


def comparisons(run: Run, name: str, key: str, target: str) -> list[Test]:
    """One comparison of a method with every other on a metric and target, that method first."""
    found: dict[str, Test] = {}
    for test in run.tests:
        if test.metric == key and test.target == target and name in (test.a, test.b):
            turned = oriented(test, name)
            found.setdefault(turned.b, turned)
    return list(found.values())


def _against(run: Run, name: str, key: str, target: str) -> list[Markup]:
    tests = comparisons(run, name, key, target)
    lower = lower_is_better(run.task, key)
    lines = [escaped(comparison_line(test, lower_is_better=lower)) for test in tests[:COMPARED]]
    if len(tests) > COMPARED:
        lines.append(escaped(f"{counted(len(tests) - COMPARED, 'further comparison')} in the table."))
    return lines


def comparison_line(test: Test, *, lower_is_better: bool) -> str:
    """One paired comparison as a sentence; no claim without p, with a large p, or where the interval holds zero."""
    if test.difference is None:
        return f"It cannot be compared with {test.b}: the difference is not defined."
    places = decimals((test.difference, test.low, test.high), "mm" if abs(test.difference) >= 1 else "")
    size = digits(test.difference, places)
    spread = (
        "" if test.low is None or test.high is None else f" ({digits(test.low, places)} to {digits(test.high, places)})"
    )
    signed = size if size.startswith(MINUS) else f"+{size}"
    p = "" if test.p_holm is None else f", Holm-corrected p {_equals(p_text(test.p_holm))}"
    if test.low is None or test.high is None or test.p_holm is None:
        return f"The difference to {test.b} is {signed}{spread}; too few subjects for a test, so this is no claim."
    better = (test.difference < 0) == lower_is_better
    if test.low <= 0 <= test.high or test.p_holm >= CLAIM:
        open_ = f"A gain over {test.b} is not proven" if better else f"Whether it differs from {test.b} stays open"
        return f"{open_}: difference {signed}{spread}{p}."
    return f"It {'beats' if better else 'falls short of'} {test.b}: difference {signed}{spread}{p}."


def _equals(text: str) -> str:
    return text if text.startswith("<") else f"= {text}"


def caveats(run: Run) -> list[str]:
    """What a reader must know before believing the answer, worst first."""
    names = {m.name for m in run.methods}
    data = run.data or Data()
    told = [n for n in run.notes if data.subjects_known or not n.startswith("patients unknown")]
    lines = [n if n.partition(":")[0] in names else _sentence(n) for n in told]
    for what, reason in data.allow.items():
        lines.append(f"{what.capitalize()} was allowed for these data, because: {reason}")
    if not data.subjects_known:
        lines.append(
            "Patients unknown: the data do not say which cases share a patient, "
            "so each case counts as a patient of its own."
        )
    key, target = lead_of(run)
    flags = {f for s in run.scores if target in s.metrics.get(key, {}) for f in s.metrics[key][target].flags}
    lines += [_sentence(flag_text(f)) for f in sorted(flags)]
    for scores in run.scores:
        if scores.n_refused:
            verb = "is" if scores.n_refused == 1 else "are"
            lines.append(
                f"{counted(scores.n_refused, 'case')} could not be read and {verb} in no number of {scores.method}."
            )
    lines += _remarks(run, said=not data.subjects_known)
    errors = sum(1 for p in run.problems if p.severity == "error")
    if errors:
        lines.append(f"{counted(errors, 'error')} in the data, listed under Problems.")
    return list(dict.fromkeys(lines))


def _remarks(run: Run, *, said: bool) -> list[str]:
    """The notes of the scores; what holds for every method is said once."""
    notes = [
        (s.method, note) for s in run.scores for note in s.notes if not (said and note.startswith("patients unknown"))
    ]
    everywhere = {note for _, note in notes if all(note in s.notes for s in run.scores)}
    return [_sentence(note) if note in everywhere else f"{method}: {note.rstrip('.')}." for method, note in notes]


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return text[:1].upper() + text[1:] + "."
