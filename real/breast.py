"""Breast lesions on ultrasound (BUSI without near-copies)."""

from real.row import Figure, Row

ROW = Row(
    name="breast",
    data="breast-us-busi",
    task="segment",
    method="unet",
    minutes=30,
    figures=(Figure("dice", "lesion", 0.67, 0.77),),
    rivals=("histogram", "morphology", "watershed"),
)
