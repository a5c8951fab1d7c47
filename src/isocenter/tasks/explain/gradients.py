"""Gradients of a network's answer: Grad-CAM, Grad-CAM++, integrated, guided, smoothed and plain gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isocenter.data import Attribution, Case, Differentiable, NotEvaluated, Opened, knob
from isocenter.infer.preparing import unusable
from isocenter.ops.array import Array
from isocenter.tasks.explain._cam import enlarged, grad_cam, grad_cam_plus
from isocenter.tasks.explain._guided import guided
from isocenter.tasks.explain._inside import Score, chosen, differentiable, gradient, of_layer
from isocenter.tasks.explain._integrated import BASELINES, begun, integrated
from isocenter.tasks.explain._redrawn import Redrawn

CAMS = {"grad-cam": grad_cam, "grad-cam++": grad_cam_plus}
KINDS = (*CAMS, "integrated-gradients", "gradient", "guided-backpropagation", "smoothgrad")
# SD of SmoothGrad's noise, a share of the range of what the network sees: the paper finds 10 to 20 % best.
NOISE = 0.15


@dataclass(frozen=True)
class Gradients:
    """Which pixels raise the network's answer for one class.

    The answer is the class's logit; of a segmenting network, the sum of the logits over the pixels that it gives to the
    class. Grad-CAM weighs the channels of one layer by their mean gradient and keeps what speaks for the class;
    Grad-CAM++ weighs within channels too, so that several objects count alike. Integrated gradients sum the gradient on
    the way from a baseline to the image: their sum is the difference of the two answers, and how exactly it is stands
    in `Attribution.completeness`. SmoothGrad is the mean gradient of noisy copies. Guided backpropagation draws sharp
    edges, but hardly depends on what the network has learnt (Adebayo et al., NeurIPS 2018). Maps picture the network,
    not the disease.

    Sources: Selvaraju et al., Grad-CAM, ICCV 2017; Vinogradova et al., Seg-Grad-CAM, AAAI 2020; Chattopadhyay et al.,
    Grad-CAM++, WACV 2018; Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017; Springenberg et al.,
    Striving for simplicity, 2015; Smilkov et al., SmoothGrad, 2017.

    Raises
    ------
    RecipeError
        `of` is missing or no single network.
    """

    of: Differentiable | None = knob(None, "the fitted network to explain: a bundle")
    kind: str = knob(
        "grad-cam",
        "how gradients become a map; guided-backpropagation fails weight randomisation",
        choices=KINDS,
        source="Selvaraju et al., ICCV 2017; Sundararajan et al., ICML 2017; Adebayo et al., NeurIPS 2018",
    )
    target: str | None = knob(
        None, "class to explain, or `not CLASS`; None: the answer's own (segment: the region with the most pixels)"
    )
    layer: str | None = knob(
        None,
        "grad-cam, grad-cam++: module whose channels are weighed; None: the deepest usual one of 6 places an axis",
    )
    baseline: str = knob(
        "blur",
        "integrated-gradients: where the way begins: the image without its structure, 0 after normalisation, or the "
        "image's least value; networks that normalise inside jump near the two flat ones",
        choices=BASELINES,
        source="Sturmfels et al., Distill 2020",
    )
    steps: int = knob(
        16,
        "integrated-gradients: steps to begin with, the worst are halved until `tolerance` holds; smoothgrad: copies",
        low=1,
        high=512,
    )
    tolerance: float = knob(
        0.01, "integrated-gradients: largest error of completeness, a share of the difference", low=1e-6, high=1.0
    )

    def __post_init__(self) -> None:
        differentiable(self.of, who="gradients")

    def predict(self, case: Case) -> Attribution | NotEvaluated:
        """The map on the case's own grid; NotEvaluated where pixels are not finite or the class is not in the answer.

        Raises
        ------
        NotFoundError
            The network knows no such class or layer.
        MissingExtraError
            torch is not installed.
        InputError
            The network cannot see this image (axes, channels), or guided backpropagation finds no rectifier in it.
        """
        assert self.of is not None
        lack = unusable(case.image().channels_first())
        if lack is not None:
            return lack
        inside = self.of.opened()
        x = inside.prepare(case).detach().clone()
        found = chosen(inside, x, self.target)
        if isinstance(found, NotEvaluated):
            return found
        name, score = found
        values, completeness = self._map(inside, x, score)
        own = np.asarray(inside.back(values.astype(np.float32), case), np.float32)
        return Attribution(own, case.image().geometry, name, self.kind, completeness)

    def redrawn(self, target: str, *, seed: int = 0) -> Gradients:
        """The same explanation of the same network with other weights, for the check of Adebayo et al."""
        assert self.of is not None
        return replace(self, of=Redrawn(self.of, seed), target=target)

    def _map(self, inside: Opened, x: Any, score: Score) -> tuple[Array, float | None]:
        module = inside.module
        if self.kind in CAMS:
            return enlarged(CAMS[self.kind](*of_layer(inside, x, score, self.layer)), tuple(x.shape[2:])), None
        if self.kind == "integrated-gradients":
            start = begun(x, self.baseline)
            return integrated(module, x, score, start=start, steps=self.steps, tolerance=self.tolerance)
        if self.kind == "guided-backpropagation":
            return np.asarray(guided(module, x, score).sum(axis=0)), None
        if self.kind == "smoothgrad":
            return smoothed(module, x, score, copies=self.steps), None
        return np.asarray(gradient(module, x, score)[1].sum(axis=0)), None


def smoothed(module: Any, x: Any, score: Score, *, copies: int) -> Array:
    """Mean gradient (*grid) over noisy copies of x (1, c, *grid), always the same ones (Smilkov et al., 2017)."""
    import torch

    drawn = torch.Generator().manual_seed(0)
    sd = NOISE * float(x.max() - x.min())
    noisy = (x + sd * torch.randn(x.shape, generator=drawn, dtype=x.dtype) for _ in range(copies))
    return np.asarray(np.sum([gradient(module, one, score)[1].sum(axis=0) for one in noisy], axis=0) / copies)
