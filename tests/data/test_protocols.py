"""The one interface is recognised by what a thing can do."""

from __future__ import annotations

from isocenter.data import Case, Differentiable, Learner, NotEvaluated, Predictor, Progress, Watch, silent


class Answers:
    def predict(self, case: Case) -> NotEvaluated:
        return NotEvaluated("nothing to say")


def test_protocols_are_structural() -> None:
    assert isinstance(Answers(), Predictor)
    assert not isinstance(Answers(), Learner) and not isinstance(Answers(), Differentiable)


def test_silence_is_the_default() -> None:
    assert silent == Watch() and silent.seed == 0 and silent.report(Progress("train", 0.5)) is None
