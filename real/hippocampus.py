"""Anterior and posterior hippocampus on T1 crops (Decathlon Task04, cleaned copy; 160 / 20 / 20 volumes)."""

from real.row import Figure, Row

ROW = Row(
    name="hippocampus",
    data="msd-hippocampus",
    task="segment",
    method="unet",
    minutes=30,
    figures=(Figure("dice", "anterior", 0.885, 0.90), Figure("dice", "posterior", 0.875, 0.89)),
    settings={"study.epochs": 30},
    rivals=("histogram", "morphology"),
)
