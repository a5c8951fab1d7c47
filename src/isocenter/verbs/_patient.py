"""Every bundle asked about one patient: who answers, what, how sure, and who refuses and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from isocenter.data import Case, Problem, Progress
from isocenter.errors import IsocenterError, UsageError
from isocenter.files import write_text
from isocenter.infer import limited
from isocenter.report.asked import ANSWERED, REFUSED, Asked
from isocenter.verbs._asking import Offer, asked_of, offered
from isocenter.verbs._inputs import Input, bound, inputs_of
from isocenter.verbs._options import Answering, checked, opening_of, reporter, threads_of
from isocenter.verbs._places import vacant_report
from isocenter.verbs._text import counted, number, typed

RECORD = "private/answers.json"


@dataclass(frozen=True)
class Patient:
    """What every bundle said about one patient.

    Parameters
    ----------
    folder
        Of the page and of the answers' files; None: nothing was written.
    asked
        One entry a bundle and image.
    inputs
        Source of each image to its checksum.
    problems
        Images that could not be read.
    report
        The page, or None.
    next
        The command that comes next.
    """

    folder: Path | None
    asked: tuple[Asked, ...]
    inputs: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    report: Path | None = None
    next: str = ""

    @property
    def answered(self) -> tuple[Asked, ...]:
        """Those that gave an answer."""
        return tuple(a for a in self.asked if a.status == ANSWERED)

    @property
    def exit_code(self) -> int:
        """0 where at least one bundle answered, else 1."""
        return 0 if self.answered else 1

    def as_json(self) -> dict[str, Any]:
        """Plain values, without pictures; with the sources as they were given."""
        rows = [
            {"bundle": a.bundle, "method": a.method, "question": a.question, "image": a.image, "status": a.status,
             "why": a.why, "answer": a.answer, "probability": a.probability,
             "interval": asdict(a.known) if a.known else None, "values": dict(a.values), "files": list(a.files)}
            for a in self.asked
        ]
        return {
            "format": 1, "notice": "Research use only. Not a medical device.", "n_answered": len(self.answered),
            "asked": rows, "inputs": dict(self.inputs), "problems": [p.as_json() for p in self.problems],
            "report": str(self.report) if self.report else None,
        }

    def lines(self) -> list[str]:
        """One line a question, answers first."""
        from isocenter.report.section_asked import interval_text

        lines = []
        for one in self.answered:
            sure = "" if one.probability is None else f", probability {number(one.probability)}"
            lines.append(f"{one.bundle}: {one.image}: {one.answer}{sure}; {interval_text(one)}")
        lines += [f"{a.bundle}: {a.image}: {a.status}: {a.why}" for a in self.asked if a.status != ANSWERED]
        lines += [f"refused: {p.line()}" for p in self.problems]
        if not self.answered:
            lines.append("no bundle was made for these images. Train one (isocenter train TASK DATA -o BUNDLE) and "
                         "name its folder with --bundles; --outside answer asks them all the same")
        lines += [f"research use only; page: {self.report}"] if self.report else []
        return [*lines, f"next: {self.next}"]


def predict_all(
    inputs: Any, *, out: str | Path | None = None, bundles: Sequence[str | Path] = (), overwrite: bool = False,
    command: str = "", **options: Unpack[Answering],
) -> Patient:
    """Asks every bundle about one patient.

    Parameters
    ----------
    inputs
        A file, a series folder, a folder of images or series, or a list of these: all of one patient. One case by name:
        a list of ``"ROLE=PATH"`` and ``"FACT=VALUE"``.
    out
        Folder for the page, the answers' files, and the record in ``private/``; None: nothing is written.
    bundles
        More bundles than those that come with isocenter: their folders, or folders that hold some.
    overwrite, command
        As in `predict`; as typed, for the page.

    Raises
    ------
    NotFoundError
        A folder of `bundles` holds none.
    OutputError
        A page lies in `out`.
    IsocenterError
        No image can be read.
    """
    checked(options, Answering)
    outside = options.get("outside", "refuse")
    if outside not in ("refuse", "answer"):
        raise UsageError("unknown way with images outside the envelope", got=outside, wanted="refuse or answer")
    vacant_report(out, overwrite=overwrite)
    offers = offered(bundles)
    found = inputs_of(list(inputs) if isinstance(inputs, (list, tuple)) else [inputs], how=opening_of(options))
    cases, problems = _cases(found)
    folder = None if out is None else Path(out)
    asked: list[Asked] = []
    with limited(threads_of(options)):
        for i, offer in enumerate(offers):
            reporter(options)(Progress(f"ask {offer.name}", i / len(offers)))
            asked += asked_of(offer, cases, folder=folder, outside=outside)
    reporter(options)(Progress("ask", 1.0))
    sums = {one.source: one.sha256() for one in found if one.source not in {p.where for p in problems}}
    made = Patient(folder, tuple(asked), sums, problems)
    made = replace(made, next=_next(made, offers, found))
    return made if folder is None else _written(made, offers, folder, command=command, overwrite=overwrite)


def _cases(found: Sequence[Input]) -> tuple[list[Case], tuple[Problem, ...]]:
    """The images that can be read, as cases, and what is wrong with the others; raises where none can."""
    cases: list[Case] = []
    problems: list[Problem] = []
    for one in found:
        try:
            case = one.open()
            cases.append(case if bound([one.source]) else replace(case, id=one.name))
        except IsocenterError as error:
            if len(found) == 1:
                raise _remedied(error) from error
            problems.append(replace(Problem.of(error, one.source), where=one.source))
    if not cases:
        raise UsageError("none of the images can be read", where=problems[0].where, got=problems[0].what,
                         remedy="See: isocenter look PATH")
    return cases, tuple(problems)


def _remedied(error: IsocenterError) -> IsocenterError:
    """The error with what to do, where it does not say so itself."""
    remedy = error.remedy or "Name an image, a series folder, or a folder of images of one patient"
    return type(error)(error.what, where=error.where, got=error.got, wanted=error.wanted, remedy=remedy)


def _written(made: Patient, offers: Sequence[Offer], folder: Path, *, command: str, overwrite: bool) -> Patient:
    from isocenter.report import write_report

    page = write_report(_run(made, offers, command), folder, overwrite=overwrite)
    made = replace(made, report=page)
    text = json.dumps(made.as_json(), indent=1, allow_nan=False) + "\n"
    write_text(folder / RECORD, text, overwrite=True)
    return made


def _run(made: Patient, offers: Sequence[Offer], command: str) -> Any:
    """The page's content."""
    from isocenter.report import Run
    from isocenter.verbs._explanation import stamp

    sums = {o.name: o.sha256 for o in offers if o.sha256}
    refused = sum(a.status == REFUSED for a in made.asked)
    said = (f"{len(made.answered)} of {counted(len(made.asked), 'question')} answered, {refused} refused. ")
    sources = {name for path in made.inputs for name in (path, Path(path).name, Path(path).stem)}
    return Run(
        title="One patient, every bundle", task="", verb="predict --all", created=stamp(), command=command,
        headline=said + "What a bundle was not made for it does not answer.",
        facts={"images": str(len(made.inputs)), "bundles": str(len(offers))}, asked=made.asked,
        made={"inputs": dict(made.inputs), "bundles": sums}, problems=made.problems,
        notes=("Each bundle answers its own question by itself; together they are no diagnosis.",),
        identifiers=tuple(sorted(sources | {a.image for a in made.asked})),
    )


def _next(made: Patient, offers: Sequence[Offer], found: Sequence[Input]) -> str:
    from isocenter.verbs._method import EXPLAINED

    places = {o.name: typed(o.reference) for o in offers}
    sources = {one.name: one.source for one in found}
    first = found[0].source
    for one in made.answered:
        at = typed(sources.get(one.image.split(":")[0], first))
        if one.method.split("/")[0] in EXPLAINED:
            return f"isocenter explain {places[one.bundle]} {at} -o explained"
    if made.answered:
        one = made.answered[0]
        return f"isocenter predict {places[one.bundle]} {typed(sources.get(one.image.split(':')[0], first))} -o OUT"
    return f"isocenter look {typed(first)}"
