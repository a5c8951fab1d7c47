"""From normal images alone to a bundle that finds others, shows where, and begins a classifier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.verbs._pictures import samples_of

pytest.importorskip("torch")

QUICK = {"study.epochs": 4, "study.steps": 10, "study.batch_size": 8, "width": 4}


@pytest.fixture(scope="module")
def rings() -> Cases:
    """Rings; every third image has a bright patch beside its ring."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:24, :24] - 11.5
    images, labels = [], []
    for i in range(54):
        radius = np.hypot(y - rng.normal(0, 1), x - rng.normal(0, 1))
        image = 80.0 * ((radius > 5) & (radius < 9)) + rng.normal(0, 4, y.shape) + 20
        if i % 3 == 0:
            image[9:14, 9:14] += 110
        images.append(np.clip(image, 0, 255).astype(np.uint8))
        labels.append("lesion" if i % 3 == 0 else "normal")
    return Cases.from_arrays(images, labels, splits=["train"] * 30 + ["val"] * 12 + ["test"] * 12)


def test_it_is_trained_scored_explained_and_taken_further(rings: Cases, tmp_path: Path) -> None:
    bundle = tmp_path / "normal.bundle"
    settings = {**QUICK, "code": 8, "study.learning_rate": 0.01}
    made = iso.train("classify", rings, method="autoencoder", settings=settings, out=bundle, threads=1)
    assert (tmp_path / "normal.report" / "report.html").is_file()
    # The page shows what was learnt from: no lesion is among it, and no image has a class for its name.
    drawn = samples_of(made.method, rings, seed=0)
    assert len(drawn) == 16 and {p.text for p in drawn} == {""}
    scores = iso.evaluate(bundle, rings, split="test", threads=1)
    assert scores.metrics["auc"]["all"].value > 0.8
    found = iso.explain(bundle, rings[42], method="reconstruction", checks=False, threads=1).found
    assert found.target == "lesion" and found.values[9:14, 9:14].mean() > 2 * found.values.mean()
    further = {**QUICK, "network": "small", "form.weights": str(bundle)}
    classifier = iso.train("classify", rings, method="cnn", settings=further, threads=1)
    assert "sha256" in classifier.method.object.about["origins"]["network.weights"]
