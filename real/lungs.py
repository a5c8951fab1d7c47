"""Lungs on chest X-rays of COVID-19 patients (22 / 4 / 8 patients)."""

from real.row import Figure, Row

ROW = Row(
    name="lungs",
    data="chest-xray-lungs",
    task="segment",
    method="unet",
    minutes=15,
    figures=(Figure("dice", "lung", 0.945, 0.96),),
    settings={"study.epochs": 14},
    rivals=("histogram", "morphology"),
)
