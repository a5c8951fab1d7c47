"""What an autoencoder does not bring back: pixels unlike those of the normal images that it learnt from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import Attribution, Case, Differentiable, NotEvaluated, knob
from isocenter.errors import NotFoundError, RecipeError, nearest
from isocenter.infer.preparing import unusable
from isocenter.tasks.explain._inside import differentiable
from isocenter.tasks.explain._redrawn import Redrawn


@dataclass(frozen=True)
class Reconstruction:
    """The squared error of each pixel, mean over channels, with values of the image at SD 1.

    It speaks for the class that is not normal; edges come back badly in every image. Source: Baur et al., Autoencoders
    for unsupervised anomaly segmentation in brain MR images, Medical Image Analysis 69 (2021) 101952.

    Raises
    ------
    RecipeError
        `of` is missing or no autoencoder.
    """

    of: Differentiable | None = knob(None, "the fitted autoencoder: a bundle")
    target: str | None = knob(None, "class to name; None: the one that is not normal, of which alone errors speak")

    def __post_init__(self) -> None:
        differentiable(self.of, who="restored images")

    def predict(self, case: Case) -> Attribution | NotEvaluated:
        """The map on the case's own grid; NotEvaluated where pixels are not finite.

        Raises
        ------
        RecipeError
            The network restores no images.
        NotFoundError
            Errors speak for another class.
        MissingExtraError
            torch is not installed.
        """
        import torch

        assert self.of is not None
        lack = unusable(case.image().channels_first())
        if lack is not None:
            return lack
        inside = self.of.opened()
        if not hasattr(inside.module, "restored"):
            raise RecipeError("the network restores no images", got=type(inside.module).__name__,
                              wanted="a bundle of classify/autoencoder",
                              remedy="Other networks: --method gradients; any method: --method occlusion")
        abnormal = inside.classes[int(inside.module.sides.argmax())]
        if self.target not in (None, abnormal):
            raise NotFoundError("errors speak for the class that is not normal", got=str(self.target),
                                remedy=nearest(str(self.target), (abnormal,)) or f"Leave target out: {abnormal}")
        x = inside.prepare(case)
        with torch.no_grad():
            error = (inside.module.restored(x) - x).square().mean(1)[0].numpy()
        own = np.asarray(inside.back(error.astype(np.float32), case), np.float32)
        return Attribution(own, case.image().geometry, abnormal, "reconstruction")

    def redrawn(self, target: str, *, seed: int = 0) -> Reconstruction:
        """The same map of the same network with other weights."""
        assert self.of is not None
        return replace(self, of=Redrawn(self.of, seed), target=None)
