"""How many red cells a picture of a blood smear shows, without finding one: a number from the whole picture."""

from real.comparison import Table

TABLE = Table(
    name="blood_cell_counts",
    data="blood-cells-bccd",
    task="regress",
    methods=("mean", "linear", "cnn"),
    metric="mae",
    target="n_rbc",
    settings={"cnn.before.coarser": 4.0, "cnn.study.epochs": 25},
    note="Red cells a picture (n_rbc: boxes drawn by people), from the whole picture; patients are not known. `mean` "
    "answers the mean of train whatever it is shown.",
    column="n_rbc",
)
