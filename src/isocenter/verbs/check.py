"""Pre-flight of a data set: everything that can be known before a method is asked."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from isocenter import catalog
from isocenter.data import Cases
from isocenter.inspect import Check
from isocenter.inspect import check as checked
from isocenter.verbs._options import place_of
from isocenter.verbs._text import counted

# Whose cost is estimated when nobody names a method.
USUAL = {"segment": "unet", "classify": "cnn", "regress": "cnn", "instances": "contours", "detect": "yolo"}
# What answers without training, where a set has nothing to learn from.
AT_ONCE = {"segment": "segment/histogram", "instances": "instances/watershed_split", "detect": "detect/clusters",
           "register": "register/landmarks"}
# Questions that a check may be about.
ASKED = tuple(dict.fromkeys((*USUAL, *AT_ONCE)))
BARE = (
    "no truth that a method could be scored against: images alone. "
    "A table with the column image and one of mask, label, instances or boxes brings one; "
    "of pairs, the columns fixed and moving and one of transform, fixed_landmarks or fixed_mask"
)


@dataclass(frozen=True)
class Checked:
    """What a check found, and what may be asked next.

    Parameters
    ----------
    found
        For one question.
    others
        Questions that the data could be checked for as well.
    data
        As given, for the next command.
    """

    found: Check
    others: tuple[str, ...]
    data: str

    @property
    def exit_code(self) -> int:
        """1 where there is an error: what would follow is refused, so a script may stop here."""
        return 0 if self.found.ok else 1

    def as_json(self) -> dict[str, Any]:
        """The document of the check."""
        return {**self.found.as_json(), "other_tasks": list(self.others)}

    def lines(self) -> list[str]:
        """What is wrong, what it can prove, what it will cost."""
        bare = [] if self.found.task else [BARE]
        more = [f"the data also bring a truth for: {', '.join(self.others)} (--task)"] if self.others else []
        errors = sum(problem.severity == "error" for problem in self.found.problems)
        wrong = [f"{counted(errors, 'error')} above: correct that first"] if errors else []
        unknown = [f"cost: not known for {self.found.method}"] if self.found.method and self.found.cost is None else []
        return [*self.found.lines(), *unknown, *bare, *more, *wrong, f"next: {self._next()}"]

    def _next(self) -> str:
        task, splits, place = self.found.task, self.found.splits, self.data
        division = f"isocenter split {place} --test 0.2 --val 0.1 -o TABLE.csv"
        errors = {p.code for p in self.found.problems if p.severity == "error"}
        if errors:
            return division if errors == {"leakage"} else f"isocenter check {place}"
        if not task:
            return f"isocenter predict segment/histogram {place} -o OUT"
        if not any(splits):
            return division
        if "train" not in splits or task not in USUAL:
            method = AT_ONCE.get(task, "BUNDLE")
            return f"isocenter evaluate {method} {place} --split {'test' if 'test' in splits else next(iter(splits))}"
        return f"isocenter train {task} {place} -o BUNDLE --time 20m"


def check(
    data: Any,
    *,
    task: str | None = None,
    method: str | None = None,
    target: str | None = None,
    group: str | None = None,
    role: str | None = None,
) -> Checked:
    """Reads every image and truth once and says what is wrong with them; refuses nothing that can be read.

    Parameters
    ----------
    data
        A folder, a table, `Cases`, ``(x, y)`` arrays or a DataFrame.
    task
        The question; default the first for which the data bring a truth. Without any truth only images are checked.
    method
        Whose time and memory are estimated; default the task's usual network.
    target, group, role
        The column of the truth, the one whose value stays on one side of a split, and which image the truth is about.

    Raises
    ------
    MissingFileError, UnreadableError
        Nothing is there, or nothing that a layout understands.
    NotFoundError
        The data bring no truth for the question that was asked for.
    """
    from isocenter.layouts import survey

    asked = task or _first(data)
    cases = survey(data, task=asked, target=target, group=group, role=role)
    name = method or USUAL.get(asked, "")
    found = checked(cases, task=asked, method=name, network=_learns_a_network(asked, name))
    if not (method or USUAL.get(asked)):
        # Without a question, or a network that answers it, there is nothing whose cost could be told.
        found = replace(found, cost=None)
    place = place_of(data, {"target": target, "group": group, "role": role})
    return Checked(found, tuple(t for t in cases.tasks if t != asked and t in ASKED), place)


def _learns_a_network(task: str, method: str) -> bool:
    """Whether a method of ours has a study: weights that are found in steps."""
    if not task or method not in catalog.methods(task):
        return False
    cls: Any = catalog.find(task, method)
    return is_dataclass(cls) and any(f.name == "study" for f in fields(cls))


def _first(data: Any) -> str:
    from isocenter.layouts import survey

    if isinstance(data, Cases) and data.task:
        return data.task
    tasks = survey(data).tasks
    return next((t for t in ASKED if t in tasks), "")
