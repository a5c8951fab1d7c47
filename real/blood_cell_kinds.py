"""Red cells, white cells and platelets, each cut out along its box (BCCD): ten red cells for one of the others.

Cells of one image stay on one side of the split; patients are not known.
"""

from real.row import Figure, Row

ROW = Row(
    name="blood_cell_kinds",
    data="blood-cells-bccd",
    task="classify",
    method="cnn",
    minutes=15,
    figures=(Figure("balanced_accuracy", "all"),),
    settings={"study.epochs": 6},
    rivals=("linear",),
    reader="cell_crops",
)
