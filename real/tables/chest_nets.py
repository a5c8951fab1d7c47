"""Eight ways to tell pneumonia on chest X-rays, from a logistic regression to a DenseNet."""

from real.comparison import Table

NETS = ("textbook", "alexnet", "vgg16", "googlenet", "resnet18", "densenet121")

TABLE = Table(
    name="chest_nets",
    data="chest-xray-pneumonia",
    task="classify",
    methods=(*(f"{name}=cnn" for name in NETS), "linear", "mlp"),
    metric="auc",
    target="pneumonia",
    settings={
        **{f"{name}.network": name for name in NETS},
        **{f"{name}.study.epochs": 12 for name in NETS},
        **{f"{name}.before.coarser": 2.0 for name in NETS},
        **{f"{name}.before.intensity": "percentile" for name in NETS},
        "vgg16.width": 32,
    },
    note="Every network learns 12 passes on half the grid; VGG-16 at half its width. Patients have several images: "
    "DeLong's test sums them.",
)
