"""Which point of one image is which point of another?"""

from isocenter.data import Task

TASK = Task(
    "register",
    "Transform",
    ("fixed", "moving"),
    ("tre", "tre_relative", "share_5px", "folding", "inverse_consistency", "dice"),
    "Which point of one image is which point of another?",
)
