"""Classical methods and networks on the left ventricle in cine MR."""

from real.comparison import Table

TABLE = Table(
    name="heart",
    data="cardiac-mr-sunnybrook",
    task="segment",
    methods=(
        "edges", "morphology", "histogram", "region_growing", "graph_cut", "genetic", "watershed",
        "fcn", "unet", "deeplab",
    ),
    metric="dice",
    target="left_ventricle",
    settings={
        "study.epochs": 15,
        "study.batch_size": 8,
        "fcn.before.coarser": 2.0,
        "unet.before.coarser": 2.0,
        "deeplab.before.coarser": 2.0,
        "study.augment.spatial.rotation": [-180, 180],
        "study.augment.spatial.flip": ["y", "x"],
    },
    note="The networks learn 15 epochs on half the grid each; docs/results.md has the longer training.",
)  # fmt: skip
