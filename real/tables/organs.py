"""Every classical method on a small body CT and a small body MR."""

from real.comparison import Table

TABLE = Table(
    name="organs",
    data="ct-abdomen-organs",
    task="segment",
    methods=(
        "threshold", "edges", "morphology", "histogram", "watershed", "region_growing", "level_set", "graph_cut",
        "greedy", "genetic", "unlabelled",
    ),
    metric="dice",
    target="foreground",
    split="demo",
    note="Silver labels: the organs were drawn by another network, not by a person; nothing can be learnt. The "
    "table shows that every method runs on CT and MR volumes, and what it costs; the Dice with the union of all organs "
    "says little.",
)  # fmt: skip
