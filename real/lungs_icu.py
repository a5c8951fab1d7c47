"""Chest X-rays of COVID-19 (64 images of 32 patients): admission to intensive care from image and facts.

Most facts are missing in most patients. They are sex, oxygen saturation, neutrophils and lymphocytes; some look wrong
at their source, and being there at all may tell who was treated. Whether the image was made in intensive care is not
among them.
"""

from real.row import Candidate, Figure, Row

HOW = {"branch.size": 64, "branch.depth": 4, "learning.epochs": 20}

ROW = Row(
    name="lungs_icu",
    data="chest-xray-lungs",
    task="classify",
    method="fusion",
    minutes=15,
    figures=(Figure("auc", "Y"),),
    settings=HOW,
    rivals=(),
    folds=5,
    beside=(
        Candidate("fusion", {**HOW, "only": ["image"]}, name="image"),
        Candidate("fusion", {"only": ["facts"]}, name="facts"),
    ),
)
