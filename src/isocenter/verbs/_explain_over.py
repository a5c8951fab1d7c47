"""Explanations over a split: every check with n and interval, methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Unpack

from isocenter import catalog
from isocenter.data import Attribution, Case, Cases, CaseScore, NotEvaluated, Problem, Progress, Scores, Test
from isocenter.errors import IsocenterError, NotFoundError, UsageError
from isocenter.infer import limited
from isocenter.verbs._cases import cases_of, chosen, first_refusal, unseen
from isocenter.verbs._method import Method, resolve
from isocenter.verbs._options import Options, checked, reporter, threads_of
from isocenter.verbs._recipe import Settings, settings_of
from isocenter.verbs._scores import paired_lines
from isocenter.verbs._text import counted, number, table

# Where the truth says where something is; the first that the data have is taken.
PLACES = ("segment", "instances", "detect")
# What the others are held against where it is among the methods.
BASELINE = "centre"


@dataclass(frozen=True)
class Overview:
    """Explanations of one predictor over one split.

    Parameters
    ----------
    scores
        Name of the explanation to its checks.
    tests
        Paired differences in the pointing game and in the overlap, against the centre where it is among them.
    of, data, split
        What was explained, on what.
    problems
        Cases that were refused.
    """

    scores: Mapping[str, Scores]
    tests: tuple[Test, ...]
    of: str
    data: str
    split: str
    problems: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 when cases were refused."""
        return 3 if self.problems else 0

    def as_json(self) -> dict[str, Any]:
        """Every score with its interval, and the tests."""
        return {"format": 1, "of": self.of, "data": self.data, "split": self.split,
                "methods": {name: s.as_json() for name, s in self.scores.items()},
                "tests": [{**asdict(t), "flags": list(t.flags)} for t in self.tests],
                "problems": [p.as_json() for p in self.problems]}

    def lines(self) -> list[str]:
        """One row a method and check."""
        n = max(len(s.cases) for s in self.scores.values())
        rows = [
            (name, key, number(score.value), f"{number(score.low)} to {number(score.high)}", str(score.n),
             ", ".join(score.flags))
            for key in next(iter(self.scores.values())).metrics
            for name, s in self.scores.items()
            if (score := s.metrics[key]["all"]).value is not None
        ]
        head = f"explanations of {self.of} on {self.data}, split {self.split}: {counted(n, 'case')}"
        first = next(iter(self.scores.values()))
        silent = [c.note for c in first.cases if c.note]
        left = [f"note: {len(silent)} of {n} cases have no answer to explain: {silent[0]}"] if silent else []
        return [head, *left, "", *table(("method", "check", "value", "interval", "n", "flags"), rows, right=(2, 4)), "",
                *paired_lines(self.tests), *[f"refused: {p.line()}" for p in self.problems],
                "the checks judge the map, not the method; pointing_game and iou_same_size only where there is a truth"]


def explain_over(
    predictor: Any,
    data: Any,
    *,
    methods: Sequence[str] = ("gradients", BASELINE),
    split: str = "val",
    settings: Mapping[str, Any] | Settings | None = None,
    checks: bool = True,
    **options: Unpack[Options],
) -> Overview:
    """Explains every case of a split by one or several methods, and scores the maps.

    Parameters
    ----------
    predictor
        As in `isocenter.verbs.explain.explain`.
    data
        A folder, a table or `Cases`. Masks, objects or boxes serve the pointing game; without them it is left out.
    methods
        Of the task ``explain``, or kinds of gradients; ``centre`` is what the others are tested against.
    split
        Which cases; ``"all"`` for every case.
    settings
        Of the methods: ``{"gradients.layer": ...}`` names one, ``{"target": ...}`` all that have such a field.
    checks
        Deletion, insertion and weights drawn anew too; about a hundred answers a case and method.

    Raises
    ------
    UsageError
        As `explain`; or no method is named.
    LeakageError
        The predictor has studied some of these cases.
    IsocenterError
        Every case was refused.
    """
    checked(options, Options)
    if not methods:
        raise UsageError("no method is named", wanted="such as gradients,occlusion,centre")
    asked = resolve(predictor)
    cases = chosen(truthful(data, asked, options), split)
    if split != "train":
        unseen(cases, asked.fingerprint, name=asked.name)
    explainers = _explainers(asked, methods, settings_of(settings))
    found: dict[str, list[CaseScore]] = {name: [] for name in explainers}
    problems: list[Problem] = []
    report = reporter(options)
    with limited(threads_of(options)):
        for i, entry in enumerate(cases.entries):
            try:
                rows = _scored(asked, explainers, entry.open(), checks=checks)
            except IsocenterError as error:
                problems.append(Problem.of(error, entry.id))
            else:
                for name, (records, note) in rows.items():
                    found[name].append(CaseScore(entry.id, cases.groups[i].lstrip("\0"), records, note))
            report(Progress("explain", (i + 1) / len(cases)))
    if not found[methods[0]]:
        raise first_refusal(tuple(problems), len(cases))
    return _overview(found, asked, cases, split=split, problems=tuple(problems), seed=options.get("seed", 0))


