"""Classical methods, networks and a second observer on the vessels of the retina."""

from real.comparison import Table

TABLE = Table(
    name="retina",
    data="retina-chase-db1",
    task="segment",
    methods=(
        "edges", "morphology", "histogram", "region_growing", "graph_cut", "genetic", "watershed",
        "fcn", "unet", "deeplab", "given",
    ),
    metric="dice",
    target="vessel",
    settings={"study.epochs": 12, "given.column": "mask_second_observer"},
    note="`given` is the second observer. The networks learn 12 epochs each; docs/results.md has the longer training.",
)  # fmt: skip
