"""Soft-tissue sarcoma on FDG-PET (34 patients): boxes of the tumour masks, in five folds by patient.

The crops are centred on the tumour, so position alone says much.
"""

from real.row import Figure, Row

ROW = Row(
    name="sarcoma_boxes",
    data="sts-pet-ct-mr",
    task="detect",
    method="retinanet",
    minutes=60,
    figures=(Figure("sensitivity_at_1", "tumour"), Figure("ap50", "tumour")),
    settings={"study.epochs": 12},
    rivals=("region_growing",),
    reader="pet_boxes",
    folds=5,
)