def truthful(data: Any, asked: Method, options: Options) -> Cases:
    """The data with masks, objects or boxes where they have any, else with the predictor's own truth."""
    if isinstance(data, Cases):
        return data
    for task in PLACES:
        try:
            return cases_of(data, task, options=options)
        except IsocenterError:
            # It has no such truth; if it cannot be read at all the last attempt says so.
            continue
    return cases_of(data, asked.task, options=options)


def _explainers(asked: Method, methods: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Each by its name; a setting without a method's name goes to all that know its field."""
    from isocenter.data import knobs
    from isocenter.verbs.explain import explainer_of, named

    out: dict[str, Any] = {}
    unused = set(settings.values)
    for name in methods:
        method, kind = named(name)
        fields = {k.name for k in knobs(catalog.find("explain", method))}
        mine = {k: v for k, v in settings.values.items() if k in fields} | dict(settings.of(name).values)
        unused -= {k for k in settings.values if k in mine or k.startswith(f"{name}.")}
        out[name] = explainer_of(asked, method, settings=Settings().over(mine | kind, "settings"))
    if unused:
        raise NotFoundError("no method knows this setting", got=", ".join(sorted(unused)),
                            wanted="FIELD or METHOD.FIELD", remedy="See: isocenter methods explain METHOD")
    return out


def _scored(
    asked: Method, explainers: Mapping[str, Any], case: Case, *, checks: bool
) -> dict[str, tuple[dict[str, Any], str]]:
    """Records and note of each method for one case."""
    from isocenter.metrics import records
    from isocenter.metrics.faithfulness import checked as checked_map
    from isocenter.verbs.explain import outside_of

    task, truth, outside = catalog.task("explain"), case.truth(), outside_of(asked, case)
    out = {}
    for name, explainer in explainers.items():
        found = explainer.predict(case) if outside is None else outside
        if not isinstance(found, Attribution | NotEvaluated):
            raise UsageError(f"{name} makes no map that could be scored", got=type(found).__name__)
        if checks and isinstance(found, Attribution):
            found = checked_map(explainer, asked.object, case, found).found
        out[name] = records(task, found, truth), found.line() if isinstance(found, NotEvaluated) else ""
    return out


def _overview(
    found: Mapping[str, list[CaseScore]], asked: Method, cases: Cases, *, split: str, problems: tuple[Problem, ...],
    seed: int,
) -> Overview:  # fmt: skip
    from isocenter.metrics import compare, summarise

    task = catalog.task("explain")
    scores = {name: summarise(task, rows, method=name, split=split, seed=seed) for name, rows in found.items()}
    pointed = [k for k in ("pointing_game", "iou_same_size")
               if all(s.metrics[k]["all"].value is not None for s in scores.values())]  # fmt: skip
    against = BASELINE if BASELINE in scores else None
    tests = compare(task, list(scores.values()), against=against, metrics=pointed, seed=seed) if pointed else ()
    return Overview(scores, tests, asked.name, cases.name, split, problems)
