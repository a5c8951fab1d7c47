"""Breast lesions on ultrasound (BUSI without near-copies) from few labels, with and without pre-training."""

from real.curve import Curve

CURVE = Curve(
    name="breast_labels",
    data="breast-us-busi",
    task="segment",
    method="unet",
    settings={"width": 12, "study.epochs": 10, "study.steps": 50, "study.batch_size": 4},
    pretraining={"form.pretraining.epochs": 24, "form.pretraining.steps": 50},
    labels=(5, 10, 20),
    metric="dice",
    target="lesion",
)
