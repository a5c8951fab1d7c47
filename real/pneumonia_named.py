"""Pneumonia on paediatric chest X-rays; the source's test folder is shifted: the network that val names.

Val does not see the shift. What does is a division of train by the kind of file: learning from one kind of normals and
the bacterial cases, with the other normals and the viral cases held out (460 images), DenseNet-121 on half the grid for
12 epochs has AUC 0.968 and balanced accuracy 0.882; with intensities by percentile 0.972 and 0.905; with strong
augmentation 0.933 and 0.873, and mixup beside it 0.944 and 0.873. ResNet-18 on the whole grid with percentiles has
0.976 and 0.865.
"""

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
