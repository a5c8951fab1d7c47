"""Breast lesions on ultrasound (BUSI without near-copies), found without any label."""

from real.row import Figure, Row

ROW = Row(
    name="breast_unlabelled",
    data="breast-us-busi",
    task="segment",
    method="unlabelled",
    minutes=0,
    figures=(Figure("dice", "lesion", 0.40, 0.55),),
    rivals=("histogram", "morphology"),
)
