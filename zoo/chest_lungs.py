"""`chest-lungs`: left and right lung on frontal chest X-rays, trained on COVID-19 patients' films (CC BY).

    python -m zoo.chest_lungs --data FOLDER

The recipe is that of `real/lungs_by_side.py`; its bundle is taken where it stands already, else trained.
"""

from __future__ import annotations

from real.lungs_by_side import ROW
from zoo.shipping import ship

CARD = {
    "name": "chest-lungs",
    "intended_use": "Outlining left and right lung on frontal chest X-rays of adults, for research and teaching.",
    "not_for": "Diagnosis, grading of disease; lateral films, children, CT.",
    "data": "66 films of 34 COVID-19 patients, most from Hannover Medical School (Cohen et al., arXiv:2003.11597, "
    "those under CC BY) with the masks of V7 Labs: 43 films of 22 patients for training, 7 of 4 for stopping.",
    "licence": "CC BY 3.0 and CC BY 4.0 (images), CC BY 4.0 (masks); Apache-2.0 (weights)",
    "credit": "Cohen et al. 2020 (CC BY images); V7 Labs COVID-19 X-ray dataset (CC BY 4.0 masks)",
    "envelope": "one channel of 8 bits, about 500 pixels across or more, patient seen from the front",
    "limits": "Twenty-two patients, all with COVID-19. The masks reach to the diaphragm and behind the heart, so lungs "
    "come out larger than in sets drawn otherwise. Devices over the lung were ignored in training.",
}

if __name__ == "__main__":
    ship("chest-lungs", ROW, CARD, about="patients of the same set")
