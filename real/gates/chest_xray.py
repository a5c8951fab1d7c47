"""The gate of the classifier of paediatric chest X-rays: every other kind of image, photographs, noise."""

from real.gate import Gate

GATE = Gate(
    name="chest_xray",
    row="pneumonia_named",
    data="chest-xray-pneumonia",
    task="classify",
    others=(
        "blood-cells-bccd", "breast-us-busi", "cardiac-mr-sunnybrook", "cells-tracking-cellphe", "ct-abdomen-organs",
        "denoise-fmd", "lung-us-pocus", "msd-hippocampus", "nuclei-dsb2018", "registration-2d", "retina-chase-db1",
        "spinal-cord-sct", "sts-pet-ct-mr", "modality-mednist/images/HeadCT", "modality-mednist/images/BreastMRI",
        "modality-mednist/images/Hand", "modality-mednist/images/ChestCT",
    ),
)  # fmt: skip
