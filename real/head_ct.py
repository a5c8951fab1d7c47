"""Head CT against five other kinds of pictures, 64 x 64 pixels (Medical MNIST).

Too easy to boast of: patients are not known, and slices of one surely lie on both sides of the split.
"""

from real.row import Figure, Row

ROW = Row(
    name="head_ct",
    data="modality-mednist",
    task="classify",
    method="cnn",
    minutes=15,
    figures=(Figure("balanced_accuracy", "all"),),
    settings={"study.epochs": 6},
    rivals=("linear",),
    reader="head_ct",
)
