"""Every case of a split answered and scored, with what it cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.data import Case, Cases, CaseScore, NotEvaluated, Problem, Progress, Scores
from isocenter.errors import IsocenterError
from isocenter.verbs._method import Method


@dataclass(frozen=True)
class Answered:
    """What a method answered on some cases.

    Parameters
    ----------
    scores
        One per case that could be read, in order.
    problems
        The cases that were refused.
    seconds
        Spent in the method alone, without reading truths and scoring.
    """

    scores: tuple[CaseScore, ...]
    problems: tuple[Problem, ...]
    seconds: float


def answer_all(method: Method, cases: Cases, *, report: Callable[[Progress], None], what: str = "") -> Answered:
    """Answers and scores every case; a refused case is a problem, the rest goes on."""
    from isocenter import catalog

    task = catalog.task(method.task)
    scores: list[CaseScore] = []
    problems: list[Problem] = []
    seconds = 0.0
    began = time.perf_counter()
    for i, entry in enumerate(cases.entries):
        try:
            case = entry.open()
            start = time.perf_counter()
            answer = method.object.predict(case)
            seconds += time.perf_counter() - start
            scores.append(_scored(task, case, group=cases.groups[i], answer=answer))
        except IsocenterError as error:
            problems.append(Problem.of(error, entry.id))
        share = (i + 1) / len(cases)
        left = (time.perf_counter() - began) * (1 / share - 1)
        report(Progress(what or f"answer {method.name}", share, seconds_left=left))
    return Answered(tuple(scores), tuple(problems), seconds)


def summary(
    method: Method, answered: Answered, *, cases: Cases, split: str, abstain: str, seed: int, threads: int
) -> Scores:
    """The table of one method on one split, with what it cost."""
    from isocenter import catalog
    from isocenter.metrics import summarise

    made = summarise(
        catalog.task(method.task), answered.scores, method=method.name, split=split, positive=cases.positive,
        abstain=abstain, seed=seed,
    )
    return replace(
        made, n_refused=len(answered.problems), seconds=round(answered.seconds, 3), peak_mb=peak_mb(), threads=threads,
        engine=engine_of(method),
    )


def engine_of(method: Method) -> str:
    """What computed the answers: the plan's engine for a network, numpy otherwise."""
    about: Any = getattr(method.object, "about", None) or {}
    if not hasattr(about, "get") or "network" not in about:
        return "numpy"
    return str((about.get("plan") or {}).get("engine", "onnxruntime"))


def peak_mb() -> float | None:
    """Largest resident memory of this process so far, in MB; None where the system does not tell."""
    # Linux: what getrusage tells of a new process begins with the peak of the one that started it.
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii", errors="replace").splitlines() if status.is_file() else []
    own = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    if own:
        return round(int(own[0]) / 2**10, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (2**20 if sys.platform == "darwin" else 2**10), 1)


def _scored(task: Any, case: Case, *, group: str, answer: Any) -> CaseScore:
    from isocenter.metrics import records

    truth = case.truth()
    if truth is None:
        raise IsocenterError("the case has no truth to score against", where=case.id)
    note = answer.line() if isinstance(answer, NotEvaluated) else ""
    return CaseScore(case.id, group.lstrip("\0"), records(task, answer, truth), note)
