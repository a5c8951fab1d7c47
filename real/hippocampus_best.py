"""Anterior and posterior hippocampus on T1 crops: the best on val of a U-Net, a cascade, and both together."""

from real.row import Candidate, Figure, Row

ROW = Row(
    name="hippocampus_best",
    data="msd-hippocampus",
    task="segment",
    method="best of val",
    minutes=60,
    figures=(Figure("dice", "anterior", 0.888, 0.90), Figure("dice", "posterior", 0.875, 0.89)),
    rivals=("histogram", "morphology"),
    candidates=(
        Candidate("unet", {"study.epochs": 30}),
        Candidate("cascade", {"coarse.study.epochs": 6, "fine.study.epochs": 24}),
        Candidate("ensemble", joins=True),
    ),
)
