"""Pneumonia on paediatric chest X-rays; the source's test folder is shifted (1000 / 200 / 286 images)."""

from real.row import Figure, Row

ROW = Row(
    name="pneumonia",
    data="chest-xray-pneumonia",
    task="classify",
    method="cnn",
    minutes=15,
    figures=(Figure("auc", "pneumonia", 0.955, 0.98),),
    settings={"study.epochs": 10},
    rivals=("linear",),
)
