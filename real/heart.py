"""Left ventricle on cine MR (Sunnybrook, 16 patients): area of the blood pool."""

from real.row import Figure, Row

ROW = Row(
    name="heart",
    data="cardiac-mr-sunnybrook",
    task="segment",
    method="unet",
    minutes=15,
    figures=(Figure("dice", "left_ventricle", 0.78, 0.92),),
    rivals=("histogram", "morphology"),
    # The slices of one patient lie turned or mirrored against those of another, and their brightness differs widely.
    settings={
        "study.epochs": 40,
        "study.augment.spatial.rotation": [-180, 180],
        "study.augment.spatial.flip": ["y", "x"],
        "before.intensity": "percentile",
    },
)
