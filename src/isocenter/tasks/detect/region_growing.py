"""Region growing: a seed in every bulge of the foreground, grown until the regions meet or change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.data import Boxes, Case, Cases, NotEvaluated, Watch, knob, silent
from isocenter.ops.components import filled
from isocenter.ops.seeded import grown_together, seeds_of
from isocenter.tasks._settled import Settled
from isocenter.tasks.detect._kinds import Kinds
from isocenter.tasks.detect._pixels import channel, foreground, pixels
from isocenter.tasks.detect._settled import settled

TOLERANCES, APART = (1.0, 2.0, 4.0), (0.7, 1.0, 1.4)
# SD in pixels of the smoothing of the grown values.
SMOOTH = 1.0


@dataclass(frozen=True)
class RegionGrowing(Settled):
    """Otsu's foreground, parted by regions that grow from its innermost pixels. Names no class before training.

    `fit` learns channel, side, tolerance, the distance of seeds and what the classes look like.

    Sources: Otsu 1979; Adams, Bischof, Seeded region growing, IEEE Trans. PAMI 16 (1994) 641.
    """

    channel: str | None = knob(None, "name of the channel, or mean; None: learnt from train, else mean")
    bright: bool | None = knob(None, "objects are brighter than the background; None: learnt from train, else so")
    tolerance: float | None = knob(
        None, "largest difference from a region's mean; None: learnt from train, else 1", unit="SD of the image",
        low=0.0, high=100.0, tunable=True,
    )  # fmt: skip
    apart: float | None = knob(
        None, "seeds lie at least this multiple of the deeper one's depth apart; None: learnt from train, else 1",
        low=0.1, high=100.0, tunable=True,
    )  # fmt: skip
    kinds: Kinds = knob(Kinds, "what the classes look like; learnt from train")

    def predict(self, case: Case) -> Boxes | NotEvaluated:
        """The boxes of the leading image, on its own grid; a score of 0.5 is the limit learnt from train."""
        from scipy import ndimage

        array = pixels(case)
        if isinstance(array, NotEvaluated):
            return array
        image = case.image()
        sharp = channel(array, image, self.channel or "mean")
        mask = filled(foreground(sharp, bright=self.bright is not False))
        values = ndimage.gaussian_filter(sharp, SMOOTH, mode="nearest")
        seeds = seeds_of(mask, apart=self.apart or 1.0, least=max(1.0, self.kinds.smallest / 2))
        regions = grown_together(values, seeds, mask, tolerance=1.0 if self.tolerance is None else self.tolerance)
        boxes = [b for b in ndimage.find_objects(regions) if b is not None]
        edges = np.array([[[s.start - 0.5 for s in b], [s.stop - 0.5 for s in b]] for b in boxes], float)
        edges = edges.reshape(-1, 2, mask.ndim)
        held = (edges[:, 1] - edges[:, 0]).max(1) >= self.kinds.smallest
        return self.kinds.named(edges[held], array, image.geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> RegionGrowing:
        """The same method with the fields that stand open learnt from train.

        Raises
        ------
        LabelError
            A class has no box in train.
        """
        return settled(self, train, lambda _: {"tolerance": TOLERANCES, "apart": APART}, watch=watch)
