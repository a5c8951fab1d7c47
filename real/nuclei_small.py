"""Nuclei of three stains (Data Science Bowl 2018), by a network small enough to be shipped."""

from real.row import Figure, Row

ROW = Row(
    name="nuclei_small",
    data="nuclei-dsb2018",
    task="instances",
    method="contours",
    minutes=40,
    figures=(Figure("ap50", "object", 0.72, 0.86),),
    rivals=("watershed_split",),
    # The set holds no section stained with DAB, and of those the network sees little in colour.
    settings={"width": 16, "depth": 3, "study.epochs": 50, "before.intensity": "percentile", "counterstain": True},
)
