"""From what a verb found to the one report value: numbers, curves, pictures, what made it."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from isocenter import catalog
from isocenter.data import Cases, Scores
from isocenter.errors import IsocenterError
from isocenter.report import Data, MethodResult, Run, Searched
from isocenter.verbs._method import EXPLAINED, Method
from isocenter.verbs._pictures import curves_of, explanation_of, pictures_of, samples_of
from isocenter.verbs._score import engine_of
from isocenter.verbs._scores import leading
from isocenter.verbs._study import Taken
from isocenter.verbs._suspects import suspect_pictures
from isocenter.verbs._under_pictures import changes_of
from isocenter.verbs._writing import plain

if TYPE_CHECKING:
    from isocenter.verbs._trained import Trained
    from isocenter.verbs.compare import Comparison
    from isocenter.verbs.evaluate import Evaluation
    from isocenter.verbs.tune import Tuned


def evaluation_run(made: Evaluation, method: Method, *, cases: Cases, test: Cases, command: str = "") -> Run:
    """What the report of one method on one split shows."""
    return Run(
        title=f"{method.task} / {method.name} on {cases.name}",
        task=method.task,
        verb="evaluate",
        created=_now(),
        command=command,
        data=_data(cases),
        # A method that answers unlearnt was scored as it stands, and can be asked again.
        methods=(
            replace(_result(replace(method, fitted=method.fitted or method.answers), made, cases=test), by=made.by,
                gaps=made.gaps, trend=made.trend, certainty=made.certainty),
        ),
        curves=_curves([method], [made], cases=test),
        explanations=_explained([method], made, cases=test),
        made=_made([method], test),
        card=_card(method),
        problems=made.problems,
        notes=made.notes,
        identifiers=_identifiers(cases),
    )


def comparison_run(made: Comparison, *, cases: Cases, test: Cases, command: str = "") -> Run:
    """What the report of several methods on the same cases shows."""
    ready = list(made.predictors.values())
    lead = made.predictors.get(made.best or "", ready[0])
    shared = leading(*made.methods.values())
    target = shared[1] if shared else ""
    return Run(
        title=f"{made.task} on {cases.name}: {', '.join(made.methods)}", task=made.task, verb="compare", created=_now(),
        command=command, chosen=made.best, chosen_by=f"the leading metric on {made.chosen_on}", data=_data(cases),
        methods=tuple(
            _result(m, made.methods[m.name], cases=test, taken=made.taken.get(m.name), target=target) for m in ready
        ),
        tests=made.tests, curves=_curves(ready, [made.methods[m.name] for m in ready], cases=test),
        explanations=_explained([lead, *ready], made.methods[lead.name], cases=test), made=_made(ready, test),
        card=_card(lead), problems=made.problems, notes=made.notes, identifiers=_identifiers(cases),
        positive=cases.positive, under=made.under, changes=changes_of(made.changes, test),
    )


def training_run(made: Trained, *, command: str = "") -> Run:
    """What the report of a training shows: data, plan, samples, learning curves, scores on val."""
    about = made.method.object.about
    val = made.cases.split("val") if "val" in made.cases.splits else made.cases
    scores = [made.scores] if made.scores else []
    shown = _result(made.method, made.scores, cases=val, taken=made.taken)
    return Run(
        title=f"{made.task} / {made.name} learns from {made.cases.name}",
        task=made.task,
        verb="train",
        created=_now(),
        command=command,
        data=_data(made.cases),
        plan=_plan(made.method),
        origins=_origins(made.method),
        history=about.get("history") or (),
        samples=samples_of(made.method, made.cases, seed=made.seed),
        methods=(shown,),
        curves=_curves([made.method] * len(scores), scores, cases=val),
        made=_made([made.method], val, known=made.shas),
        card=_card(made.method),
        problems=made.problems,
        suspects=suspect_pictures(made.problems, made.cases),
        notes=(*made.notes, "scores are on val, where thresholds and stopping were chosen"),
        identifiers=_identifiers(made.cases),
    )


def tuning_run(made: Tuned, tuned: Method, cases: Cases, *, command: str = "") -> Run:
    """What the report of a search shows: what was gained on test, the trials, the plan that is kept."""
    base = (
        comparison_run(made.gain, cases=cases, test=cases.split("test"), command=command)
        if made.gain
        else Run("", made.task, data=_data(cases), command=command, created=_now(), identifiers=_identifiers(cases),
                 methods=(_result(tuned, None, cases=cases),), made=_made([tuned], cases.split("val")),
                 card=_card(tuned), problems=made.problems)
    )
    trials = [{"trial": t.number, "score": t.score, "seconds": t.seconds, "lack": t.lack, "values": dict(t.values)}
              for t in made.trials]
    found = Searched(trials, made.best, " ".join(made.metric), made.importance, made.ranges)
    return replace(
        base, title=f"{made.task} / {made.method} tuned on {cases.name}", verb="tune", search=found,
        chosen="tuned" if made.gain else None, chosen_by=f"its score on val among {len(trials)} trials",
        notes=made.notes,
    )


def _result(
    method: Method, scores: Scores | None, *, cases: Cases, taken: Taken | None = None, target: str = ""
) -> MethodResult:
    about: Mapping[str, Any] = getattr(method.object, "about", None) or {}
    took = taken or Taken()
    thresholds = _thresholds(method)
    return MethodResult(
        method.name,
        scores,
        _text(method),
        pictures_of(method, scores, cases=cases, target=target) if scores else (),
        _plan(method),
        _origins(method),
        about.get("history") or (),
        took.seconds,
        took.peak_mb,
        f"thresholds {', '.join(f'{t:.3g}' for t in thresholds)}, chosen on val" if thresholds else "",
    )


def _plan(method: Method) -> Mapping[str, Any]:
    about: Mapping[str, Any] = getattr(method.object, "about", None) or {}
    if "scheme" in about:
        return {k: plain(v) for k, v in about["scheme"].items() if k not in ("origins", "format")}
    return {k: plain(about[k]) for k in ("recipe", "plan") if k in about}


def _text(method: Method) -> str:
    return catalog.summary(method.task, method.method) if method.method in catalog.methods(method.task) else ""


def _origins(method: Method) -> dict[str, str]:
    about: Mapping[str, Any] = getattr(method.object, "about", None) or {}
    return {**dict(about.get("origins") or {}), **dict(method.origins)}


def _curves(methods: Sequence[Method], scores: Sequence[Scores], *, cases: Cases) -> tuple[Any, ...]:
    return tuple(
        c for m, s in zip(methods, scores, strict=True) for c in curves_of(s, cases, thresholds=_thresholds(m))
    )


def _thresholds(method: Method) -> Sequence[float]:
    about: Mapping[str, Any] = getattr(method.object, "about", None) or {}
    return tuple((about.get("plan") or {}).get("thresholds") or ())


def _explained(methods: Sequence[Method], scores: Scores, *, cases: Cases) -> tuple[Any, ...]:
    network = next((m for m in methods if _has_inside(m.object) and m.task in EXPLAINED), None)
    return explanation_of(network, scores, cases=cases) if network else ()


def _has_inside(found: Any) -> bool:
    """Whether it is one network; what `train` gave is asked for the method that it holds."""
    held = getattr(found, "method", None)
    return hasattr(held.object if isinstance(held, Method) else found, "opened")


def _data(cases: Cases) -> Data:
    facts: dict[str, str] = {}
    try:
        image = cases[0].image()
        facts["image size"] = " x ".join(map(str, image.geometry.shape)) + f" ({image.axes})"
        spacing = image.geometry.spacing
        facts["spacing"] = " x ".join(f"{s:.3g}" for s in spacing) + " mm" if spacing else "unknown"
        facts |= {"modality": image.modality} if image.modality else {}
    except (IsocenterError, IndexError):
        # A broken first case is among the problems already.
        facts = {}
    return Data.of(cases, facts=facts)


def _made(methods: Sequence[Method], cases: Cases, *, known: Mapping[str, str] | None = None) -> dict[str, Any]:
    from isocenter.inspect import fingerprint

    # What was examined before the training is not read again.
    shas = {e.id: known[e.id] for e in cases.entries if e.id in known} if known else fingerprint(cases)
    made: dict[str, Any] = {"inputs": shas, "notice": "research use only"}
    for m in methods:
        made[m.name] = {"method": f"{m.task}/{m.method}", "engine": engine_of(m)}
        if m.bundle is not None:
            files = m.bundle.about.get("files", {})
            made[m.name]["weights"] = {name: entry.get("sha256", "") for name, entry in files.items()}
    parts = ("isocenter", "numpy", "onnxruntime")
    return {**made, "versions": {"python": platform.python_version(), **{p: version(p) for p in parts}}}


def _card(method: Method) -> Mapping[str, Any]:
    return dict(method.bundle.about.get("card") or {}) if method.bundle else {}


def _identifiers(cases: Cases) -> tuple[str, ...]:
    found = {i for e in cases.entries for i in (e.id, e.subject, e.group, *e.files.values()) if i}
    return tuple(sorted(found))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).astimezone().isoformat(timespec="seconds")
