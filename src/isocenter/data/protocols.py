"""The one interface, classical and learned alike, and the circumstances of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from isocenter.data.case import Case
from isocenter.data.cases import Cases
from isocenter.data.findings import NotEvaluated
from isocenter.ops.array import Array

F = TypeVar("F", covariant=True)


@runtime_checkable
class Predictor(Protocol[F]):
    """Everything that answers."""

    def predict(self, case: Case) -> F | NotEvaluated:
        """The answer on the case's own grid."""
        ...


@runtime_checkable
class Learner(Protocol[F]):
    """Everything that must study first."""

    def fit(self, train: Cases, valid: Cases, *, watch: Watch) -> Predictor[F]:
        """A new, fitted predictor. `valid` serves stopping and thresholds, never gradients."""
        ...

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Predictor[F]:
        """The fitted predictor that `Fitted.about` and `Fitted.state` described; never imports torch."""
        ...


@runtime_checkable
class Fitted(Protocol):
    """What `fit` returns beside `predict`: enough to write it to a bundle and read it back.

    `about` is JSON-able and complete but for the arrays. Arrays named ``*.onnx`` (uint8) are exported networks and
    become files of their own; the others lie in one safetensors file. The class of the method (which the catalog finds)
    has ``from_state(about, state)``, the way back.
    """

    @property
    def about(self) -> Mapping[str, Any]:
        """JSON-able: at least ``recipe``; for networks also ``plan``, ``classes``, ``history``, ``vector``."""
        ...

    def state(self) -> dict[str, Array]:
        """Name to array."""
        ...

    def predict(self, case: Case) -> Any:
        """The answer on the case's own grid."""
        ...


@dataclass(frozen=True)
class Passage:
    """The differentiable way from the pixels of one image to a network's decision (needs the extra `train`).

    Parameters
    ----------
    pixels
        float32 tensor (1, c, *own grid) in the image's unit: the channels that the network looks at.
    scores
        Tensor (n, c, *own grid) to (n, classes[, *prepared grid]): the decision is the largest, or of several labels
        every one above 0.
    labels
        uint8 label map (*own grid) to the prepared grid, with 255 where nothing counts.
    changed
        Array (c, *own grid) in the image's unit to the case with those pixels, rounded to the stored type.
    multilabel
        Whether several classes may hold at once.
    """

    pixels: Any
    scores: Callable[[Any], Any]
    labels: Callable[[Array], Array]
    changed: Callable[[Array], Case]
    multilabel: bool = False


@dataclass(frozen=True)
class Opened:
    """The inside of one network answer, for gradients (needs the extra `train`).

    Parameters
    ----------
    module
        torch module in eval mode: (1, c, *grid) -> logits (1, classes[, *grid]), perhaps with further channels after
        those of the classes.
    prepare
        Case to float32 torch tensor (1, c, *grid), as at prediction.
    back
        (array on the prepared grid, case) -> array on the case's own grid.
    classes
        Output index to name; for segmentation index 0 is background.
    layers
        Names of modules whose output Grad-CAM may use, the default last.
    through
        Case to the differentiable way from its own pixels to the decision; None: gradients end at what `prepare` made.
    """

    module: Any
    prepare: Callable[[Case], Any]
    back: Callable[[Array, Case], Array]
    classes: tuple[str, ...]
    layers: tuple[str, ...]
    through: Callable[[Case], Passage] | None = None


@runtime_checkable
class Differentiable(Protocol):
    """A predictor that is one network."""

    def opened(self) -> Opened:
        """Its inside; MissingExtraError without torch, BundleError when the network's code is not ours."""
        ...


@dataclass(frozen=True)
class Progress:
    """One message from a long run.

    Parameters
    ----------
    what
        Such as ``"train"`` or ``"export"``.
    share
        Of the work done, 0 to 1.
    loss, score
        Last training loss and validation score, where there are any.
    seconds_left
        Estimate, or None.
    """

    what: str
    share: float
    loss: float | None = None
    score: float | None = None
    seconds_left: float | None = None


def _quiet(progress: Progress) -> None:
    return None


@dataclass(frozen=True)
class Watch:
    """The circumstances of one run; nothing here belongs to the recipe.

    Parameters
    ----------
    report
        Receives progress.
    folder
        Where checkpoints go (``BUNDLE.part``); None: none are written.
    seed
        Of everything random.
    minutes
        Time budget, turned into steps once.
    threads
        For torch and onnxruntime.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    resume
        Continue from the last checkpoint in `folder`.
    plan
        A plan that was edited and handed back, or None.
    """

    report: Callable[[Progress], None] = _quiet
    folder: Path | None = None
    seed: int = 0
    minutes: float | None = None
    threads: int = 1
    device: str = "auto"
    resume: bool = False
    plan: Mapping[str, Any] | None = None


silent = Watch()


@dataclass(frozen=True)
class Task:
    """One question.

    Parameters
    ----------
    name
        Folder name in `tasks/`.
    finding
        Class name of its answer.
    roles
        In order; ``roles[0]`` carries the grid of the answer.
    metrics
        Keys in `isocenter.metrics`, in the order of tables; the first leads.
    text
        The question, as one line.
    """

    name: str
    finding: str
    roles: tuple[str, ...]
    metrics: tuple[str, ...]
    text: str
