"""Soft-tissue sarcoma on FDG-PET (34 patients): the tumour's volume, in five folds by patient.

The crops are centred on the tumour, so position alone says much.
"""

from real.row import Figure, Row

ROW = Row(
    name="sarcoma",
    data="sts-pet-ct-mr",
    task="segment",
    method="unet",
    minutes=60,
    figures=(Figure("dice", "tumour", None, 0.70),),
    settings={"study.epochs": 14},
    rivals=("threshold",),
    reader="pet",
    folds=5,
)
