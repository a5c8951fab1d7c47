"""Region growing: from seeds, given or found, as long as the pixels stay alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isocenter.data import After, Before, Case, Cases, NotEvaluated, Segmentation, Watch, knob, silent
from isocenter.infer.holding import held
from isocenter.ops.growing import grown
from isocenter.tasks.segment._choose import best
from isocenter.tasks.segment._coarse import coarse
from isocenter.tasks.segment._grey import refuse_unused
from isocenter.tasks.segment._on import ON, Part, refuse_input, seen
from isocenter.tasks.segment._parts import Composed
from isocenter.tasks.segment._start import Start, answer, begun, begun_by, cleaned

# Rounds of mean and SD for each rule.
RULES = {"seeds": 1, "region": 10}
TOLERANCE, TRIED = 2.5, (1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
# In radii of what is looked for: around a seed that was found, pixels surely inside; leaks thinner than this are cut.
CORE, LEAK = 0.5, 0.3


@dataclass(frozen=True)
class RegionGrowing(Composed):
    """What hangs together with the seeds and is like them. Needs no training.

    `fit` returns the same method with channel, start, rule and tolerance learnt from train.

    Sources: Zucker, CGIP 5 (1976) 382; Adams, Bischof, IEEE Trans. PAMI 16 (1994) 641.

    Raises
    ------
    RecipeError
        A field of `before` or `after` that it cannot honour, or nothing to work on.
    """

    before: Before = knob(Before, "channel, denoise (default median) and window")
    after: After = knob(After, "largest (learnt where it is open), smallest and fill (default: holes are filled)")
    on: str | Part = knob("intensity", ON, choices=("intensity", "texture"))
    start: Start = knob(Start, "the seeds")
    rule: str | None = knob(
        None,
        "alike is what lies within `tolerance` SDs of the mean: `region` of what grew so far, `seeds` of the seeds "
        "alone; None: learnt from train, else region",
        choices=tuple(RULES),
        source="Zucker 1976; Adams & Bischof 1994",
    )
    tolerance: float | None = knob(None, "in SDs; None: learnt from train, else 2.5", low=0.0, high=100.0, tunable=True)
    name: str = knob("foreground", "name of the region in the answer; learnt from train where it has one class")

    def __post_init__(self) -> None:
        refuse_unused(self.before, self.after, where="region_growing")
        refuse_input(self.on, self.before, where="region_growing")

    def predict(self, case: Case) -> Segmentation | NotEvaluated:
        """The region on the case's own grid; NotEvaluated where all pixels are alike.

        Raises
        ------
        InputError
            A seed lies outside the image.
        """
        values = seen(case, self.on, self.before, denoise="median")
        if isinstance(values, NotEvaluated):
            return values
        found = begun(case, values, self.start, on=self.on, core=0.0 if self.start.seeds else CORE)
        if isinstance(found, NotEvaluated):
            return found
        tolerance = TOLERANCE if self.tolerance is None else self.tolerance
        rounds = RULES[self.rule or "region"]
        mask = grown(values, found.mask, tolerance=tolerance, rounds=rounds, reach=found.reach)
        return answer(cleaned(mask, found, self.after, smooth=LEAK), case, self.name)

    def fit(self, train: Cases, valid: Cases, *, watch: Watch = silent) -> RegionGrowing:
        """The same method with the fields that stand open learnt from at most 8 cases of train, averaged down.

        Raises
        ------
        LabelError
            Train holds no labelled pixel.
        """
        train = held(train)
        chosen = begun_by(self, train, valid, watch=watch, share=(0.0, 0.6))
        rules = tuple(RULES) if self.rule is None else (self.rule,)
        tolerances = TRIED if self.tolerance is None else (self.tolerance,)
        every = [replace(chosen, rule=r, tolerance=t) for r in rules for t in tolerances]
        return best(every, coarse(chosen, train), watch=watch, share=(0.6, 1.0))
