"""`retina-vessels`: vessels of fundus photographs, trained on CHASE_DB1 (CC BY 4.0).

    python -m zoo.retina_vessels --data FOLDER

The recipe is that of `real/retina.py`; its bundle is taken where it stands already, and trained where it does not.
"""

from __future__ import annotations

from real.retina import ROW
from zoo.shipping import ship

CARD = {
    "name": "retina-vessels",
    "intended_use": "Outlining vessels on colour fundus photographs, for research and teaching.",
    "not_for": "Diagnosis, grading, screening; angiography, OCT, other organs; measuring single vessels.",
    "data": "CHASE_DB1, first ten children, both eyes, first observer's vessels: 14 images of 7 children for training, "
    "2 of 1 child for stopping. Kingston University with St George's, University of London; "
    "Fraz et al., IEEE TBME 59 (2012) 2538.",
    "licence": "CC BY 4.0 (data); Apache-2.0 (weights)",
    "credit": "CHASE_DB1, Fraz et al. 2012, CC BY 4.0",
    "envelope": "RGB photograph of 8 bits, about 1000 pixels across",
    "limits": "Seven children of one set. Thin vessels, haemorrhages, other fields of view and other "
    "cameras are answered less well; nothing was measured there.",
}

if __name__ == "__main__":
    ship("retina-vessels", ROW, CARD, about="children of the same set")
