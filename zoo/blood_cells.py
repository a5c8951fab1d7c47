"""`blood-cells`: red cells, white cells and platelets in stained blood smears, trained on BCCD (MIT).

    python -m zoo.blood_cells --data FOLDER

The recipe is that of `real/blood_cells_small.py`; its bundle is taken where it stands already, else trained.
"""

from __future__ import annotations

from real.blood_cells_small import ROW
from zoo.shipping import ship

CARD = {
    "name": "blood-cells",
    "intended_use": "Finding and counting blood cells in Wright-stained smears, for research and teaching.",
    "not_for": "Diagnosis, differential counts of white cells, parasites, bone marrow.",
    "data": "BCCD (Shenggan and others, MIT): 205 pictures for training, 37 for stopping and limits, x100 objective, "
    "640 x 480 pixels, boxes of red cells, white cells and platelets.",
    "licence": "MIT (data); Apache-2.0 (weights)",
    "credit": "BCCD dataset, https://github.com/Shenggan/BCCD_Dataset, MIT licence",
    "envelope": "RGB of 8 bits, one field of a smear at about x1000, red cells about 100 pixels across",
    "limits": "Red cells cut by the border or overlapped have no box in the truth, so they are missed here as well. "
    "One laboratory; the split is by picture, as no patient is known.",
}

if __name__ == "__main__":
    ship("blood-cells", ROW, CARD, about="pictures of the same set")
