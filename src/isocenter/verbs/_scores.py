"""Scores as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from isocenter.data import Scores, Test
from isocenter.verbs._text import counted, duration, number, table

Key = TypeVar("Key")
# Below this Holm-corrected p, and with an interval that leaves out zero, a difference is a claim.
CLAIM = 0.05


def score_lines(scores: Scores) -> list[str]:
    """One row per metric and target, with interval, n and flags."""
    rows = [
        (metric, target, number(s.value) + (f" {s.unit}" if s.unit else ""), number(s.low), number(s.high), str(s.n),
         ", ".join(s.flags))
        for metric, targets in scores.metrics.items()
        for target, s in targets.items()
        if target in _worth_a_row(scores.task, targets)
    ]
    return table(("metric", "target", "value", "low", "high", "n", "flags"), rows, right=(2, 3, 4, 5))


def _worth_a_row(task: str, targets: Iterable[str]) -> list[str]:
    names = list(targets)
    if task == "classify" and len(names) == 3 and "all" in names:
        # Of two classes `all` is the positive one, and what holds for the other follows.
        return ["all"]
    from isocenter.metrics.sizes import THIRDS

    # The mean over one class is that class.
    classes = [n for n in names if n not in ("all", *THIRDS)]
    return [n for n in names if n != "all"] if len(classes) == 1 else names


def heading(scores: Scores, data: str) -> list[str]:
    """What was scored on what, and how intervals were made."""
    refused = f", {counted(scores.n_refused, 'case')} refused" if scores.n_refused else ""
    how = scores.interval
    return [
        f"{scores.task} by {scores.method} on {data}, split {scores.split}: {counted(len(scores.cases), 'case')}, "
        f"{counted(scores.n_subjects, 'subject')}{refused}",
        f"low and high: {how.level:.0%} interval, resampled by {how.by}",
    ]


def cost(scores: Scores) -> str:
    """What it took."""
    peak = f", peak memory {scores.peak_mb:.0f} MB" if scores.peak_mb else ""
    return f"{duration(scores.seconds)} to answer{peak}, {counted(scores.threads, 'thread')}, engine {scores.engine}"


def leading(*scores: Scores) -> tuple[str, str] | None:
    """Metric and target that lead: the first metric with a target that all of `scores` have a value of.

    The target is ``all``, else ``foreground`` (a method that answers one region for all has no ``all``), else any.
    """
    for metric, targets in scores[0].metrics.items() if scores else ():
        for target in ("all", "foreground", *targets):
            found = [s.metrics.get(metric, {}).get(target) for s in scores]
            if all(f is not None for f in found) and any(f is not None and f.value is not None for f in found):
                return metric, target
    return None


def best_of(scores: Mapping[Key, Scores | None]) -> Key:
    """Who leads by the leading metric; the first on a tie, and when nothing could be scored."""
    from isocenter.metrics import METRICS

    first = next(iter(scores))
    lead = leading(*(s for s in scores.values() if s is not None))
    if lead is None:
        return first
    metric, target = lead
    sign = -1.0 if METRICS[metric].better == "lower" else 1.0

    def height(key: Key) -> float:
        found = scores[key]
        score = found.metrics.get(metric, {}).get(target) if found is not None else None
        return sign * score.value if score is not None and score.value is not None else float("-inf")

    return max(scores, key=height)


def side_by_side(scores: Mapping[str, Scores], lead: tuple[str, str] | None) -> list[str]:
    """One row a method: the leading metric with its interval, then the others."""
    if lead is None:
        return []
    metric, target = lead
    first = next(iter(scores.values()))
    # Three more metrics fit a terminal; the report and the JSON document hold them all.
    others = [m for m in first.metrics if m != metric][:3]
    rows = []
    for name, s in scores.items():
        value = s.metrics[metric][target]
        more = [number(s.metrics[m][target].value) if target in s.metrics.get(m, {}) else "-" for m in others]
        flags = ", ".join(value.flags)
        rows.append(
            (name, number(value.value), f"{number(value.low)} to {number(value.high)}", str(value.n), *more, flags)
        )
    return table(("method", f"{metric} {target}", "interval", "n", *others, "flags"), rows, right=(1, 3, 4, 5, 6))


def unproven(tests: Iterable[Test], best: str | None, lead: tuple[str, str] | None) -> list[str]:
    """Lines that name those over which a gain of the best in the leading metric is not proven, and those proven better.

    A gain is proven where the interval of the paired difference leaves out zero and Holm's p is below 0.05.
    """
    from isocenter.metrics import METRICS

    names, better = [], []
    for t in tests:
        if best not in (t.a, t.b) or lead is None or t.metric != lead[0] or t.difference is None:
            continue
        sign = (1 if t.a == best else -1) * (-1 if METRICS[t.metric].better == "lower" else 1)
        ends = sorted(sign * v for v in (t.low, t.high) if v is not None)
        proven = len(ends) == 2 and ends[0] > 0 and t.p_holm is not None and t.p_holm < CLAIM
        if t.test == "paired bootstrap" and sign * t.difference >= 0 and not proven:
            names.append(t.b if t.a == best else t.a)
        lost = len(ends) == 2 and ends[1] < 0 and t.p_holm is not None and t.p_holm < CLAIM
        if t.test == "paired bootstrap" and lost:
            better.append(t.b if t.a == best else t.a)
    metric = lead[0] if lead else ""
    said = f"not proven: a gain of {best} over {', '.join(names)} in {metric}"
    lines = [f"{said} (the interval of the difference holds 0, or Holm's p is not below {CLAIM:g})"] if names else []
    beaten = f"proven better than {best} in {metric}, although {best} was named beforehand: {', '.join(better)}"
    return [*lines, *([beaten] if better else [])]


def paired_lines(tests: tuple[Test, ...]) -> list[str]:
    """One row a paired test."""
    rows = [
        (f"{t.a} - {t.b}", t.metric, t.target, number(t.difference), f"{number(t.low)} to {number(t.high)}",
         _p(t.p), _p(t.p_holm), t.test, ", ".join(t.flags))
        for t in tests
    ]
    header = ("difference", "metric", "target", "value", "interval", "p", "p Holm", "test", "flags")
    return table(header, rows, right=(3, 5, 6)) if rows else []


def _p(value: float | None) -> str:
    return "-" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"
