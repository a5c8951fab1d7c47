"""Contours: a network that says of each pixel what it is and where the centre of its object lies; objects by voting.

After the offsets of Kendall et al. (CVPR 2018) and Panoptic-DeepLab (Cheng et al., CVPR 2020), in the place that
StarDist (Schmidt et al., MICCAI 2018) and Cellpose (Stringer et al., Nature Methods 2021) have in microscopy; the
network is a U-Net (Ronneberger et al., MICCAI 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isocenter.data import After, Before, Cases, Study, Watch, knob, silent
from isocenter.ops.array import Array
from isocenter.tasks._study import studied

if TYPE_CHECKING:
    from isocenter.tasks.instances._fitted import FittedContours


@dataclass(frozen=True)
class Contours:
    """The recipe of contours by voting. None means that the plan decides, from the fingerprint of train."""

    network: Any = knob(None, "the network", choices=("unet",))
    width: int | None = knob(
        None, "channels of the first stage; each further stage doubles them", low=4, high=256, tunable=True
    )
    depth: int | None = knob(None, "most steps down", low=1, high=8, tunable=True)
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to every image first")
    after: After = knob(After, "what happens to every answer")
    counterstain: bool = knob(
        False,
        "see of a picture of hematoxylin and DAB the hematoxylin alone, bright on dark: for networks of nuclei that "
        "learnt fluorescence",
        source="Ruifrok and Johnston 2001",
    )

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedContours:
        """Trains on `train`; `valid` chooses the best weights and the limits.

        Raises
        ------
        MissingExtraError
            torch is not installed.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        from isocenter.tasks.instances._fitted import FittedContours

        return studied(FittedContours, self, train, valid, watch=watch, head="contours")

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedContours:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.instances._fitted import FittedContours

        return FittedContours.from_state(about, state)
