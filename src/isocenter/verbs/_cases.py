"""Reading data for a verb, and the refusals that protect a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from isocenter.data import Cases, Problem
from isocenter.errors import IsocenterError, LabelError, LeakageError, NotFoundError, UsageError, nearest
from isocenter.verbs._options import READING, Options, Studying
from isocenter.verbs._text import counted

ALL = "all"
UNSPLIT = "the data came unsplit"
DIVIDE = "Divide anew (isocenter split keeps classes on all sides), join it with another class, or leave its cases out"


def cases_of(data: Any, task: str, *, options: Options, unlabelled: bool = False) -> Cases:
    """The cases of a path, a `Cases`, arrays or a table, with the truth of a task bound.

    `unlabelled`: images of train without truth are cases too, where a table holds such.

    Raises
    ------
    InputError
        Reading failed, or found something that no result can stand on.
    """
    from isocenter.layouts import read, with_unlabelled

    given: dict[str, Any] = {k: options[k] for k in READING if options.get(k)}  # type: ignore[literal-required]
    cases = (with_unlabelled if unlabelled else read)(data, task=task or None, **given)
    refuse(cases.problems)
    return cases


def refuse(problems: Sequence[Problem]) -> None:
    """Raises the first problem of severity error, and says how many more there are."""
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        p = errors[0]
        more = f" ({counted(len(errors) - 1, 'more problem')}; see: isocenter check)" if len(errors) > 1 else ""
        raise kind_of(p.code)(p.what + more, where=p.where, got=p.got, wanted=p.wanted, remedy=p.remedy)


def first_refusal(problems: Sequence[Problem], n: int) -> IsocenterError:
    """The error to raise when every case was refused: the first problem, and how many there are."""
    if not problems:
        return NotFoundError("there is no case to score")
    p = problems[0]
    more = f" (and so {counted(len(problems) - 1, 'other case')} of {n})" if len(problems) > 1 else ""
    return kind_of(p.code)(p.what + more, where=p.where, got=p.got, wanted=p.wanted, remedy=p.remedy)


def chosen(cases: Cases, split: str) -> Cases:
    """One split, or with ``"all"`` every case.

    Raises
    ------
    NotFoundError
        The data have no split of that name, or are not divided at all.
    """
    if split == ALL and ALL not in cases.splits:
        return cases
    if split in cases.splits:
        return cases.split(split)
    names = [name for name in cases.splits if name]
    if not names:
        raise NotFoundError(
            f"the data are not divided, so there is no split {split!r}", where=cases.name,
            remedy="Divide them and name the new table: isocenter split DATA -o TABLE.csv; or pass --split all",
        )
    raise NotFoundError(f"the data have no split {split!r}", where=cases.name, remedy=nearest(split, names))


def divided(cases: Cases, *, seed: int, val_from: str | None = None) -> tuple[Cases, tuple[str, ...]]:
    """Cases with train, val and test, and what had to be done for that, as sentences.

    Unsplit data are split by group, stratified and seeded. Data with train but without val are refused unless
    `val_from` says that a part of train is to be cut for stopping; a val that the data have is then left for scoring,
    as the test that they lack.
    """
    from isocenter.inspect import divide

    if set(cases.splits) == {""}:
        made = divide(cases, test=0.2, val=0.1, seed=seed)
        return made, (f"{UNSPLIT}: split by group with seed {seed} ({_counts(made)})",)
    if val_from is None:
        return cases, ()
    if val_from != "train":
        raise UsageError("val can be cut from train only", got=val_from, wanted="train")
    said = ""
    if "val" in cases.splits:
        if "test" in cases.splits:
            raise UsageError("the data have a val split already", where=cases.name, remedy="Leave out --val-from")
        cases = cases.with_splits(["test" if e.split == "val" else e.split for e in cases.entries])
        said = "the data's own val stands as test; "
    inner = divide(cases.split("train"), test=0.0, val=0.15, seed=seed)
    place = {e.id: e.split for e in inner.entries}
    made = cases.with_splits([place.get(e.id, e.split) if e.split == "train" else e.split for e in cases.entries])
    return made, (f"{said}val was cut from train by group with seed {seed} ({_counts(made)})",)


@dataclass(frozen=True)
class Examined:
    """What one pass over the images told: what leaks, as warnings, and the checksum of each case's pixels."""

    problems: tuple[Problem, ...]
    shas: Mapping[str, str]


def examined(cases: Cases, options: Studying) -> Examined:
    """Reads every image once; what leaks between splits is refused unless it is allowed with a reason.

    Raises
    ------
    LeakageError
        One group or identical images on two sides; with ``strict`` near copies too.
    UsageError
        ``allow`` without ``because``, or the other way round.
    """
    from isocenter.inspect import examine, leakage

    if bool(options.get("allow")) != bool(options.get("because")):
        raise UsageError("--allow leakage needs a reason", wanted="--allow leakage --because REASON")
    exam = examine(cases)
    found = leakage(cases, exam=exam)
    if options.get("strict"):
        found = tuple(replace(p, severity="error") if p.severity == "warning" else p for p in found)
    if not cases.allow.get("leakage"):
        refuse([replace(p, code=LeakageError.code) for p in found])
    return Examined(tuple(replace(p, severity="warning") for p in found), exam.fingerprint)


