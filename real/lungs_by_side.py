"""Left and right lung as two targets on chest X-rays of COVID-19 patients (22 / 4 / 8 patients)."""

from real.row import Figure, Row

ROW = Row(
    name="lungs_by_side",
    data="chest-xray-lungs",
    task="segment",
    method="unet",
    minutes=15,
    figures=(Figure("dice", "left_lung"), Figure("dice", "right_lung")),
    # Narrow, so that the bundle that is shipped stays small.
    settings={"study.epochs": 24, "depth": 4, "width": 8},
    rivals=("histogram", "morphology"),
    reader="lungs_by_side",
)
