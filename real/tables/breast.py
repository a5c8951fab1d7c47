"""Classical methods and networks on breast ultrasound."""

from real.comparison import Table

TABLE = Table(
    name="breast",
    data="breast-us-busi",
    task="segment",
    methods=(
        "edges", "morphology", "histogram", "region_growing", "graph_cut", "genetic", "watershed", "unlabelled",
        "fcn", "unet", "deeplab",
    ),
    metric="dice",
    target="lesion",
    settings={"study.epochs": 20},
    note="The networks learn 20 epochs each; docs/results.md has the longer training.",
)  # fmt: skip
