"""Nuclei of three stains (Data Science Bowl 2018): each nucleus by itself, by Mask R-CNN."""

from real.row import Figure, Row

ROW = Row(
    name="nuclei_mask_rcnn",
    data="nuclei-dsb2018",
    task="instances",
    method="mask_rcnn",
    minutes=60,
    figures=(Figure("ap50", "object", 0.55, 0.80),),
    settings={"study.epochs": 24},
    rivals=("watershed_split",),
)
