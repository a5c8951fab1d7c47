"""Breast lesions on ultrasound (BUSI without near-copies): three U-Nets of three folds, and the method without labels.

Chosen by cross-validation over train and val (54 lesions on half the grid): Dice 0.69 and 0.70 by one U-Net, 0.72 by
`unlabelled`, 0.74 by the mean of two U-Nets and it.
"""

from real.row import Figure, Row

UNET = {
    "use": "segment/unet",
    "before": {"coarser": 4.0},
    "study": {"epochs": 16, "batch_size": 8, "augment": {"spatial": {"flip": ["x"]}}},
}

ROW = Row(
    name="breast_ensemble",
    data="breast-us-busi",
    task="segment",
    method="ensemble",
    minutes=30,
    figures=(Figure("dice", "lesion", 0.67, 0.77),),
    settings={"members": [UNET, {"use": "segment/unlabelled", "name": "lesion"}], "folds": 3},
    rivals=("histogram", "morphology", "watershed"),
)
