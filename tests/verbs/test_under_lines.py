"""Side by side, for people."""

from __future__ import annotations

from isocenter.data import Disturbed, Score, Scores, Test
from isocenter.verbs._under_lines import under_lines


def scores(value: float | None, key: str = "accuracy", flags: tuple[str, ...] = ()) -> Scores:
    low = None if value is None else value - 0.1
    high = None if value is None else value + 0.1
    return Scores("classify", "cnn", "test", {key: {"all": Score(value, low, high, 40, flags=flags)}}, (), 40)


def row(name: str = "pgd", **more: object) -> Disturbed:
    levels = {t: scores(v, "robust_accuracy") for t, v in (("1/255", 0.7), ("2/255", 0.5), ("4/255", None))}
    plain = {"clean": scores(0.9), "levels": levels, "amounts": (0.004, 0.008, 0.016), "lead": "2/255"}
    return Disturbed(name, "cnn", **{**plain, "metric": ("robust_accuracy", "accuracy"), **more})


def test_unchanged_and_changed_stand_in_one_row_with_intervals() -> None:
    text = "\n".join(under_lines([row()]))
    assert "under pgd" in text and "accuracy unchanged" in text and "robust_accuracy at 2/255" in text
    assert "0.900 (0.800 to 1.000)" in text.replace("1.00)", "1.000)") or "0.9 (0.8 to 1)" in text
    assert text.index("0.9") < text.index("0.7") < text.index("0.5")


def test_flags_stand_beside_the_number_and_are_said_in_words() -> None:
    text = "\n".join(under_lines([row(flags=("zero_gradient", "black_box_better"), notes=("3 were rounded away",))]))
    assert "zero_gradient, black_box_better" in text
    assert "too weak to believe: gradients are 0" in text and "cnn: 3 were rounded away" in text


def test_each_attack_has_its_table_and_its_tests_once() -> None:
    test = Test("cnn pgd 2/255", "cnn", "accuracy", "all", -0.4, -0.5, -0.3, 0.0001, 0.0002, "mcnemar")
    lines = under_lines([row(tests=(test,)), row(tests=(test,)), row("noise")])
    text = "\n".join(lines)
    assert text.count("under pgd") == 1 == text.count("under noise") and text.count("mcnemar") == 1
    assert under_lines([]) == []
