"""One bundle asked about the images of one patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter import catalog
from isocenter.bundle import shipped
from isocenter.data import Bundle, Case, NotEvaluated, Probabilities, Values
from isocenter.data.findings.boxes import OPERATING
from isocenter.errors import BundleError, IsocenterError, NotFoundError
from isocenter.files import sha256
from isocenter.infer.envelope import OUTSIDE
from isocenter.metrics.assurance import LEVEL, band_of
from isocenter.report.asked import ANSWERED, NOT_ASKED, REFUSED, Asked, Known
from isocenter.verbs._method import Method, opened
from isocenter.verbs._text import number
from isocenter.verbs._writing import answer_of, planned, sure, written

INDEX = "bundle.json"
UNKNOWN = "no interval known: the bundle names no measured score"
FREE = "it keeps no envelope of its training images, so nobody knows whether it was made for such a one"


@dataclass(frozen=True)
class Offer:
    """A bundle that may be asked.

    Parameters
    ----------
    name
        As the page calls it.
    path
        Its folder.
    reference
        As a command names it.
    """

    name: str
    path: Path
    reference: str

    @property
    def sha256(self) -> str:
        """Checksum of its index, which holds those of all its files; "" where it cannot be read."""
        return sha256(self.path / INDEX) if (self.path / INDEX).is_file() else ""


def offered(more: Sequence[str | Path] = ()) -> tuple[Offer, ...]:
    """The bundles that come with isocenter, and those of further folders; each name once.

    Raises
    ------
    NotFoundError
        A folder is no bundle and holds none.
    """
    offers = [Offer(name, path, name) for name, path in shipped().items()]
    for word in more:
        path = Path(word)
        held = [path] if (path / INDEX).is_file() else sorted(p.parent for p in path.glob(f"*/{INDEX}"))
        if not held and str(word) in shipped():
            continue
        if not held:
            raise NotFoundError("no bundle there", where=str(word), wanted="a bundle, or a folder that holds some",
                                remedy="Run: isocenter train TASK DATA -o BUNDLE")
        offers += [Offer(p.stem, p, str(p)) for p in held]
    names = [o.name for o in offers]
    return tuple(
        replace(o, name=f"{o.name} ({names[:i].count(o.name) + 1})") if o.name in names[:i] else o
        for i, o in enumerate(offers)
    )


def asked_of(offer: Offer, cases: Sequence[Case], *, folder: Path | None, outside: str) -> list[Asked]:
    """What one bundle says about each image of a patient.

    Parameters
    ----------
    offer
        The bundle; a damaged one refuses.
    cases
        Of one patient. Of a case with several images each is asked about by itself, unless the method itself takes
        several: then the case is asked about as it is.
    folder
        Where the answers' files go; None: nowhere.
    outside
        ``"refuse"`` or ``"answer"``.
    """
    try:
        method = opened(offer.path)
    except (BundleError, NotFoundError) as error:
        return [Asked(offer.name, "", "", case.id, REFUSED, error.line()) for case in cases]
    text = catalog.task(method.task).text
    use = str(dict(method.bundle.about.get("card") or {}).get("intended_use") or "") if method.bundle else ""
    about = f"{text} {use}".strip()
    asked = []
    for case in cases:
        for name, one in _questions(method, case):
            base = Asked(offer.name, f"{method.task}/{method.method}", about, name, REFUSED)
            asked.append(_answered(base, method, one, folder=folder, outside=outside))
    return asked


def _questions(method: Method, case: Case) -> list[tuple[str, Case]]:
    """The case as a whole for a method of several modalities, else each of its images with its name."""
    if len(case.images) == 1 or getattr(method.object, "lead", None) is not None:
        return [(case.id, case)]
    return [
        (f"{case.id}: {role}", replace(case, images={role: image}, lead=role)) for role, image in case.images.items()
    ]


def _answered(base: Asked, method: Method, case: Case, *, folder: Path | None, outside: str) -> Asked:
    if method.envelope is None and outside == "refuse":
        return replace(base, status=NOT_ASKED, why=FREE)
    try:
        found = method.answering(outside).predict(case)
        if isinstance(found, NotEvaluated):
            return replace(base, why=_why(found, method, case))
        found, note = sure(found, OPERATING)
        files = _kept(found, case, method, folder=folder, bundle=base.bundle)
        from isocenter.verbs._pictures import picture

        drawn = picture(replace(case, load_truth=None), found)
    except IsocenterError as error:
        return replace(base, why=error.line())
    values = answer_of(found)
    probability = _probability(found)
    return replace(
        base, status=ANSWERED, why=note, answer=_words(found, values), probability=probability, values=values,
        known=known(found, method.bundle), files=files, picture=drawn,
    )


def _why(found: NotEvaluated, method: Method, case: Case) -> str:
    """Why there is no answer, without saying again that there is none."""
    short = replace(found, reason=found.reason.replace(OUTSIDE, "outside what it was trained on"))
    deep = method.envelope is not None and method.envelope.rank == 2 and case.image().ndim == 3
    return short.line().removeprefix("not evaluated: ") + ("; a volume, and it was trained on flat images" * deep)


def known(found: Any, bundle: Bundle | None) -> Known:
    """The interval of an answer, from the surest source that there is.

    The answer's own where it has one; else how often the bundle was right on val when it was as sure as now; else the
    score that its card says was measured. None of these is made up where it is missing.

    Parameters
    ----------
    found
        The answer.
    bundle
        What gave it.
    """
    if isinstance(found, Values):
        own = [v for v in found.items.values() if v.low is not None and v.high is not None]
        if len(found.items) == 1 and own:
            return Known(f"of the number itself, in {own[0].unit}" if own[0].unit else "of the number itself",
                         own[0].low, own[0].high)
    card = dict(bundle.about.get("card") or {}) if bundle else {}
    if isinstance(found, Probabilities) and not found.multilabel:
        band = band_of(_probability(found) or 0.0, card.get("sureness") or ())
        if band is not None:
            return Known(
                f"right decisions on val between confidence {band.least:.2f} and {band.most:.2f}: {band.right:.3f} of "
                f"{band.n} cases of {band.groups} subjects, on which it was also tuned", band.low, band.high, LEVEL,
                band.n,
            )
    return _measured(card)


def _measured(card: Mapping[str, Any]) -> Known:
    rows = card.get("metrics")
    if isinstance(rows, str) and rows:
        return Known(f"of the bundle, not of this answer: {rows}")
    for row in rows if isinstance(rows, (list, tuple)) else ():
        if row.get("low") is not None and row.get("high") is not None:
            text = f"of the bundle, not of this answer: {row['metric']} of {row['target']} {number(row['value'])}"
            return Known(f"{text} on {row['n']} cases of {row['split']}", row["low"], row["high"], LEVEL, row["n"])
    return Known(UNKNOWN)


def _probability(found: Any) -> float | None:
    """Of the decision; of several labels that of the least sure one decided for."""
    if not isinstance(found, Probabilities) or not found.decision:
        return None
    return min(float(found.of(name)) for name in found.decision)


def _words(found: Any, values: Mapping[str, Any]) -> str:
    if isinstance(found, Probabilities):
        return " + ".join(found.decision) or "none of " + ", ".join(found.classes)
    return ", ".join(f"{k} {number(v) if isinstance(v, float) else v}" for k, v in values.items()) or "see the files"


def _kept(found: Any, case: Case, method: Method, *, folder: Path | None, bundle: str) -> tuple[str, ...]:
    """Files of an answer, relative to the folder; none where nothing is to be written."""
    if folder is None:
        return ()
    image = case.image()
    own = f"answers/{bundle}"
    stem = f"{case.id}_{case.lead}" if case.lead != "image" else case.id
    files = planned(stem, image, task=method.task, out=None)
    made = method.bundle.about.get("made", {}) if method.bundle else {}
    kept = written(found, image, folder=folder / own, files=files, codes=dict(made.get("codes") or {})) if files else []
    return tuple(f"{own}/{name}" for name in kept)
