"""Anterior and posterior hippocampus on T1 crops: the best on val of a U-Net, a cascade, and three U-Nets together.

At the first look the ensemble was the U-Net and the cascade: 0.879 on val, where the U-Net alone had 0.880 and the
cascade 0.876. Half as many epochs with mirrored samples and answers gave 0.870.
"""

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
        Candidate("ensemble", {"seeds": 3, "unet.study.epochs": 30}),
    ),
)
