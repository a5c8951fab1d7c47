"""Blood cells of three kinds (BCCD, 205 / 37 / 50 images): boxes by an anchor-free YOLO small enough to ship."""

from real.row import Figure, Row

ROW = Row(
    name="blood_cells_small",
    data="blood-cells-bccd",
    task="detect",
    method="yolo",
    minutes=45,
    figures=(Figure("ap50", "all", 0.78, 0.90),),
    rivals=("template", "clusters", "region_growing"),
    settings={"study.epochs": 40, "width": 12},
)
