"""Pneumonia on paediatric chest X-rays; the source's test folder is shifted: the network that val names."""

from real.row import Candidate, Figure, Row

HALF = {"before.coarser": 2.0, "study.epochs": 20}

ROW = Row(
    name="pneumonia_named",
    data="chest-xray-pneumonia",
    task="classify",
    method="cnn",
    minutes=15,
    figures=(Figure("auc", "pneumonia", 0.965, 0.985), Figure("balanced_accuracy", "all", 0.85, 0.93)),
    rivals=("linear", "boosting", "mlp"),
    candidates=(
        Candidate("cnn", {**HALF, "network": "densenet121"}, name="densenet121"),
        Candidate("cnn", {**HALF, "network": "resnet18"}, name="resnet18"),
        Candidate("cnn", {"network": "resnet18", "study.epochs": 8}, name="resnet18-224"),
    ),
)
