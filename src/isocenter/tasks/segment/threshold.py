"""Everything beyond one value: a share of the image's maximum, as in PET, or a fixed value such as a SUV or HU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.errors import RecipeError
from isocenter.tasks._settled import Settled
from isocenter.tasks.segment._choose import region
from isocenter.tasks.segment._grey import grey, refuse_unused
from isocenter.tasks.segment._settled import answered


@dataclass(frozen=True)
class Threshold(Settled):
    """The pixels from one value on. Needs no training; `fit` learns the name of the region alone.

    The default, 41 % of the maximum, is the EANM's rule for the volume of a lesion in FDG-PET; the image must be a crop
    in which the lesion is the hottest thing.

    Sources: Boellaard et al., Eur. J. Nucl. Med. Mol. Imaging 42 (2015) 328 (EANM guideline 2.0); Erdi et al., Cancer
    80 (1997) 2505.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour.
    """

    before: Before = knob(Before, "channel, denoise and window; the grid is the image's own")
    after: After = knob(After, "largest, smallest and fill")
    share: float = knob(0.41, "of the largest value, where `at` says nothing", low=0.01, high=1.0, tunable=True)
    at: float | None = knob(
        None, "the value itself, in the image's unit (SUV, HU); wins over `share`", low=-1e6, high=1e9
    )
    below: bool = knob(False, "answer what lies below the value instead")
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="threshold")
        if self.at is not None and not np.isfinite(self.at):
            raise RecipeError("the value is no number", got=str(self.at))

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated for a share of a maximum that is not above 0."""
        values = grey(case, self.before)
        if isinstance(values, NotEvaluated):
            return values
        cut = self.at
        if cut is None:
            top = float(values.max())
            if top <= 0:
                return NotEvaluated("a share of the maximum means nothing here", limit="maximum above 0")
            cut = self.share * top
        beyond = values < np.float32(cut) if self.below else values >= np.float32(cut)
        return answered(beyond, self.after, self.name, case.image().geometry)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> Threshold:
        """The same method with the region's name from train."""
        return replace(self, name=region(train))
