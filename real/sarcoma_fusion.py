"""Soft-tissue sarcoma (34 patients, 10 with metastasis to the lung): fusion of PET, CT, MR and read-outs of PET.

Ten patients have all three images, of whom one has a metastasis; 24 have PET alone, of whom nine: which images there
are says much by itself, and `presence` sees nothing else. The tumour's SUVmax as it is, without learning, ranks at AUC
0.79. PET is required: CT alone or MR alone is not evaluated. Ten events give wide intervals.
"""

from real.row import Candidate, Figure, Row

HOW = {"branch.size": 16, "learning.epochs": 30, "required": ["PET"]}

ROW = Row(
    name="sarcoma_fusion",
    data="sts-pet-ct-mr",
    task="classify",
    method="fusion",
    minutes=15,
    figures=(Figure("auc", "1"),),
    settings=HOW,
    rivals=(),
    reader="sarcoma_metastasis",
    folds=5,
    inner=3,
    beside=(
        Candidate("fusion", {"only": ["suv_max"]}, name="suv_max"),
        Candidate("fusion", {**HOW, "only": ["PET"]}, name="pet"),
        Candidate("fusion", {"only": ["facts"]}, name="read_outs"),
        Candidate("fusion", {"sees": "presence"}, name="presence"),
    ),
)
