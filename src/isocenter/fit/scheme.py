"""The whole plan of one training: what the network sees, what it is, how it learns, and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isocenter.data import Plan, Pretraining, Study, as_settings, build, knob
from isocenter.data.study import Imbalance
from isocenter.errors import RecipeError, nearest

FORMAT = 1


@dataclass(frozen=True)
class Loop:
    """What the recipe leaves to the plan about learning."""

    precision: str = knob("bf16", "arithmetic of training", choices=("bf16", "fp32"))
    optimiser: str = knob("adamw", "who steps", choices=("adamw", "sgd"))
    weight_decay: float = knob(0.01, "decoupled weight decay", low=0, high=1)
    warmup: float = knob(0.1, "share of the steps over which the learning rate rises", low=0, high=0.9)
    clip: float = knob(12.0, "largest norm of the gradient", low=1e-6, high=1e6)
    ema: float = knob(0.99, "decay of the running mean of the weights; 0: the weights themselves", low=0, high=0.99999)
    foreground: float = knob(0.5, "share of samples centred on a region (segment)", low=0, high=1)
    loss: str = knob("dice+cross_entropy", "terms of the loss joined by + (segment); see `nets.losses`")
    imbalance: Imbalance = knob(Imbalance, "classes of uneven size and labels that may be wrong (classify)")
    counts: tuple[int, ...] = knob((), "training cases of each class, then of all (classify)", low=0)
    order: tuple[str, ...] = knob((), "classes from the lowest to the highest, where they have an order (classify)")


@dataclass(frozen=True)
class Scheme:
    """Everything that decides a training run. A file that a person can read, edit and hand back.

    Parameters
    ----------
    plan
        What decides an answer; see `Plan`.
    network
        Description for `nets.build`.
    study
        The recipe's study with every None resolved.
    loop
        Further choices about learning.
    origins
        Dotted field to where its value came from: ``"default"``, ``"recipe"`` or ``"fingerprint: REASON"``.
    estimate
        ``core_minutes`` (time of one core for the whole training), ``case_mb`` (memory of one prepared case), once
        counted ``memory_mb`` (of the process at its peak) with ``held_mb`` (of it prepared cases), and, once probed,
        ``seconds_per_step``.
    pretraining
        What the network learns first, from images alone, with every None resolved where it has epochs.
    """

    plan: Plan
    network: dict[str, Any]
    study: Study
    loop: Loop = field(default_factory=Loop)
    origins: dict[str, str] = field(default_factory=dict)
    estimate: dict[str, float] = field(default_factory=dict)
    pretraining: Pretraining = field(default_factory=Pretraining)

    @property
    def steps(self) -> int:
        """Batches of the whole training."""
        return int(self.study.epochs or 1) * int(self.study.steps or 1)

    @property
    def steps_before(self) -> int:
        """Batches of pre-training."""
        return self.pretraining.epochs * int(self.pretraining.steps or self.study.steps or 1)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as in plan.json."""
        return {
            "format": FORMAT,
            "plan": self.plan.as_json(),
            "network": dict(self.network),
            "study": as_settings(self.study),
            "loop": as_settings(self.loop),
            "pretraining": as_settings(self.pretraining),
            "origins": dict(self.origins),
            "estimate": dict(self.estimate),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Scheme:
        """What `as_json` wrote, perhaps edited; RecipeError for an unknown field, a wrong type or a newer format."""
        if values.get("format", FORMAT) != FORMAT:
            raise RecipeError("the plan has another format", got=str(values["format"]), wanted=str(FORMAT))
        known = {"format", "plan", "network", "study", "loop", "pretraining", "origins", "estimate"}
        for name in values:
            if name not in known:
                raise RecipeError(f"unknown field {name!r} of the plan", remedy=nearest(name, known))
        for name in ("plan", "network", "study"):
            if not isinstance(values.get(name), Mapping):
                raise RecipeError(f"the plan lacks {name!r}", remedy="Start from the plan.json of a run")
        return cls(
            Plan.from_json(values["plan"]),
            dict(values["network"]),
            build(Study, values["study"], where="study."),
            build(Loop, _renamed(values.get("loop", {})), where="loop."),
            dict(values.get("origins", {})),
            dict(values.get("estimate", {})),
            build(Pretraining, values.get("pretraining", {}), where="pretraining."),
        )


def _renamed(loop: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of plans from before there was `Loop.imbalance` under the names that they have now."""
    found = dict(loop)
    if "balanced" in found:
        found["imbalance.sampling"] = "balanced" if found.pop("balanced") else "none"
    if "smoothing" in found:
        found["imbalance.smoothing"] = found.pop("smoothing")
    return found
