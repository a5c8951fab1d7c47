"""Breast lesions on ultrasound, 96 x 96 pixels (BUSI without near-copies): malignant against the rest.

Three classes are learnt; figures and names are those of malignant against benign and normal together.
"""

from real.row import Candidate, Figure, Row

HOW = {"study.epochs": 30, "study.augment.spatial.flip": ["x"]}

ROW = Row(
    name="breast_malignant",
    data="breast-us-busi",
    task="classify",
    method="cnn",
    minutes=15,
    figures=(Figure("auc", "malignant", 0.86, 0.91),),
    rivals=("linear", "boosting", "mlp"),
    reader="breast_small",
    candidates=(
        Candidate("cnn", {**HOW, "network": "small"}, name="small"),
        Candidate("cnn", {**HOW, "network": "resnet18", "width": 32}, name="resnet18"),
        Candidate("cnn", {**HOW, "network": "densenet121"}, name="densenet121"),
    ),
)
