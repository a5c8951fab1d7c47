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
BASELINES = ("blur", "mean", "black")
# The blur's SD in pixels as a share of the longest axis: wide enough to leave no structure.
BLUR = 1 / 12
# Integrated gradients look at no more points than this; what is still missing then is reported, not hidden.
MOST_POINTS = 512
# Bytes of gradients that are kept; beyond that they are computed a second time.
KEPT = 1 << 28
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
        "grad-cam",
        "how gradients become a map",
        choices=KINDS,
        source="Selvaraju et al., ICCV 2017; Sundararajan et al., ICML 2017",
    )
    target: str | None = knob(
        None, "class to explain; None: the answer's own (segment: the region with the most pixels)"
    )
    layer: str | None = knob(None, "grad-cam: module whose channels are weighed; None: the network's usual one")
    baseline: str = knob(
        "blur",
        "integrated-gradients: where the way begins: the image without its structure, 0 after normalisation, or the "
        "image's least value; networks that normalise inside jump near the two flat ones",
        choices=BASELINES,
        source="Sturmfels et al., Distill 2020",
    )
    steps: int = knob(
        16, "integrated-gradients: steps to begin with; the worst are halved until `tolerance` holds", low=1, high=512
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
        """Integrated gradients (*grid) and the error of completeness.

        The trapezoidal rule, where the interval that errs most is halved next: its true share is known, because the
        score at both of its ends is.
        """
        start = _start(x, self.baseline)
        along = _Way(module, score, start, x - start)
        points = [i / self.steps for i in range(self.steps + 1)]
        while True:
            values, slopes = (np.asarray([along.at(p)[i] for p in points]) for i in (0, 1))
            widths = np.diff(points)
            missing = widths * (slopes[:-1] + slopes[1:]) / 2 - np.diff(values)
            difference = abs(float(values[-1] - values[0]))
            flat = difference <= FLAT * max(1.0, float(np.abs(values).max()))
            error = abs(float(missing.sum())) / max(difference, FLAT)
            if flat or error <= self.tolerance or len(points) >= MOST_POINTS:
                break
            worst = int(np.argmax(np.abs(missing)))
            points.insert(worst + 1, (points[worst] + points[worst + 1]) / 2)
        weights = np.concatenate([widths, [0.0]]) / 2 + np.concatenate([[0.0], widths]) / 2
        return along.summed(points, weights), None if flat else error


class _Way:
    """The straight way from a baseline to an image, and what the network says on it."""

    def __init__(self, module: Any, score: Score, start: Any, way: Any) -> None:
        self._module, self._score, self._start, self._way = module, score, start, way
        self._along = way[0].double().numpy()
        self._seen: dict[float, tuple[float, float]] = {}
        self._kept: dict[float, Array] = {}

    def at(self, share: float) -> tuple[float, float]:
        """The score at a share of the way, and its slope along the way."""
        if share not in self._seen:
            value, gradient = self._gradient(share)
            self._seen[share] = value, float((gradient * self._along).sum())
            if (len(self._kept) + 1) * gradient.nbytes <= KEPT:
                self._kept[share] = gradient
        return self._seen[share]

    def summed(self, points: list[float], weights: Array) -> Array:
        """Sum over channels of way times weighted gradients, float64 (*grid)."""
        total = np.zeros_like(self._along)
        for share, weight in zip(points, weights, strict=True):
            total += weight * (self._kept[share] if share in self._kept else self._gradient(share)[1])
        return np.asarray((self._along * total).sum(axis=0))

    def _gradient(self, share: float) -> tuple[float, Array]:
        return _gradient(self._module, self._start + share * self._way, self._score)


def _start(x: Any, baseline: str) -> Any:
    import torch

    if baseline == "blur":
        from scipy import ndimage

        sd = BLUR * max(x.shape[2:])
        blurred = [ndimage.gaussian_filter(channel, sd, mode="nearest") for channel in x[0].numpy()]
        return torch.from_numpy(np.stack(blurred))[None].to(x.dtype)
    return torch.zeros_like(x) if baseline == "mean" else torch.full_like(x, float(x.min()))


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
    # What a network says beyond its classes (depth, offsets) is no class.
    labels = logits[0, : len(inside.classes)].argmax(dim=0)
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
