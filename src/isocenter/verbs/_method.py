"""A method by any of its names: a bundle's path, the name of a shipped one, TASK/METHOD, or an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocenter import catalog
from isocenter.bundle import shipped
from isocenter.data import Bundle
from isocenter.errors import NotFoundError, RecipeError, UsageError, nearest
from isocenter.verbs._recipe import Settings, made
from isocenter.verbs._text import typed

if TYPE_CHECKING:
    from isocenter.infer.envelope import Envelope

# Questions whose answers gradients explain: classes of an image, or of its pixels.
EXPLAINED = ("segment", "classify")
# What to do with images outside the envelope.
OUTSIDE = ("refuse", "answer")


@dataclass(frozen=True)
class Method:
    """Something that answers, or learns to.

    Parameters
    ----------
    name
        As tables call it.
    task, method
        The question, and its name within it.
    object
        A `Predictor`, a `Learner`, or both.
    bundle
        Where it came from, when it came from one.
    origins
        Field of the recipe to where its value came from.
    fitted
        Whether it has learnt what it had to.
    parts
        Other methods that its recipe names.
    envelope
        Of the images that it learnt from; None where none was drawn.
    """

    name: str
    task: str
    method: str
    object: Any
    bundle: Bundle | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    fitted: bool = False
    parts: tuple[Method, ...] = ()
    envelope: Envelope | None = None

    @property
    def learns(self) -> bool:
        """Whether it has something to learn still."""
        return not self.fitted and self.bundle is None and hasattr(self.object, "fit")

    @property
    def answers(self) -> bool:
        """Whether it can answer as it is."""
        return hasattr(self.object, "predict")

    @property
    def gated(self) -> Any:
        """What answers new images: the method within its envelope, or as it is where there is none."""
        from isocenter.infer.gated import Gated

        return self.object if self.envelope is None else Gated(self.object, self.envelope)

    def answering(self, outside: str) -> Any:
        """What answers: `gated` with ``"refuse"``, `object` itself with ``"answer"``; UsageError for other words."""
        if outside not in OUTSIDE:
            raise UsageError("unknown way with images outside the envelope", got=outside, wanted=" or ".join(OUTSIDE))
        return self.gated if outside == "refuse" else self.object

    @property
    def reference(self) -> str:
        """As a command names it: the name of a shipped bundle, the path of another, else TASK/METHOD."""
        if self.bundle is None:
            return f"{self.task}/{self.method}"
        path = self.bundle.path
        return path.name if shipped().get(path.name) == path else typed(path)

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """Checksums of what it and its parts learnt from, by split; empty for what learnt from nothing known."""
        if self.bundle is not None:
            own = dict(self.bundle.about.get("fingerprint", {}))
        else:
            own = dict(getattr(self.object, "fingerprint", None) or {})
        return own | {f"{p.name}.{side}": shas for p in self.parts for side, shas in p.fingerprint.items()}

    @property
    def studies(self) -> bool:
        """Whether its learning takes a study: epochs, a budget of time."""
        return self.learns and hasattr(self.object, "study")


def resolve(spec: Any, *, task: str | None = None, settings: Settings | None = None) -> Method:
    """The method that a person means.

    Parameters
    ----------
    spec
        Path or name of a bundle; ``"TASK/METHOD"``; ``"METHOD"`` where `task` is known; ``"module:Class"``; or an
        object with `predict` or `fit`.
    task
        The question, where the verb knows it.
    settings
        Of its recipe; a bundle takes none.

    Raises
    ------
    NotFoundError
        Nothing of that name; names the nearest.
    RecipeError
        An unknown field, or settings for a bundle.
    UsageError
        The method answers another question.
    """
    settings = settings or Settings()
    if not isinstance(spec, (str, Path)):
        return _of_object(spec, task)
    text = str(spec)
    if Path(text).is_dir() or (Path(text).suffix == ".bundle") or _shipped(text):
        return _of_bundle(text, task, settings=settings)
    named, _, method = text.partition("/") if text.split("/")[0] in catalog.tasks() else (task or "", "", text)
    if task and named and named != task:
        raise UsageError(f"{text} answers another question", got=named, wanted=task)
    if not named or not method:
        raise NotFoundError(
            f"no bundle and no method {text!r}", wanted="BUNDLE or TASK/METHOD", remedy=_known(task, text)
        )
    if ":" not in method and method not in catalog.methods(named):
        raise NotFoundError(f"no bundle and no method {method!r} for {named}", remedy=_known(named, method))
    cls = catalog.find(named, method)
    held: list[Method] = []
    found = made(cls, settings, part=lambda use, own: _part(use, own, held=held))
    return Method(method, named, method, found, None, settings.origins, parts=tuple(held))


def opened(path: str | Path) -> Method:
    """A bundle, checked and opened, without torch; raises as `isocenter.bundle.open_bundle`."""
    from isocenter.bundle import open_bundle, state
    from isocenter.infer.gated import parted

    bundle = open_bundle(path)
    cls: Any = catalog.find(bundle.task, bundle.method)
    about, arrays, envelope = parted(bundle.about["about"], state(bundle))
    origins = dict(bundle.about.get("origins", {}))
    fitted = cls.from_state(about, arrays)
    return Method(bundle.path.stem, bundle.task, bundle.method, fitted, bundle, origins, envelope=envelope)


def shown(name: str, task: str) -> str:
    """A method's name as it stands on a command line.

    >>> shown("histogram", "segment")
    'segment/histogram'
    """
    return f"{task}/{name}" if task in catalog.tasks() and name in catalog.methods(task) else name


def _of_object(spec: Any, task: str | None) -> Method:
    if not hasattr(spec, "predict") and not hasattr(spec, "fit"):
        raise UsageError("this neither answers nor learns", got=type(spec).__name__, wanted="predict or fit")
    named = task or getattr(spec, "task", None) or ""
    name = getattr(spec, "name", None) or type(spec).__name__
    return Method(str(name), str(named), str(getattr(spec, "method", name)), spec, getattr(spec, "bundle", None))


def _of_bundle(text: str, task: str | None, *, settings: Settings) -> Method:
    found = opened(text)
    if task and found.task != task:
        raise UsageError(f"the bundle {found.name} answers another question", got=found.task, wanted=task)
    if settings.values:
        raise RecipeError("a bundle takes no settings: its recipe is what it was trained with", where=found.name,
                          got=", ".join(settings.values), remedy="Train another with --set")
    return found


def _part(use: str, own: Settings, *, held: list[Method]) -> Any:
    """The object that a recipe's ``{"use": ...}`` names; what it learnt from counts for the whole."""
    held.append(resolve(use, settings=own))
    return held[-1].object


def _shipped(text: str) -> bool:
    from isocenter.bundle import shipped

    return text in shipped()


def _known(task: str | None, text: str) -> str:
    from isocenter.bundle import shipped

    tasks = [task] if task in catalog.tasks() else list(catalog.tasks())
    return nearest(text, [f"{t}/{m}" for t in tasks for m in catalog.methods(t)] + list(shipped()))
