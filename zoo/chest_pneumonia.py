"""`chest-pneumonia`: pneumonia on children's chest X-rays, trained on the set of Kermany et al. (CC BY 4.0).

    python -m zoo.chest_pneumonia --data FOLDER

The recipe is that of `real/pneumonia_small.py`; its bundle is taken where it stands already, else trained.
"""

from __future__ import annotations

from real.pneumonia_small import ROW
from zoo.shipping import ship

CARD = {
    "name": "chest-pneumonia",
    "intended_use": "Teaching and method comparison: pneumonia against normal on frontal chest X-rays of children.",
    "not_for": "Diagnosis, triage; adults; lateral views; other findings, which it has never seen and calls one of the "
    "two; telling bacterial from viral pneumonia.",
    "data": "Kermany, Zhang, Goldbaum, Mendeley Data, doi:10.17632/rscbjbr9sj (Cell 172 (2018) 1122): children of one "
    "to five years at one hospital; of its train folder 1000 images for training and 200 for stopping, temperature, "
    "threshold and envelope, no patient on both sides; resized to 224 x 224 without keeping the aspect ratio.",
    "licence": "CC BY 4.0 (data); Apache-2.0 (weights)",
    "credit": "Kermany, Zhang, Goldbaum 2018, doi:10.17632/rscbjbr9sj, CC BY 4.0",
    "envelope": "Frontal chest X-rays of 8 bits, grey",
    "limits": "The set's test folder is shifted against its train folder, and this is what the measured figures show: "
    "on images like its own it is nearly faultless (AUC above 0.99 on val), on test specificity falls, and its "
    "probabilities are far too sure. Expect as much or more from another hospital: choose a threshold on images of "
    "your own. Age, position and the resizing may have been learnt instead of disease.",
}

if __name__ == "__main__":
    ship("chest-pneumonia", ROW, CARD, about="patients of the source's test folder, which is shifted")
