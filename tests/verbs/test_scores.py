from __future__ import annotations

from isocenter.data import Score, Scores, Test
from isocenter.verbs._scores import best_of, cost, heading, leading, paired_lines, score_lines, side_by_side, unproven


def scores(dice: float | None, *, hd: float = 3.0, flags: tuple[str, ...] = ()) -> Scores:
    low = None if dice is None else dice - 0.1
    one = Score(dice, low, None if dice is None else dice + 0.1, 4, "", flags)
    return Scores(
        "segment",
        "m",
        "test",
        {
            "dice": {"disc": one, "all": one},
            "hd95": {"disc": Score(hd, 1.0, 5.0, 4, "px"), "all": Score(hd, 1.0, 5.0, 4, "px")},
        },
        (),
        4,
        n_refused=1,
        seconds=1.5,
        peak_mb=100.0,
        threads=2,
        engine="onnxruntime",
    )


def test_the_mean_over_one_class_is_not_repeated() -> None:
    lines = score_lines(scores(0.8, flags=("few_subjects",)))
    assert len(lines) == 3 and "all" not in " ".join(lines)
    assert lines[1].split() == ["dice", "disc", "0.800", "0.700", "0.900", "4", "few_subjects"]
    assert lines[2].split()[:4] == ["hd95", "disc", "3.000", "px"]


def test_two_classes_of_a_classification_are_one_row() -> None:
    one = Score(0.9, 0.8, 1.0, 10)
    made = Scores("classify", "m", "test", {"auc": {"a": one, "b": one, "all": one}}, (), 10)
    assert len(score_lines(made)) == 2
    three = Scores("classify", "m", "test", {"auc": {"a": one, "b": one, "c": one, "all": one}}, (), 10)
    assert len(score_lines(three)) == 5


def test_heading_and_cost() -> None:
    lines = heading(scores(0.8), "eyes")
    assert lines[0] == "segment by m on eyes, split test: 0 cases, 4 subjects, 1 case refused"
    assert "95% interval" in lines[1]
    assert cost(scores(0.8)) == "1.50 s to answer, peak memory 100 MB, 2 threads, engine onnxruntime"


def test_who_leads() -> None:
    assert leading(scores(0.8)) == ("dice", "all")
    assert leading(scores(None)) == ("hd95", "all")
    assert best_of({"a": scores(0.7), "b": scores(0.8), "c": None}) == "b"
    assert best_of({"a": scores(0.8), "b": scores(0.8)}) == "a"
    # Lower is better for a distance.
    assert best_of({"a": scores(None, hd=4.0), "b": scores(None, hd=3.0)}) == "b"
    assert best_of({"a": None}) == "a"


def test_side_by_side() -> None:
    lines = side_by_side({"a": scores(0.7), "b": scores(0.8)}, ("dice", "all"))
    assert (
        lines[0].split()[:3] == ["method", "dice", "all"] and lines[1].startswith("a") and "0.600 to 0.800" in lines[1]
    )
    assert side_by_side({"a": scores(0.7)}, None) == []


def test_tests_as_lines() -> None:
    made = Test("a", "b", "dice", "all", 0.1, 0.05, 0.15, 0.0004, 0.012, "wilcoxon")
    none = Test("a", "b", "dice", "all", 0.1, None, None, None, None, "wilcoxon", ("few_subjects",))
    lines = paired_lines((made, none))
    assert "<0.001" in lines[1] and "0.012" in lines[1] and "few_subjects" in lines[2]
    assert paired_lines(()) == []


def test_a_gain_that_is_not_proven_is_called_so():
    def made(a: str, b: str, difference: float, low: float, high: float, p: float | None, metric: str = "auc") -> Test:
        return Test(a, b, metric, "yes", difference, low, high, p, p, "paired bootstrap")

    lead = ("auc", "all")
    wide, sure = made("fusion", "pet", 0.1, -0.1, 0.3, 0.4), made("fusion", "age", 0.2, 0.1, 0.3, 0.01)
    turned, few = made("ct", "fusion", -0.1, -0.3, 0.1, 0.4), made("fusion", "mr", 0.1, 0.01, 0.2, None)
    [said] = unproven((wide, sure, turned, few), "fusion", lead)
    assert said.startswith("not proven: a gain of fusion over pet, ct, mr in auc (")
    assert unproven((sure,), "fusion", lead) == [] == unproven((wide,), None, lead) == unproven((wide,), "fusion", None)
    # What is worse is no gain; of a metric that is better when lower the sign turns.
    assert unproven((made("fusion", "pet", -0.1, -0.3, 0.1, 0.4),), "fusion", lead) == []
    # Nor is it passed over that another is better where val had named the best.
    [lost] = unproven((made("fusion", "pet", -0.2, -0.3, -0.1, 0.01),), "fusion", lead)
    assert lost == "proven better than fusion in auc, although fusion was named beforehand: pet"
    assert unproven((made("fusion", "pet", -0.2, -0.3, -0.1, None),), "fusion", lead) == []
    [said] = unproven((made("fusion", "pet", -0.1, -0.3, 0.1, 0.4, "brier"),), "fusion", ("brier", "all"))
    assert "in brier" in said


def test_methods_that_name_regions_differently_are_read_at_what_they_share():
    def made(method, **values):
        dice = {target: Score(value, None, None, 4) for target, value in values.items()}
        return Scores("segment", method, "val", {"dice": dice}, (), 4)

    both = {"unet": made("unet", all=0.4, organ=0.8, lesion=0.0, foreground=0.8), "otsu": made("otsu", foreground=0.5)}
    assert leading(*both.values()) == ("dice", "foreground")
    assert best_of(both) == "unet"
    assert best_of({"unet": made("unet", all=0.9, foreground=0.3), "otsu": both["otsu"]}) == "otsu"
    assert any("0.5" in line for line in side_by_side(both, leading(*both.values())))
