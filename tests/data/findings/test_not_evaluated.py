"""No answer is no answer."""

from isocenter.data import NotEvaluated


def test_false_in_a_condition_and_one_line() -> None:
    answer = NotEvaluated("the image holds NaN", measured="3 pixels", limit="0")
    assert not answer
    assert answer.line() == "not evaluated: the image holds NaN (measured 3 pixels, limit 0)"
    assert NotEvaluated("x").line() == "not evaluated: x"
