"""What is it, and how likely?"""

from isocenter.data import Task

TASK = Task(
    "classify", "Probabilities", ("image",),
    ("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1", "average_precision", "brier",
     "log_loss", "ece"),
    "What is it, and how likely?",
)
