"""Where is it?"""

from isocenter.data import Task

TASK = Task(
    "detect",
    "Boxes",
    ("image",),
    ("ap50", "ap", "f1_50", "f1_8px", "froc", "sensitivity_at_1", "recall_50"),
    "Where is it?",
)
