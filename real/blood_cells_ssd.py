"""Blood cells of three kinds (BCCD, 205 / 37 / 50 images): boxes by SSD."""

from real.row import Figure, Row

ROW = Row(
    name="blood_cells_ssd",
    data="blood-cells-bccd",
    task="detect",
    method="ssd",
    minutes=45,
    figures=(Figure("ap50", "all", 0.70, 0.86),),
    settings={"study.epochs": 40},
    rivals=("template", "clusters", "region_growing"),
)
