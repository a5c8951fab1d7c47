"""How much is it: a number with its unit and interval, such as an age, an area, a count."""

from isocenter.data import Task

TASK = Task(
    "regress", "Values", ("image",), ("mae", "rmse", "r2", "within"),
    "How much is it: an age, an area, a count?",
)
