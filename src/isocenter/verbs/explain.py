"""Which pixels an answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from isocenter import catalog
from isocenter.data import Attribution, NotEvaluated
from isocenter.errors import UsageError
from isocenter.infer import limited
from isocenter.verbs._method import EXPLAINED, Method, resolve
from isocenter.verbs._options import Opening, checked, opening_of, threads_of
from isocenter.verbs._recipe import Settings, made, settings_of
from isocenter.verbs._text import number
from isocenter.verbs.predict import case_of


@dataclass(frozen=True)
class Explained:
    """An explanation and its files.

    Parameters
    ----------
    found
        The attribution, or why there is none.
    files
        What was written.
    method
        How it was explained.
    of
        What was explained.
    source
        The input, as given.
    """

    found: Attribution | NotEvaluated
    files: tuple[Path, ...]
    method: str
    of: str
    source: str

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
        return {**base, "target": self.found.target, "kind": self.found.method, "completeness": self.found.completeness}

    def lines(self) -> list[str]:
        """Target, kind, how complete, and where the pictures are."""
        if isinstance(self.found, NotEvaluated):
            return [f"{self.source}: {self.found.line()}", f"next: isocenter predict {self.of} {self.source} -o OUT"]
        whole = f", completeness error {number(self.found.completeness)}" if self.found.completeness is not None else ""
        return [
            f"{self.source}: {self.found.method} for {self.found.target}{whole}", *[f"wrote: {f}" for f in self.files],
            "orange speaks for it, blue against it; a picture of the network, not of the disease",
            f"next: isocenter methods explain {self.method}",
        ]


def explain(
    predictor: Any,
    inputs: Any,
    *,
    method: str = "gradients",
    settings: Mapping[str, Any] | Settings | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Unpack[Opening],
) -> Explained:
    """Explains one answer.

    Parameters
    ----------
    predictor
        A bundle (path or name), ``"TASK/METHOD"``, or an object with `predict`.
    inputs
        One path, `Case`, `Image` or array.
    method
        Of the task ``explain``.
    settings
        Of that method, such as ``{"kind": "grad-cam"}``.
    out
        Folder for the map and its picture; None: nothing is written.
    overwrite
        Replace what is there.

    Raises
    ------
    UsageError
        The method needs the inside of one network, and this predictor has none; or it answers boxes or objects.
    MissingExtraError
        torch is not installed.
    """
    checked(options, Opening)
    asked = resolve(predictor)
    cls: Any = catalog.find("explain", method)
    fixed = {"of": _inside(asked, cls)}
    explainer = made(cls, settings_of(settings), part=lambda use, own: resolve(use, settings=own).object, fixed=fixed)
    case = case_of(inputs, how=opening_of(options))
    with limited(threads_of(options)):
        found = explainer.predict(case)
    files: tuple[Path, ...] = ()
    if out is not None and not isinstance(found, NotEvaluated):
        files = _written(found, case, folder=Path(out), overwrite=overwrite)
    source = str(inputs) if isinstance(inputs, (str, Path)) else case.id
    name = str(asked.bundle.path) if asked.bundle else f"{asked.task}/{asked.method}"
    return Explained(found, files, method, name, source)


def _inside(asked: Method, cls: Any) -> Any:
    if not asked.answers:
        raise UsageError(
            f"{asked.name} must be trained first", remedy=f"Run: isocenter train {asked.task} DATA -o BUNDLE"
        )
    if asked.task and asked.task not in EXPLAINED:
        raise UsageError("only answers that are classes of an image or of its pixels are explained", got=asked.task,
                         wanted=" or ".join(EXPLAINED))
    if getattr(asked.object, "opened", None) is None and "Differentiable" in str(
        getattr(cls, "__annotations__", {}).get("of", "")
    ):
        raise UsageError(f"{asked.name} is no network, so it has no gradients", wanted="a bundle of a network",
                         remedy="See: isocenter methods explain")
    return asked.object


def _written(found: Attribution, case: Any, *, folder: Path, overwrite: bool) -> tuple[Path, ...]:
    from isocenter.io import write

    image = case.image()
    end = ".nii.gz" if image.ndim == 3 or image.source.format in ("nifti", "dicom") else ".npy"
    stem = f"{case.id}_{found.method}"
    return (
        write(found, folder / f"{stem}{end}", like=image, overwrite=overwrite),
        write(found, folder / f"{stem}.png", like=image, overwrite=overwrite),
    )
