"""Which pixel belongs to what?"""

from isocenter.data import Task

TASK = Task(
    "segment",
    "Segmentation",
    ("image",),
    ("dice", "jaccard", "precision", "recall", "specificity", "hd95", "assd", "nsd", "volume_error", "false_volume"),
    "Which pixel belongs to what?",
)
