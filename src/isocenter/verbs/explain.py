"""Which pixels an answer rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from isocenter import catalog
from isocenter.data import Attribution, Case, NotEvaluated, knobs
from isocenter.errors import NotFoundError, UsageError, nearest
from isocenter.files import write_bytes, write_text
from isocenter.infer import limited
from isocenter.verbs._explanation import Examined, examined, explain_run, sentence, truth_of, words
from isocenter.verbs._explanation_other import document, files_of, page_of, told
from isocenter.verbs._method import EXPLAINED, Method, resolve
from isocenter.verbs._options import Options, checked, opening_of, threads_of
from isocenter.verbs._places import vacant_report
from isocenter.verbs._recipe import Settings, made, settings_of
from isocenter.verbs._text import number
from isocenter.verbs.predict import case_of

# What explains an answer best where a method has more to say than a map of pixels that it looked at.
OWN = {
    "classify/fusion": "modalities", "classify/attributes": "attributes", "classify/autoencoder": "reconstruction",
    "classify/voxels": "weights",
}  # fmt: skip


class Explaining(Options, total=False):
    """Options of `explain`.

    Parameters
    ----------
    series, axes, spacing
        As in `Opening`.
    overwrite
        Replace what is there.
    truth
        File of a mask on the image's grid: the checks then say whether the map points into it.
    command
        As typed, for the report.
    """

    series: str | int | None
    axes: str | None
    spacing: Sequence[float] | None
    overwrite: bool
    truth: str | Path | None
    command: str


@dataclass(frozen=True)
class Explained:
    """An explanation and its files.

    Parameters
    ----------
    found
        The attribution (with its checks), or why there is none; of ``features``, ``shapley`` and
        ``modalities`` their own finding.
    files
        What was written.
    method
        How it was explained.
    of
        What was explained.
    source
        The input, as given.
    examined
        The checks; None where there is no map to check.
    said
        What was found, in a sentence.
    """

    found: Any
    files: tuple[Path, ...]
    method: str
    of: str
    source: str
    examined: Examined | None = field(default=None, compare=False)
    said: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the pixels."""
        base = {
            "format": 1,
            "method": self.method,
            "of": self.of,
            "source": self.source,
            "files": list(map(str, self.files)),
        }
        if isinstance(self.found, NotEvaluated):
            return {**base, "not_evaluated": self.found.line()}
        if not isinstance(self.found, Attribution):
            return {**base, **document(self.found)}
        own = {"target": self.found.target, "kind": self.found.method, "completeness": self.found.completeness}
        return {**base, **own, "said": self.said, **(self.examined.as_json() if self.examined else {})}

    def lines(self) -> list[str]:
        """Target, kind, the checks, and where the pictures are."""
        if isinstance(self.found, NotEvaluated):
            return [f"{self.source}: {self.found.line()}", f"next: isocenter predict {self.of} {self.source} -o OUT"]
        wrote, after = [f"wrote: {f}" for f in self.files], f"next: isocenter methods explain {self.method}"
        if not isinstance(self.found, Attribution):
            return [f"{self.source}:", *told(self.found), *wrote, after]
        whole = f", completeness error {number(self.found.completeness)}" if self.found.completeness is not None else ""
        return [
            f"{self.source}: {self.found.method} for {self.found.target}{whole}", *([self.said] if self.said else []),
            *(words(self.examined) if self.examined else []), *wrote,
            "orange speaks for it, blue against it; a picture of the network, not of the disease", after,
        ]  # fmt: skip


def explain(
    predictor: Any,
    inputs: Any,
    *,
    method: str | None = None,
    settings: Mapping[str, Any] | Settings | None = None,
    out: str | Path | None = None,
    checks: bool = True,
    **options: Unpack[Explaining],
) -> Explained:
    """Explains one answer, and checks the explanation.

    Parameters
    ----------
    predictor
        A bundle (path or name), ``"TASK/METHOD"``, or an object with `predict`.
    inputs
        One path, `Case`, `Image` or array; several as ``ROLE=PATH`` and ``FACT=VALUE``.
    method
        Of the task ``explain``, or a kind of gradients such as ``"grad-cam"``; default what suits the predictor best.
    settings
        Of that method, such as ``{"kind": "grad-cam"}``.
    out
        Folder for the map, its picture, its checks (JSON) and a page; None: nothing is written.
    checks
        Deletion and insertion against a random order, and weights drawn anew: about a hundred answers more.

    Raises
    ------
    UsageError
        The method needs the inside of one network, and this predictor has none; or it answers boxes or objects.
    MissingExtraError
        torch is not installed.
    GeometryError
        The truth lies on another grid.
    """
    checked(options, Explaining)
    asked = resolve(predictor)
    method, kind = named(method or usual(asked))
    explainer = explainer_of(asked, method, settings=settings_of(settings).over(kind, "--method"))
    case = case_of(inputs, how=opening_of(options))
    source = str(inputs) if isinstance(inputs, (str, Path)) else case.id
    name = str(asked.bundle.path) if asked.bundle else f"{asked.task}/{asked.method}"
    with limited(threads_of(options)):
        outside = outside_of(asked, case)
        found = explainer.predict(case) if outside is None else outside
        if not isinstance(found, Attribution):
            bare = Explained(found, (), method, name, source)
            if out is None or isinstance(found, NotEvaluated):
                return bare
            return _kept(bare, case, asked=asked, explainer=explainer, folder=Path(out), options=options)
        truth = truth_of(options.get("truth"), case)
        seen = examined(explainer, asked.object, case, found=found, truth=truth, checks=checks)
    said = sentence(seen, name=asked.name) if checks else ""
    result = Explained(seen.found, (), method, name, source, seen, said)
    if out is None:
        return result
    return _written(result, case, asked=asked, explainer=explainer, folder=Path(out), options=options)


