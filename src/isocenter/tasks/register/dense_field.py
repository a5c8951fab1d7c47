"""A network that learns how one image bends into another, from pairs alone or with regions in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from isocenter.data import Before, Cases, Study, Watch, knob, silent
from isocenter.errors import RecipeError
from isocenter.ops.array import Array
from isocenter.ops.refining import SIMILARITIES
from isocenter.tasks._study import studied
from isocenter.tasks.register._pairing import Centred, Part, brought, described
from isocenter.tasks.register.intensity import Intensity

if TYPE_CHECKING:
    from isocenter.tasks.register._fitted import FittedField

CENTRE = "centre"


@dataclass(frozen=True)
class Goal:
    """What a registration is to reach, in training and in the refinement of a new pair.

    Raises
    ------
    RecipeError
        The side of the windows is even.
    """

    similarity: str = knob(
        "ncc", "how alike two images are: ncc (squared correlation in windows: values may differ from place to place), "
        "mse (squared differences: values must agree)", choices=SIMILARITIES, source="Avants et al. 2008",
    )  # fmt: skip
    window: int = knob(9, "side of the windows of ncc, odd", unit="pixels", low=3, high=99)
    smoothness: float = knob(
        0.3, "weight of the mean squared difference of neighbouring velocities", low=0, high=1e6, tunable=True
    )
    labels: float = knob(
        0.0, "weight of 1 - Dice of the regions in training, for pairs that bring some; 0: images alone", low=0,
        high=1e3, tunable=True, source="Balakrishnan et al. 2019",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not self.window % 2:
            raise RecipeError("a window without a middle", where="goal.window", got=str(self.window), wanted="odd")


@dataclass(frozen=True)
class DenseField:
    """A network that sees both images and answers a stationary velocity at half the grid, whose integral cannot fold.

    It learns from pairs without truth; regions in both images may help, and choose the weights on val. A new pair is
    refined by some steps of optimisation on itself. Both images lie on one grid when the network sees them; `start`
    brings the moving one near.

    Sources: Balakrishnan et al., IEEE TMI 38 (2019) 1788; Dalca et al., Medical Image Analysis 57 (2019) 226.

    Raises
    ------
    RecipeError
        The start does not answer.
    """

    network: ClassVar[str] = "velocity"
    # Pairs without truth take part in the training itself.
    unsupervised: ClassVar[bool] = True
    start: Any = knob(
        None, "what brings the moving image near: centre (on centre), or a part, "
        '{"use": "register/METHOD"} or a bundle; None: register/intensity, affine',
    )  # fmt: skip
    width: int | None = knob(
        None, "channels at half the grid; each further stage doubles them; 32", low=4, high=256, tunable=True
    )
    depth: int | None = knob(None, "most steps down from there; 3", low=0, high=6, tunable=True)
    goal: Goal = knob(Goal, "what a registration is to reach")
    refine: int = knob(30, "most steps of optimisation on a new pair; 0: the network's word alone", low=0, high=1000)
    study: Study = knob(Study, "how it learns")
    before: Before = knob(Before, "what happens to both images first")

    def __post_init__(self) -> None:
        if self.start not in (None, CENTRE) and not isinstance(self.start, Part):
            raise RecipeError("the start does not answer", where="start", got=repr(self.start)[:40], wanted=CENTRE,
                              remedy='Or name a part: {"use": "register/METHOD"}, a bundle of one that studies')

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> FittedField:
        """Learns from the pairs of `train`; `valid` chooses the weights, by its regions where it has some.

        Raises
        ------
        InputError
            No pair could be brought near.
        RecipeError
            The start cannot be kept in a bundle.
        MissingExtraError
            torch is not installed.
        IsocenterError
            As `isocenter.fit.fitted`.
        """
        from isocenter.tasks.register._fitted import START, FittedField

        start = Centred() if self.start == CENTRE else self.start or Intensity(family="affine")
        said: dict[str, Any] = {START: described(start)}
        sides, lost = zip(*(brought(side, start, watch=watch) for side in (train, valid)), strict=True)
        if any(lost):
            said["said"] = [f"left out, the start found no map: {lost[0]} pairs of train, {lost[1]} of val"]
        # Regions that one side alone brings are learnt from, or choose the weights, all the same.
        names = next((side.classes for side in sides if side.classes), ())
        near = [replace(side, classes=names) for side in sides]
        made = studied(FittedField, replace(self, start=None), near[0], near[1], watch=watch)
        arrays: dict[str, Array] = getattr(start, "state", dict)()
        return FittedField({**made.about, **said}, {**made.arrays, **{f"{START}.{k}": a for k, a in arrays.items()}})

    @classmethod
    def from_state(cls, about: Mapping[str, Any], state: Mapping[str, Array]) -> FittedField:
        """The fitted network of a bundle; torch is not imported."""
        from isocenter.tasks.register._fitted import FittedField

        return FittedField.from_state(about, state)
