"""Numbers and names as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from isocenter.data import Score

NAMES = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "precision": "Precision",
    "recall": "Recall",
    "specificity": "Specificity",
    "hd95": "HD95",
    "assd": "ASSD",
    "nsd": "NSD",
    "volume_error": "Volume error",
    "false_volume": "False volume",
    "auc": "AUC",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "f1": "F1",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "ece": "ECE",
    "ap50": "AP at IoU 0.5",
    "ap": "AP",
    "f1_50": "F1 at IoU 0.5",
    "f1_8px": "F1 within 8 px",
    "froc": "FROC score",
    "sensitivity_at_1": "Sensitivity at 1 false positive",
    "pq": "Panoptic quality",
    "aji": "AJI",
    "ood_auroc": "OOD AUROC",
    "recall_50": "Recall at IoU 0.5",
    "robust_dice": "Robust Dice",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "r2": "R²",
    "within": "Within the 90 % interval",
}
FLAGS = {
    "few_subjects": "fewer than 10 subjects: the interval is a rough guide and no p value is given",
    "one_subject": "a single subject: no interval and no claim beyond it",
    "few_in_class": "fewer than 10 cases of the rarer kind: the interval is a rough guide",
    "undefined": "not defined on these cases",
    "undefined_classes": "the mean leaves out classes for which it is not defined",
    "no_positive": "nobody named the positive class (--positive NAME)",
    "mixed_units": "some cases lack their spacing, so all are measured in pixels",
    "no_variation": "every resample says the same, so the interval rests on the number of cases alone",
    "unstable": "undefined in more than 1 of 20 resamples: read the interval with care",
    "answered_only": "over answered cases only",
    "tolerance_one_pixel_diagonal": "tolerance: one pixel diagonal",
    "zero_gradient": "gradients are 0 in 1 of 10 cases or more: the attack may be too weak to believe",
    "loss_does_not_grow": "the loss does not grow in 1 of 10 cases or more: the attack may be too weak to believe",
    "noise_as_good": "noise of the same size does as much: the gradient is of no use, the attack too weak to believe",
    "black_box_better": "an attack without gradients gets through where this one failed: it is too weak to believe",
    "below_one_level": "the budget is below one level of the stored pixels: nothing could change",
}
MINUS = "\N{MINUS SIGN}"


def metric_name(key: str) -> str:
    """The heading of a metric.

    >>> metric_name("balanced_accuracy")
    'Balanced accuracy'
    """
    return NAMES.get(key) or key.replace("_", " ").capitalize()


def target_name(target: str) -> str:
    """The name of a target: ``all`` is spelt out."""
    return "all classes" if target == "all" else target


def flag_text(flag: str) -> str:
    """A flag as a sentence without its full stop."""
    return FLAGS.get(flag) or flag.replace("_", " ")


def where_text(split: str) -> str:
    """Where a score was taken, as a part of a sentence.

    >>> where_text("test"), where_text("5 folds"), where_text("every subject in turn"), where_text("all")
    ('on the test split', 'over 5 folds', 'over every subject in turn', 'on all cases')
    """
    if split.endswith(" folds") or split.startswith("every "):
        return f"over {split}"
    return "on these cases" if not split else "on all cases" if split == "all" else f"on the {split} split"


def decimals(values: Iterable[float | None], unit: str = "") -> int:
    """How many decimals suit numbers that stand together: three for shares, fewer for large numbers with a unit."""
    top = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    if not unit and top < 10:
        return 3
    return 2 if top < 10 else 1 if top < 1000 else 0


def digits(value: float | None, places: int = 3) -> str:
    """A number with a fixed number of decimals, a true minus sign, and no minus zero.

    >>> digits(-0.0001, 3), digits(-0.5, 1), digits(None)
    ('0.000', '−0.5', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return "undefined"
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def interval_text(low: float | None, high: float | None, places: int) -> str:
    """``(0.941 to 0.964)``, or a word where there is none."""
    if low is None or high is None:
        return "(no interval)"
    return f"({digits(low, places)} to {digits(high, places)})"


def estimate(score: Score, places: int | None = None) -> tuple[str, str]:
    """The value with its unit, and its interval; with as many decimals as suit it, or as its neighbours have.

    >>> estimate(Score(0.9531, 0.941, 0.9644, 20))
    ('0.953', '(0.941 to 0.964)')
    """
    if score.value is None:
        return "undefined", ""
    places = decimals((score.value, score.low, score.high), score.unit) if places is None else places
    unit = f" {score.unit}" if score.unit else ""
    return digits(score.value, places) + unit, interval_text(score.low, score.high, places)


def score_text(score: Score) -> str:
    """One number with all that belongs to it.

    >>> score_text(Score(0.9531, 0.941, 0.9644, 20))
    '0.953 (0.941 to 0.964), n = 20'
    """
    value, interval = estimate(score)
    return f"{value} {interval}".strip() + f", n = {score.n}"


def p_text(p: float | None) -> str:
    """A p value as papers print it.

    >>> p_text(0.00002), p_text(0.0312), p_text(0.4), p_text(None)
    ('< 0.001', '0.031', '0.40', '–')
    """
    if p is None:
        return "\N{EN DASH}"
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def duration(seconds: float | None) -> str:
    """A time that a person can grasp.

    >>> duration(0.0123), duration(75), duration(5400)
    ('12 ms', '1 min 15 s', '1 h 30 min')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(megabytes: float | None) -> str:
    """Memory in MB or GB."""
    if megabytes is None:
        return ""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "case"), counted(3, "case")
    ('1 case', '3 cases')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = [*names] or [""]
    return f"{', '.join(most)} and {last}" if most else last
