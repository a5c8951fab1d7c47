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
    settings={
        "study.epochs": 16,
        "study.batch_size": 8,
        "fcn.before.coarser": 4.0,
        "unet.before.coarser": 4.0,
        "deeplab.before.coarser": 4.0,
    },
    note="The networks learn 16 epochs on a quarter of the grid each; docs/results.md has the longer training.",
)  # fmt: skip
