"""The fitted region networks of this question: one class for Mask R-CNN and Cascade R-CNN."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from isocenter.data import Case, Cases, Instances, NotEvaluated, Plan, Watch
from isocenter.errors import BundleError
from isocenter.infer import Engine, ready
from isocenter.infer.rcnn import MASK, NETWORK, head, instances
from isocenter.tasks import _study
from isocenter.tasks._network import FittedNetwork


class FittedRegions(FittedNetwork):
    """Objects by an exported network and its heads; torch is not needed.

    `arrays` holds ``box0.onnx`` ..., ``mask.onnx`` (uint8) as well, and of each its stored question and answer:
    ``vector/box0/input`` ...
    """

    TASK: ClassVar[str] = "instances"

    def __post_init__(self) -> None:
        super().__post_init__()
        heads = self.plan.settings.get("spreads")
        if not isinstance(heads, list) or not heads:
            raise BundleError("the plan of the network contradicts itself", got="spreads")
        for name in (*map(head, range(len(heads))), MASK):
            if any(part not in self.arrays for part in (name, *_vector(name))):
                raise BundleError("the fitted network lacks a part", got=f"{name} missing")
            if self.arrays[name].dtype != np.uint8 or self.arrays[name].ndim != 1:
                raise BundleError("the exported network is not bytes", got=f"{name}: {self.arrays[name].dtype}")

    def predict(self, case: Case) -> Instances | NotEvaluated:
        """The objects of the leading image, on its own grid."""
        plan = self.plan
        return instances(self._engines(plan), case.image(), plan)

    def _engines(self, plan: Plan) -> dict[str, Engine]:
        names = (*map(head, range(len(plan.settings["spreads"]))), MASK)
        asked = {name: tuple(self.arrays[part] for part in _vector(name)) for name in names}
        heads = {name: ready(self.arrays[name], seen, said, plan) for name, (seen, said) in asked.items()}
        return {NETWORK: self.engine(plan), **heads}


def _vector(name: str) -> tuple[str, str]:
    stem = name.removesuffix(".onnx")
    return f"vector/{stem}/input", f"vector/{stem}/output"


def studied(recipe: Any, train: Cases, valid: Cases, *, watch: Watch) -> FittedRegions:
    """The region network of a recipe, trained on `train`; `valid` chooses the best weights and the score limit.

    Raises
    ------
    MissingExtraError
        torch is not installed.
    IsocenterError
        As `isocenter.fit.fitted`.
    """
    return _study.studied(FittedRegions, recipe, train, valid, watch=watch, head="rcnn")
