"""Which pixels does an answer rest on?"""

from isocenter.data import Task

TASK = Task(
    "explain",
    "Attribution",
    ("image",),
    (
        "deletion", "insertion", "pointing_game", "completeness",
        "deletion_gain", "insertion_gain", "iou_same_size", "randomised",
    ),
    "Which pixels does an answer rest on?",
)  # fmt: skip