def named(method: str) -> tuple[str, dict[str, Any]]:
    """A method of the task ``explain`` and its settings: kinds of gradients are known by their own names too."""
    if method in catalog.methods("explain") or ":" in method:
        return method, {}
    kinds = next(k.choices for k in knobs(catalog.find("explain", "gradients")) if k.name == "kind") or ()
    if method not in kinds:
        raise NotFoundError(f"no explanation is called {method!r}",
                            remedy=nearest(method, {*catalog.methods("explain"), *map(str, kinds)}))
    return "gradients", {"kind": method}


def usual(asked: Method) -> str:
    """What explains a method when nobody says how: its own kind of explanation, gradients of networks, occlusion."""
    own = OWN.get(f"{asked.task}/{asked.method}")
    return own or ("gradients" if getattr(asked.object, "opened", None) is not None else "occlusion")


def explainer_of(asked: Method, method: str, *, settings: Settings) -> Any:
    """The explanation of a method, ready to answer; raises as `explain`."""
    cls: Any = catalog.find("explain", method)
    fixed = {"of": _inside(asked, cls)}
    return made(cls, settings, part=lambda use, own: resolve(use, settings=own).object, fixed=fixed)


def outside_of(asked: Method, case: Case) -> NotEvaluated | None:
    """Why a bundle gives this image no answer that could be explained: it lies outside its envelope."""
    from isocenter.infer.gated import led

    met = led(asked.object, case) if case.images and asked.envelope is not None else None
    if asked.envelope is None or met is None or "t" in met.image().axes:
        return None
    return asked.envelope.refused(met.image())


def _inside(asked: Method, cls: Any) -> Any:
    if not asked.answers:
        raise UsageError(
            f"{asked.name} must be trained first", remedy=f"Run: isocenter train {asked.task} DATA -o BUNDLE"
        )
    inside = "Differentiable" in str(getattr(cls, "__annotations__", {}).get("of", ""))
    # A number has no class whose gradient could be asked for; what takes any predictor takes numbers too.
    known = EXPLAINED if inside else (*EXPLAINED, "regress")
    if asked.task and asked.task not in known:
        raise UsageError("only answers that are classes of an image or of its pixels are explained", got=asked.task,
                         wanted=" or ".join(known))
    if inside and getattr(asked.object, "opened", None) is None:
        raise UsageError(f"{asked.name} is no network, so it has no gradients", wanted="a bundle of a network",
                         remedy="These take any method: --method occlusion; for facts --method shapley, for "
                         "several images --method modalities")
    return asked.object


def _written(
    result: Explained, case: Any, *, asked: Method, explainer: Any, folder: Path, options: Explaining
) -> Explained:
    from dataclasses import replace

    from isocenter.io import write
    from isocenter.report import write_report

    image, found, seen = case.image(), result.found, result.examined
    overwrite = options.get("overwrite", False)
    end = ".nii.gz" if image.ndim == 3 or image.source.format in ("nifti", "dicom") else ".npy"
    stem = f"{case.id}_{found.method}"
    vacant_report(folder / f"{stem}.report", overwrite=overwrite)
    files = [
        write(found, folder / f"{stem}{end}", like=image, overwrite=overwrite),
        write(found, folder / f"{stem}.png", like=image, overwrite=overwrite),
    ]
    if seen is not None:
        run = explain_run(seen, case, asked=asked, explainer=explainer, command=options.get("command", ""))
        page = write_report(run, folder / f"{stem}.report", overwrite=overwrite)
        files += [folder / f"{stem}.json", page]
    result = replace(result, files=tuple(files))
    write_text(folder / f"{stem}.json", json.dumps(result.as_json(), indent=1) + "\n", overwrite=overwrite)
    return result


def _kept(
    result: Explained, case: Any, *, asked: Method, explainer: Any, folder: Path, options: Explaining
) -> Explained:
    """A finding that is no map over the image, with its files and its page."""
    from dataclasses import replace

    from isocenter.report import write_report

    overwrite = options.get("overwrite", False)
    files = files_of(result.found, case)
    place = folder / f"{next(iter(files)).removesuffix('.json')}.report"
    vacant_report(place, overwrite=overwrite)
    for name, data in files.items():
        write_bytes(folder / name, data, overwrite=overwrite)
    run = page_of(result.found, case, asked=asked, explainer=explainer, command=options.get("command", ""))
    page = write_report(run, place, overwrite=overwrite)
    return replace(result, files=(*(folder / name for name in files), page))
