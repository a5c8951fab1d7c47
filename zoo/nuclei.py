"""`nuclei`: each nucleus of fluorescence and stained microscopy, trained on the Data Science Bowl 2018 (CC0).

    python -m zoo.nuclei --data FOLDER

The recipe is that of `real/nuclei_small.py`; its bundle is taken where it stands already, else trained.
"""

from __future__ import annotations

from real.nuclei_small import ROW
from zoo.shipping import ship

CARD = {
    "name": "nuclei",
    "intended_use": "Outlining and counting nuclei in microscopy, for research and teaching.",
    "not_for": "Diagnosis, grading; whole cells, tissue regions, nuclei in three dimensions.",
    "data": "BBBC038v1 (2018 Data Science Bowl, Broad Bioimage Benchmark Collection; Caicedo et al., Nature Methods 16 "
    "(2019) 1247) with community corrections to its masks: 146 images for training, 35 for stopping and limits; "
    "fluorescence, some stained tissue, few bright-field images.",
    "licence": "CC0 1.0 (data); Apache-2.0 (weights)",
    "credit": "BBBC038v1, Broad Bioimage Benchmark Collection, Caicedo et al. 2019, CC0 1.0",
    "envelope": "One channel or RGB of 8 bits, nuclei about 8 to 60 pixels across",
    "limits": "Stained tissue is answered less well than fluorescence, bright-field worst. Of sections stained with "
    "hematoxylin and DAB it sees the hematoxylin alone; none was trained on or scored. The split is by image, as "
    "no plate or patient is known: images of one slide may stand on both sides. The set is mixed, so its gate is wide: "
    "it refuses X-rays, and lets pass most breast ultrasound and some cardiac MRI.",
}

if __name__ == "__main__":
    ship("nuclei", ROW, CARD, about="images of the same set")
