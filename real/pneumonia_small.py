"""Pneumonia on paediatric chest X-rays by a network small enough to be shipped: `chest-pneumonia`."""

from real.row import Figure, Row

ROW = Row(
    name="pneumonia_small",
    data="chest-xray-pneumonia",
    task="classify",
    method="cnn",
    minutes=15,
    figures=(Figure("auc", "pneumonia"), Figure("balanced_accuracy", "all")),
    rivals=("linear",),
    settings={
        "network": "resnet18", "width": 12, "before.intensity": "percentile", "before.coarser": 2.0, "study.epochs": 20,
    },
)  # fmt: skip
