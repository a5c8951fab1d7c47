"""What the fitted networks of all questions share: their parts, their engine, their inside."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from isocenter.data import Case, Opened, Plan
from isocenter.data.turning import returned_map, turned
from isocenter.errors import BundleError, MissingExtraError, RecipeError
from isocenter.infer import Engine, back, prepare, ready, working_shape
from isocenter.infer.plans import flaws
from isocenter.ops.array import Array
from isocenter.ops.windows import multiple, padded, unpadded
from isocenter.tasks._through import through

NETWORK, INPUT, OUTPUT, WEIGHTS = "network.onnx", "vector/input", "vector/output", "weights/"


@dataclass(frozen=True, eq=False, repr=False)
class FittedNetwork:
    """One exported network and what its training left; torch is not needed to answer.

    Parameters
    ----------
    about
        ``recipe``, ``plan`` (`Plan.as_json`), ``network`` (for `nets.build`), ``classes``, ``history``, ``vector``.
    arrays
        ``network.onnx`` (uint8), ``weights/NAME``, ``vector/input`` and ``vector/output``.

    Raises
    ------
    BundleError
        A part is missing or the plan cannot be read; at the first answer also when the network answers the stored
        vector other than at its export.
    """

    TASK: ClassVar[str]
    about: Mapping[str, Any]
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        accepted(self.about, self.arrays, self.TASK)

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> Self:
        """The way back from `about` and `state`."""
        return cls(dict(about), dict(state))

    def state(self) -> dict[str, Array]:
        """Name to array."""
        return dict(self.arrays)

    @property
    def plan(self) -> Plan:
        """What it was trained to see and to answer."""
        return plan_of(self.about, self.TASK)

    def engine(self, plan: Plan) -> Engine:
        """What answers, once it has answered the stored vector as at its export; raises as `infer.ready`."""
        return ready(self.arrays[NETWORK], self.arrays[INPUT], self.arrays[OUTPUT], plan)


def plan_of(about: Mapping[str, Any], task: str) -> Plan:
    """The plan in `about`; BundleError when it is missing, broken, contradictory or of another task."""
    values = about.get("plan")
    if not isinstance(values, Mapping):
        raise BundleError("the network has no plan", got=type(values).__name__)
    try:
        plan = Plan.from_json(values)
    except (TypeError, ValueError, OverflowError, RecipeError) as error:
        raise BundleError("the plan of the network cannot be read", got=str(error)) from error
    if plan.task != task:
        raise BundleError("the plan is for another question", got=plan.task, wanted=task)
    wrong = flaws(plan)
    if wrong:
        raise BundleError("the plan of the network contradicts itself", got=", ".join(wrong))
    return plan


def accepted(about: Mapping[str, Any], state: Mapping[str, Array], task: str) -> None:
    """Refuses a description or arrays with which nothing can be answered.

    Raises
    ------
    BundleError
        The plan is broken, or the network or its stored vector is missing or of another type.
    """
    plan_of(about, task)
    missing = [name for name in (NETWORK, INPUT, OUTPUT) if name not in state]
    if missing:
        raise BundleError("the fitted network lacks a part", got=", ".join(missing) + " missing")
    if state[NETWORK].dtype != np.uint8 or state[NETWORK].ndim != 1:
        raise BundleError("the exported network is not bytes", got=f"{state[NETWORK].dtype} {state[NETWORK].shape}")


def _known(name: str, kind: type) -> bool:
    """Whether a network's class may be called: ours, or one that the user's own program has imported.

    A bundle comes from anywhere; its word alone imports nothing and calls nothing but networks.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return True
    found = getattr(sys.modules.get(module), attribute, None)
    return isinstance(found, type) and issubclass(found, kind)


def opened_of(about: Mapping[str, Any], arrays: Mapping[str, Array], plan: Plan) -> Opened:
    """The torch module and the way to and from its grid.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    BundleError
        The network's code is not ours.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("the inside of a network", "train") from error
    from isocenter import nets

    spec = about.get("network") or {}
    weights = {name.removeprefix(WEIGHTS): array for name, array in arrays.items() if name.startswith(WEIGHTS)}
    if not weights or not _known(str(spec.get("name", "")), torch.nn.Module):
        raise BundleError(
            "the network's code is not part of isocenter",
            got=str(spec.get("name", "")),
            remedy="Import its module first; predictions need none of it",
        )
    module = nets.build(spec, weights)

    def tensor(case: Case) -> Any:
        seen = prepare(turned(case.image(), plan.orientation), plan).array
        return torch.from_numpy(padded(seen, multiple(seen.shape[1:], plan.divisor)).copy())[None]

    def returned(array: Array, case: Case) -> Array:
        array = np.asarray(array, np.float32)
        flat = array[None] if array.ndim == plan.rank else array
        image = case.image()
        there = turned(image, plan.orientation)
        out = back(unpadded(flat, working_shape(there, plan)), there.geometry.shape)
        out = returned_map(out, there.geometry, image)
        return out[0] if array.ndim == plan.rank else out

    way = partial(through, module, plan)
    return Opened(module, tensor, returned, plan.classes, nets.layers(spec), way)
