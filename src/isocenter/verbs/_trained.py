"""What training gives: a fitted method that answers, with what it learnt from and how it does on val."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.data import Bundle, Cases, Problem, Scores
from isocenter.verbs._bundling import facts
from isocenter.verbs._method import Method
from isocenter.verbs._scores import leading, score_lines
from isocenter.verbs._study import Taken
from isocenter.verbs._text import counted, duration, number


@dataclass(frozen=True)
class Trained:
    """A fitted method, ready to answer.

    Parameters
    ----------
    method
        The fitted method with its origins.
    cases
        What it learnt from, splits included.
    scores
        On val; thresholds were chosen there, so they flatter a little.
    bundle
        Where it was written, or None.
    report
        Page of the training report, or None.
    seeds
        Seed to score on val, where several were trained.
    folds
        Scores over all cases, each answered by a method that had not seen its group; None without folds.
    problems
        Warnings found on the way.
    notes
        What was done for the person, as sentences.
    taken
        Seconds and peak memory of the training.
    seed
        Of the training.
    data
        As given, for the next command.
    shas
        Case to checksum of its pixels.
    """

    method: Method
    cases: Cases
    scores: Scores | None = None
    bundle: Bundle | None = None
    report: Path | None = None
    seeds: Mapping[int, Scores] = field(default_factory=dict)
    folds: Scores | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    taken: Taken = field(default_factory=Taken)
    seed: int = 0
    data: str = "DATA"
    shas: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """The question it answers."""
        return self.method.task

    @property
    def name(self) -> str:
        """As tables call it."""
        return self.method.name

    @property
    def about(self) -> Mapping[str, Any]:
        """As `Fitted.about`."""
        about: Mapping[str, Any] = self.method.gated.about
        return about

    @property
    def fingerprint(self) -> dict[str, list[str]]:
        """Checksums of the pixels of train and val: what must not be met again in a test."""
        own = {
            side: sorted(self.shas[e.id] for e in self.cases.split(side).entries if e.id in self.shas)
            for side in ("train", "val") if side in self.cases.splits
        }
        return own | {f"{p.name}.{side}": list(s) for p in self.method.parts for side, s in p.fingerprint.items()}

    def state(self) -> dict[str, Any]:
        """As `Fitted.state`."""
        state: dict[str, Any] = self.method.gated.state()
        return state

    def predict(self, case: Any) -> Any:
        """The answer on the case's own grid; `NotEvaluated` for images unlike those that it learnt from."""
        return self.method.gated.predict(case)

    def opened(self) -> Any:
        """As `Differentiable.opened`."""
        return self.method.object.opened()

    def save(self, folder: str | Path, *, card: Mapping[str, Any] | None = None, overwrite: bool = False) -> Bundle:
        """Writes it as a bundle.

        Parameters
        ----------
        folder
            Where; it appears when it is complete.
        card
            More for the model card: ``licence``, ``credit``, ``intended_use``, ``limits`` ...
        overwrite
            Replace a bundle that is there.

        Raises
        ------
        OutputError, ResourceError
            It exists, cannot be written, or the disk is full.
        """
        from isocenter.bundle import write

        said = facts(
            self.method, self.cases, scores=self.scores, seed=self.seed, fingerprint=self.fingerprint, card=card
        )
        return write(self.method.gated, folder, task=self.task, method=self.method.method, overwrite=overwrite, **said)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": 1,
            "task": self.task,
            "method": self.method.method,
            "bundle": str(self.bundle.path) if self.bundle else None,
            "report": str(self.report) if self.report else None,
            "splits": self.cases.splits,
            "val": self.scores.as_json() if self.scores else None,
            "seeds": {str(seed): s.as_json()["metrics"] for seed, s in self.seeds.items()},
            "folds": self.folds.as_json() if self.folds else None,
            "seconds": self.taken.seconds,
            "peak_mb": self.taken.peak_mb,
            "estimated_mb": self._estimated_mb(),
            **({"adversarial": self._adversarial()} if self._adversarial() else {}),
            "problems": [p.as_json() for p in self.problems],
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """What was learnt and what it scores on val."""
        lines = [f"{p.severity}: {p.line()}" for p in self.problems] + [f"note: {n}" for n in self.notes]
        if self.scores:
            lines += [
                "",
                f"on val ({counted(len(self.scores.cases), 'case')}; thresholds were chosen here, so test says more)",
                *score_lines(self.scores),
            ]
        if self.folds:
            lines += ["", f"over {self.folds.split}, every case answered by a method that had not seen its group",
                      *score_lines(self.folds)]
        lines += [*_spread(self.seeds), "", f"trained in {duration(self.taken.seconds)}{self._memory()}"]
        hard = self._adversarial()
        lines += [str(hard["text"])] if hard else []
        lines += [f"report: {self.report}"] if self.report else []
        return lines + ([f"bundle: {self.bundle.path}"] if self.bundle else []) + [f"next: {self._next()}"]

    def _adversarial(self) -> dict[str, Any]:
        """What hardening against attacks left on val; empty where there was none."""
        return dict(getattr(self.method.object, "about", {}).get("adversarial") or {})

    def _estimated_mb(self) -> float | None:
        """What the plan said about memory before the training began; None for methods without such a plan."""
        estimate = (getattr(self.method.object, "about", {}).get("scheme") or {}).get("estimate") or {}
        return estimate.get("memory_mb")

    def _memory(self) -> str:
        said, took = self._estimated_mb(), self.taken.peak_mb
        return "" if said is None or took is None else f", peak memory {took:.0f} MB (estimated {said:.0f} MB)"

    def _next(self) -> str:
        bundle = self.bundle.path if self.bundle else "BUNDLE"
        if "test" in self.cases.splits:
            return f"isocenter evaluate {bundle} {self.data} --split test"
        return f"isocenter predict {bundle} INPUT -o OUT"


def _spread(seeds: Mapping[int, Scores]) -> list[str]:
    lead = leading(next(iter(seeds.values()))) if seeds else None
    if lead is None:
        return []
    metric, target = lead
    values = [s.metrics[metric][target].value for s in seeds.values()]
    found = [v for v in values if v is not None]
    sd = statistics.stdev(found) if len(found) > 1 else None
    each = ", ".join(f"{seed}: {number(v)}" for seed, v in zip(seeds, values, strict=True))
    return ["", f"spread over {len(seeds)} seeds on val, {metric} {target}: mean {number(statistics.fmean(found))}, "
            f"SD {number(sd)}, {number(min(found))} to {number(max(found))} ({each})"]
