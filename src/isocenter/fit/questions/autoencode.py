"""Learning what normal images are like, from them alone, so that others stand out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from isocenter.data import Augment, Case, Cases, Intensity, Spatial
from isocenter.fit.classifiers import depth_of
from isocenter.fit.questions.classify import QUESTION as CLASSES
from isocenter.fit.questions.question import Looked, Origins, Question, Ready
from isocenter.fit.scheme import Loop, Scheme
from isocenter.nets.autoencoder import DENOISING, ELBO, ERROR, LEAST, VARIATIONAL, restoring
from isocenter.ops.array import Array
from isocenter.ops.covariance import shrunk, whitening
from isocenter.ops.resample import resize
from isocenter.ops.windows import multiple, padded

if TYPE_CHECKING:
    from isocenter.fit.augment import Pose
    from isocenter.fit.feed import Shelf
    from isocenter.fit.fingerprint import Fingerprint

# Channels of the first stage where nobody says, as of `small`.
WIDTH = 16
# Places per axis at which noise is drawn before it is enlarged: coarse noise looks like lesions, fine noise does not
# (Kascenas, Pugeault, O'Neil, MIDL 2022).
COARSE = 16
# Added to variances of the code that do not vary in the few images there are.
FLOOR = 1e-6


class Autoencode(Question):
    """Images of one class go through a code and back; how badly that goes tells other images apart."""

    task = "classify"
    dense = False
    longest = {2: 128, 3: 48}
    needs_truth = False
    every_class = False

    def names(self, cases: Cases) -> tuple[str, ...]:
        """The classes."""
        return CLASSES.names(cases)

    def looked(self, case: Case, names: tuple[str, ...]) -> Looked:
        """Which class it is of."""
        return CLASSES.looked(case, names)

    def ready(self, case: Case, scheme: Scheme, image: Array) -> Ready:
        """Shares float32 (classes,), which the calibration needs; 0 for all where there is no truth."""
        if case.truth() is None:
            return Ready(image, np.zeros(len(scheme.plan.classes), np.float32))
        return CLASSES.ready(case, scheme, image)

    def sampled(self, ready: Ready, where: Tensor, pose: Pose, scheme: Scheme) -> Array:
        """Nothing: the target is what is shown."""
        return np.empty(0, np.float32)

    def shown(self, image: Array, target: Any, rng: np.random.Generator, scheme: Scheme) -> tuple[Array, Any]:
        """The image (c, *grid), of the denoising kind with coarse noise; and as it is."""
        if scheme.network.get("kind") != DENOISING:
            return image, image
        sd = float(scheme.plan.settings["noise"])
        return (image + sd * coarse(rng, image.shape)).astype(np.float32), image

    def loss(self, scheme: Scheme) -> Callable[[Any, Any], Tensor]:
        """As `nets.autoencoder.restoring`."""
        return partial(restoring, kind=str(scheme.network["kind"]))

    def score(self, module: nn.Module, valid: Shelf) -> float:
        """Minus the mean squared error over normal images; of the variational kind the ELBO by pixel."""
        error, away, _, _ = measured(module, valid, valid.scheme)
        if valid.scheme.network["kind"] != VARIATIONAL:
            return -float(error.mean())
        pixels = valid[0].image.size
        return -float(0.5 * np.log(error.mean() + LEAST) + away.mean() / pixels)

    def settled(self, module: nn.Module, shelf: Shelf) -> None:
        """Mean and spread of normal images' codes, variance of their pixels, and what a usual score is."""
        error, _, codes, seen = measured(module, shelf, shelf.scheme)
        centre = codes.mean(0)
        covariance = shrunk(codes - centre) + FLOOR * np.eye(codes.shape[1])
        module.settle(
            centre=torch.from_numpy(centre), white=torch.from_numpy(whitening(covariance)),
            variance=float(error.mean()), abnormal=_abnormal(shelf.scheme),
        )  # fmt: skip
        with torch.inference_mode():
            scores = np.array([float(module.scored(x)) for x in seen])
        sd = float(scores.std())
        module.moments.copy_(torch.tensor([float(scores.mean()), sd if sd > FLOOR else 1.0]))

    def finished(self, scheme: Scheme, module: nn.Module, valid: Shelf) -> Scheme:
        """The scheme with calibration and threshold chosen on val."""
        return CLASSES.finished(scheme, module, valid)

    def network(
        self, recipe: Any, facts: Fingerprint, patch: Sequence[int], base: dict[str, Any], origins: Origins
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Stages as of `small` on such images, and the grid that is left at their end."""
        depth, width = depth_of(patch), getattr(recipe, "width", None)
        divisor = (2 ** (depth - 1),) * len(patch)
        grid = [n // d for n, d in zip(multiple(patch, divisor), divisor, strict=True)]
        origins["network.sizes"] = f"fingerprint: {depth} stages on {tuple(patch)}"
        asked = recipe.anomaly.score
        score = asked or (ELBO if recipe.kind == VARIATIONAL else ERROR)
        origins["network.score"] = "default" if asked is None else "recipe"
        made = {"grid": grid, "sizes": [width or WIDTH, depth, recipe.code], "kind": recipe.kind, "score": score}
        return base | {"name": "autoencoder", "outputs": 2} | made, divisor

    def settings(self, recipe: Any, facts: Fingerprint, grid: Sequence[int], origins: Origins) -> dict[str, Any]:
        """Platt's map from scores to probabilities; and the noise of the denoising kind."""
        origins["plan.settings.calibrate"] = "default: scores are no logits, so slope and offset are both needed"
        return {"calibrate": "platt"} | ({"noise": recipe.noise} if recipe.kind == DENOISING else {})

    def study(self, facts: Fingerprint, batch: int) -> dict[str, Any]:
        """Whole passes over the cases, several at a time where these are few."""
        n = facts.n + facts.unlabelled
        size = max(2, min(16, n // 2))
        return {"epochs": 30, "steps": max(20, n // size), "batch_size": size, "learning_rate": 2e-3, "patience": 0}

    def augment(self, facts: Fingerprint, *, photo: bool) -> Augment:
        """Little: what is drawn here would count as normal."""
        spatial = Spatial((-5.0, 5.0), (-0.03, 0.03), (0.95, 1.05), (0.0, 0.0), (), 0.0)
        return Augment(spatial, Intensity((0.9, 1.1), 0.05, (0.95, 1.05), 0.0, 0.0, 1.0), 0.3)

    def loop(self, recipe: Any, facts: Fingerprint, origins: Origins) -> Loop:
        """A running mean over half a hundred steps."""
        return Loop(foreground=0.0, ema=0.98)


def coarse(rng: np.random.Generator, shape: Sequence[int]) -> Array:
    """float32 (c, *grid) noise of SD 1 at `COARSE` places along the longest axis, enlarged linearly."""
    factor = max(1.0, max(shape[1:]) / COARSE)
    small = [max(2, round(n / factor)) for n in shape[1:]]
    return resize(rng.standard_normal((shape[0], *small)).astype(np.float32), tuple(shape[1:]))


def measured(module: nn.Module, shelf: Shelf, scheme: Scheme) -> tuple[Array, Array, Array, list[Tensor]]:
    """Error (n,), divergence (n,), codes (n, code) and what is seen, of the normal images; of all where none is.

    float64; the module is put into eval mode and left there.
    """
    module.eval()
    device = next(module.parameters()).device
    normal = 1 - _abnormal(scheme)
    chosen = [i for i in range(len(shelf)) if shelf[i].target[normal] > 0.5] or range(len(shelf))
    seen, found = [], []
    with torch.inference_mode():
        for i in chosen:
            image = shelf[i].image
            x = torch.from_numpy(padded(image, multiple(image.shape[1:], scheme.plan.divisor))[None].copy())
            seen.append(x)
            found.append([part[0].double().cpu().numpy() for part in module.measured(x.to(device))])
    error, away, codes = (np.stack(parts) for parts in zip(*found, strict=True))
    return error, away, codes, seen


def _abnormal(scheme: Scheme) -> int:
    return scheme.plan.classes.index(str(scheme.plan.positive))


QUESTION = Autoencode()
