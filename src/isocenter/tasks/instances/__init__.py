"""Which pixels are which object?"""

from isocenter.data import Task

TASK = Task(
    "instances",
    "Instances",
    ("image",),
    ("ap50", "ap", "pq", "f1_50", "aji", "recall_50"),
    "Which pixels are which object?",
)
