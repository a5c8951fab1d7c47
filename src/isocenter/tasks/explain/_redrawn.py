"""A network whose weights were drawn anew: what it would answer had it learnt nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Case, NotEvaluated, Opened, Probabilities, Segmentation
from isocenter.infer.preparing import unusable

# Far from the seeds of trainings: the weights that a network began with are no strangers to what it became.
FAR = 7_368_787


@dataclass(frozen=True)
class Redrawn:
    """The network behind `of` with new weights, from the input to the last layer.

    Every module is initialised again as torch's own rule for it says; parameters that no such rule reaches take a
    random order. An explanation that stays as it is shows the image, not what the network has learnt.

    Source: Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018.
    """

    of: Any
    seed: int = 0

    def opened(self) -> Opened:
        """The inside, redrawn; raises as `opened` of the network."""
        import torch

        inside: Opened = self.of.opened()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(FAR + self.seed)
            module = _other(inside.module)
        return replace(inside, module=module)

    def predict(self, case: Case) -> Probabilities | Segmentation | NotEvaluated:
        """What it answers, without temperature and thresholds; NotEvaluated where pixels are not finite."""
        import torch

        lack = unusable(case.image().channels_first())
        if lack is not None:
            return lack
        inside = self.opened()
        with torch.no_grad():
            logits = inside.module(inside.prepare(case))[0, : len(inside.classes)]
        shares = torch.softmax(logits.double(), dim=0).numpy()
        if shares.ndim == 1:
            return Probabilities(inside.classes, tuple(map(float, shares)))
        own = np.asarray(inside.back(shares.astype(np.float32), case))
        return Segmentation(own.argmax(axis=0).astype(np.uint8), inside.classes, case.image().geometry, own)


def _other(module: Any) -> Any:
    """A copy with other weights."""
    import copy

    import torch

    new = copy.deepcopy(module)
    reached: set[int] = set()
    for part in new.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
            reached |= {id(p) for p in part.parameters(recurse=False)}
    with torch.no_grad():
        for p in new.parameters():
            if id(p) not in reached:
                p.copy_(p.flatten()[torch.randperm(p.numel())].reshape(p.shape))
    return new.eval()
