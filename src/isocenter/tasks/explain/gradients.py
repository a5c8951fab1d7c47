"""Gradients of a network's answer: Grad-CAM, integrated gradients, the plain gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from isocenter.data import Attribution, Case, Differentiable, NotEvaluated, Opened, knob
from isocenter.errors import NotFoundError, RecipeError, nearest
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array

KINDS = ("grad-cam", "integrated-gradients", "gradient")
BASELINES = ("mean", "black")
# Integrated gradients double their steps up to this number; what is still missing then is reported, not hidden.
MOST_STEPS = 2048
# Differences of answers below this share of the answer have no meaningful completeness.
FLAT = 1e-6

Score = Callable[[Any], Any]


@dataclass(frozen=True)
class Gradients:
    """Which pixels raise the network's answer for one class.

    The answer is the class's logit; of a segmenting network, the sum of the logits over the pixels that it gives to the
    class. Grad-CAM weighs the channels of one layer by their mean gradient and keeps what speaks for the class.
    Integrated gradients sum the gradient on the way from a baseline to the image: their sum is the difference of the
    two answers, and how exactly it is stands in `Attribution.completeness`. Maps picture the network, not the disease.

    Sources: Selvaraju et al., Grad-CAM, ICCV 2017; Vinogradova et al., Seg-Grad-CAM, AAAI 2020; Sundararajan et al.,
    Axiomatic attribution for deep networks, ICML 2017.

    Raises
    ------
    RecipeError
        `of` is missing or no single network.
    """

    of: Differentiable | None = knob(None, "the fitted network to explain: a bundle")
    kind: str = knob(
        "grad-cam", "how", choices=KINDS, source="Selvaraju et al., ICCV 2017; Sundararajan et al., ICML 2017"
    )
    target: str | None = knob(
        None, "class to explain; None: the answer's own (segment: the region with the most pixels)"
    )
    layer: str | None = knob(None, "grad-cam: module whose channels are weighed; None: the network's usual one")
    baseline: str = knob(
        "mean",
        "integrated-gradients: where the way begins, 0 after normalisation or the least value of the image",
        choices=BASELINES,
    )
    steps: int = knob(
        16, "integrated-gradients: steps to begin with, doubled until `tolerance` holds", low=1, high=2048
    )
    tolerance: float = knob(
        0.01, "integrated-gradients: largest error of completeness, a share of the difference", low=1e-6, high=1.0
    )

    def __post_init__(self) -> None:
        if self.of is None:
            raise RecipeError("gradients explain another method", wanted="of=", remedy="Name a bundle of a network")
        if not isinstance(self.of, Differentiable):
            raise RecipeError(
                "gradients need the inside of one network",
                got=type(self.of).__name__,
                wanted="a fitted network with opened()",
                remedy="Methods without gradients can be explained by occlusion, which takes any predictor",
            )

    def predict(self, case: Case) -> Attribution | NotEvaluated:
        """The map on the case's own grid; NotEvaluated where pixels are not finite or the class is not in the answer.

        Raises
        ------
        NotFoundError
            The network knows no such class or layer.
        MissingExtraError
            torch is not installed.
        InputError
            The network cannot see this image (axes, channels).
        """
        assert self.of is not None
        lack = unusable(case.image().channels_first())
        if lack is not None:
            return lack
        inside = self.of.opened()
        x = inside.prepare(case).detach().clone()
        chosen = _chosen(inside, x, self.target)
        if isinstance(chosen, NotEvaluated):
            return chosen
        name, score = chosen
        completeness = None
        if self.kind == "grad-cam":
            values = _grad_cam(inside, x, score, self.layer)
        elif self.kind == "gradient":
            values = _gradient(inside.module, x, score)[1].sum(axis=0)
        else:
            values, completeness = self._integrated(inside.module, x, score)
        own = np.asarray(inside.back(values.astype(np.float32), case), np.float32)
        return Attribution(own, case.image().geometry, name, self.kind, completeness)

    def _integrated(self, module: Any, x: Any, score: Score) -> tuple[Array, float | None]:
        """Integrated gradients (*grid) by the trapezoidal rule on nested points, and the error of completeness."""
        import torch

        start = torch.zeros_like(x) if self.baseline == "mean" else torch.full_like(x, float(x.min()))
        way = (x - start)[0].double().numpy()
        (first, g0), (last, g1) = (_gradient(module, at, score) for at in (start, x))
        difference, ends = last - first, (g0 + g1) / 2
        inner, steps = np.zeros_like(ends), self.steps
        points = np.arange(1, steps) / steps
        while True:
            for share in points:
                inner += _gradient(module, start + float(share) * (x - start), score)[1]
            values = (way * (ends + inner) / steps).sum(axis=0)
            if abs(difference) <= FLAT * max(1.0, abs(first), abs(last)):
                return values, None
            error = abs(float(values.sum()) - difference) / abs(difference)
            if error <= self.tolerance or 2 * steps > MOST_STEPS:
                return values, error
            steps *= 2
            points = np.arange(1, steps, 2) / steps


def _chosen(inside: Opened, x: Any, target: str | None) -> tuple[str, Score] | NotEvaluated:
    """The class to explain, and its score as a function of the logits (1, classes[, *grid])."""
    import torch

    if target is not None and target not in inside.classes:
        raise NotFoundError(f"the network knows no class {target!r}", remedy=nearest(target, inside.classes))
    with torch.no_grad():
        logits = inside.module(x)
    if logits.ndim == 2:
        index = int(logits[0].argmax()) if target is None else inside.classes.index(target)
        return inside.classes[index], lambda z: z[0, index]
    labels = logits[0].argmax(dim=0)
    counts = torch.bincount(labels.flatten(), minlength=len(inside.classes))
    index = 1 + int(counts[1:].argmax()) if target is None else inside.classes.index(target)
    if not counts[index]:
        what = "no region" if target is None else f"no {target}"
        return NotEvaluated(f"the network finds {what} here, so there is no answer to explain")
    region = (labels == index).to(logits.dtype)
    return inside.classes[index], lambda z: (z[0, index] * region).sum()


def _gradient(module: Any, x: Any, score: Score) -> tuple[float, Array]:
    """The score at x (1, c, *grid) and its gradient there, float64 (c, *grid)."""
    import torch

    with torch.enable_grad():
        at = x.detach().requires_grad_(True)
        value = score(module(at))
        (slope,) = torch.autograd.grad(value, at)
    return float(value.detach()), slope[0].double().numpy()


def _grad_cam(inside: Opened, x: Any, score: Score, layer: str | None) -> Array:
    """Grad-CAM (*grid), at least 0."""
    import torch

    name = layer or inside.layers[-1]
    modules = dict(inside.module.named_modules())
    if not name or name not in modules:
        raise NotFoundError(f"the network has no layer {name!r}", remedy=nearest(name, inside.layers))
    seen: list[Any] = []
    handle = modules[name].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        with torch.enable_grad():
            value = score(inside.module(x.detach().requires_grad_(True)))
            maps = seen[-1] if seen else None
            if not isinstance(maps, torch.Tensor) or maps.ndim != x.ndim:
                raise NotFoundError(f"the output of {name!r} has no grid", remedy=nearest(name, inside.layers))
            (slope,) = torch.autograd.grad(value, maps)
    finally:
        handle.remove()
    weight = slope.mean(dim=tuple(range(2, x.ndim)), keepdim=True)
    heat = torch.relu((weight * maps).sum(dim=1, keepdim=True)).detach()
    mode = "trilinear" if x.ndim == 5 else "bilinear"
    return np.asarray(torch.nn.functional.interpolate(heat, size=x.shape[2:], mode=mode)[0, 0].numpy())
