"""Nuclei of three stains (Data Science Bowl 2018, 146 / 35 / 44 images): each nucleus by itself."""

from real.row import Figure, Row

ROW = Row(
    name="nuclei",
    data="nuclei-dsb2018",
    task="instances",
    method="contours",
    minutes=40,
    figures=(Figure("ap50", "object", 0.72, 0.86),),
    rivals=("watershed_split",),
    settings={"width": 20, "depth": 4, "study.epochs": 50, "before.intensity": "percentile"},
)
