"""What leaks between the sides of a split: groups, identical pixels, near copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.data import Cases, Problem
from isocenter.inspect.copies import near_duplicates
from isocenter.inspect.exam import Exam, examine

SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class Twin:
    """Two cases that show the same.

    Parameters
    ----------
    a, b
        Their ids.
    paths
        Of their images, so that a report can draw them.
    splits
        On which side each stands.
    correlation
        1 for identical pixels.
    exact
        The pixels are identical.
    labels
        Class names of each, where they are known.
    """

    a: str
    b: str
    paths: tuple[str, str]
    splits: tuple[str, str]
    correlation: float
    exact: bool
    labels: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def crosses(self) -> bool:
        """Whether they stand on two sides of a split."""
        return bool(self.splits[0] and self.splits[1]) and self.splits[0] != self.splits[1]

    @property
    def disagree(self) -> bool:
        """Whether they are filed under different classes."""
        return bool(self.labels[0] and self.labels[1]) and self.labels[0] != self.labels[1]

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return {
            "a": self.a, "b": self.b, "paths": list(self.paths), "splits": list(self.splits),
            "correlation": self.correlation, "exact": self.exact, "labels": [list(x) for x in self.labels],
        }


def leakage(cases: Cases, *, near: bool = True, exam: Exam | None = None) -> tuple[Problem, ...]:
    """What leaks between the sides of a split.

    One group, or identical pixels, on two sides are errors; near copies (correlation of at least 0.99 at 128 pixels
    after the set's mean image was removed) are warnings. What may pass all the same is for the caller to say.

    Parameters
    ----------
    near
        Look for near copies too.
    exam
        A pass over the same cases that was made before.
    """
    groups = shared_groups(cases)
    if len([s for s in cases.splits if s]) < 2:
        return ()
    exam = exam or examine(cases, thumbs=near)
    pairs = twins(exam, near=near)
    return (*groups, *_problems([t for t in pairs if t.crosses]))


def shared_groups(cases: Cases) -> tuple[Problem, ...]:
    """One error per group that stands on two sides; groups are not named, because they may be patients."""
    sides: dict[str, dict[str, list[str]]] = {}
    for entry, group in zip(cases.entries, cases.groups, strict=True):
        if entry.split and (entry.subject or entry.group):
            sides.setdefault(group, {}).setdefault(entry.split, []).append(entry.id)
    return tuple(
        Problem(
            "leakage", "error", f"one group stands on {len(found)} sides of the split", cases.name,
            "; ".join(f"{split}: {_few(ids)}" for split, ids in found.items()), "one side",
            "Split by group: isocenter split; or --allow leakage --because REASON",
        )
        for found in sides.values()
        if len(found) > 1
    )


def _few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:2]) + (f" and {len(ids) - 2} more" if len(ids) > 2 else "")


def twins(exam: Exam, *, near: bool = True) -> tuple[Twin, ...]:
    """All pairs of cases that show the same: the identical first, then the near copies, the closest first."""
    exact = list(_identical(exam))
    if not near:
        return tuple(exact)
    known = {(t.a, t.b) for t in exact}
    close = [t for t in _near(exam) if (t.a, t.b) not in known]
    return (*exact, *sorted(close, key=lambda t: -t.correlation))


def _identical(exam: Exam) -> Iterator[Twin]:
    by_sha: dict[str, list[int]] = {}
    for i, glimpse in enumerate(exam.glimpses):
        # Constant images are all alike and say nothing about where they come from.
        if glimpse and glimpse.low != glimpse.high:
            by_sha.setdefault(glimpse.sha, []).append(i)
    for same in by_sha.values():
        for n, i in enumerate(same):
            for j in same[n + 1 :]:
                yield _twin(exam, i, j, 1.0, True)


def _near(exam: Exam) -> Iterator[Twin]:
    by_size: dict[int, list[int]] = {}
    for i, glimpse in enumerate(exam.glimpses):
        if glimpse and glimpse.thumb is not None:
            by_size.setdefault(glimpse.thumb.size, []).append(i)
    for same in by_size.values():
        stack = np.stack([g.thumb for i in same if (g := exam.glimpses[i]) and g.thumb is not None])
        for pair in near_duplicates(stack):
            yield _twin(exam, same[pair.a], same[pair.b], pair.correlation, False)


def _twin(exam: Exam, i: int, j: int, correlation: float, exact: bool) -> Twin:
    a, b = exam.cases.entries[i], exam.cases.entries[j]
    return Twin(
        a.id, b.id, (_path(a.files), _path(b.files)), (a.split, b.split), correlation, exact, (a.labels, b.labels)
    )


def _path(files: Mapping[str, str]) -> str:
    return next((path for role, path in files.items() if role != "truth"), "")


def _problems(pairs: Sequence[Twin]) -> Iterator[Problem]:
    for twin in pairs:
        places = f"{twin.splits[0]}: {twin.a}; {twin.splits[1]}: {twin.b}"
        if twin.exact:
            yield Problem(
                "leakage", "error", "identical pixels on two sides of the split", twin.paths[0], places, "one side",
                "Remove one of them, or split by group; or --allow leakage --because REASON",
            )
        else:
            yield Problem(
                "near-copy", "warning", f"near copies on two sides of the split (correlation {twin.correlation:.3f})",
                twin.paths[0], places, "", "Look at both; put copies into one group, or pass --strict to refuse them",
            )