def caveats(cases: Cases) -> tuple[str, ...]:
    """What every table on these cases must say, the truth that could not be taken as it stands among it."""
    notes = tuple(f"{what} allowed: {reason}" for what, reason in cases.allow.items())
    if cases.task == "classify" and len(cases.classes) == 2 and cases.positive and not cases.multilabel:
        notes += (f"all means {cases.positive} against the rest",)
    notes += (*warned(cases.problems), *scarce(cases))
    return notes if cases.subjects_known else (*notes, "patients unknown: every case counts as a subject of its own")


def scarce(cases: Cases) -> tuple[str, ...]:
    """Classes of cases of which train has a single one, or val none although train has some."""
    if cases.task != "classify":
        return ()
    held = {side: [c for e in cases.split(side).entries for c in e.labels] for side in cases.splits if side}
    train, val = held.get("train", []), held.get("val")
    lone = [c for c in cases.classes if train.count(c) == 1]
    unseen_ = [c for c in cases.classes if c in train and val is not None and c not in val]
    said = [f"train holds one case of {', '.join(lone)}: that is too little to learn from"] if lone else []
    if unseen_:
        names = ", ".join(unseen_)
        said += [f"val holds no case of {names}: neither thresholds nor scores there mean anything for it"]
    return tuple(said)


def warned(problems: Sequence[Problem]) -> tuple[str, ...]:
    """The first warning of each kind as a line, and how many more there are."""
    kinds: dict[str, list[Problem]] = {}
    for p in problems:
        if p.severity == "warning":
            kinds.setdefault(p.what, []).append(p)
    return tuple(
        first.line() + (f" {len(more)} more like this: isocenter check lists them." if more else "")
        for first, *more in kinds.values()
    )


def with_allowance(cases: Cases, because: str | None) -> Cases:
    """The cases with the reason for which leakage is allowed; every table prints it."""
    return replace(cases, allow={**cases.allow, "leakage": because}) if because else cases


def unseen(cases: Cases, fingerprint: Mapping[str, Any], *, name: str) -> None:
    """LeakageError where a case has the pixels of one that a bundle learnt from."""
    from isocenter.inspect import fingerprint as of_cases

    known = {sha for side in fingerprint.values() for sha in (side.values() if isinstance(side, Mapping) else side)}
    if not known:
        return
    seen = [case for case, sha in of_cases(cases).items() if sha in known]
    if seen:
        raise LeakageError(
            f"{counted(len(seen), 'case')} of {len(cases)} were studied by this bundle", where=name, got=seen[0],
            wanted="cases that it has never seen", remedy="Evaluate on other cases; these would flatter",
        )


def known_classes(cases: Cases, classes: Sequence[str], *, name: str) -> None:
    """LabelError where cases hold a class that a method has never met."""
    have = [c for c in classes if c != "background"]
    if not have or have == ["foreground"] or not cases.classes:
        return
    held = {label for e in cases.entries for label in e.labels} or set(cases.classes)
    new = [c for c in cases.classes if c in held and c not in have]
    if new and list(cases.classes) != ["foreground"]:
        raise LabelError(f"{name} does not know {counted(len(new), 'class', many='classes')} of {cases.name}",
                         got=", ".join(new), wanted=", ".join(have),
                         remedy="Give the classes the names of the bundle, or train on these data")


def known_to_train(cases: Cases, test: Cases, *, by: Sequence[Any] = ()) -> None:
    """LabelError where the cases to be scored hold a class that no case of train holds.

    Not where all that learn (`by`) need a single class, as an autoencoder needs the normal one.
    """
    if "train" not in cases.splits or (by and all(getattr(recipe, "one_class", False) for recipe in by)):
        return
    learnt = {label for e in cases.split("train").entries for label in e.labels}
    new = sorted({label for e in test.entries for label in e.labels} - learnt)
    if learnt and new:
        raise LabelError("a class in the cases to be scored is unknown to train", where=cases.name,
                         got=", ".join(new), wanted=", ".join(sorted(learnt)), remedy=DIVIDE)


def _counts(cases: Cases) -> str:
    return ", ".join(f"{name or 'no split'} {n}" for name, n in cases.splits.items())


def kind_of(code: str) -> type[IsocenterError]:
    """The class of error that has a code."""

    def below(cls: type[IsocenterError]) -> list[type[IsocenterError]]:
        return [cls, *(c for sub in cls.__subclasses__() for c in below(sub))]

    return next((c for c in below(IsocenterError) if c.code == code), IsocenterError)
