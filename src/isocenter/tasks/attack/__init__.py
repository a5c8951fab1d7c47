"""How easily is an answer fooled?"""

from isocenter.data import Task

TASK = Task(
    "attack", "Perturbation", ("image",), ("robust_accuracy", "robust_dice"), "How easily is an answer fooled?"
)
