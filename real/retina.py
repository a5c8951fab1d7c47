"""Retinal vessels (CHASE_DB1, first ten children: 7 / 1 / 2), beside the second observer on the same images."""

from real.row import Figure, Row

ROW = Row(
    name="retina",
    data="retina-chase-db1",
    task="segment",
    method="unet",
    minutes=20,
    figures=(Figure("dice", "vessel", 0.77, 0.82),),
    rivals=("histogram", "morphology"),
    settings={"depth": 3, "study.epochs": 34, "after.mirror": ["x"]},
    given="mask_second_observer",
)
