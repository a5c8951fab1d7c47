"""From a table of images and masks to methods that learn from features, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import isocenter as iso
from isocenter.errors import InputError, NotFoundError


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 cases, an image and a mask each: discs and bars of one brightness in noise."""
    folder = tmp_path_factory.mktemp("regions")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :40] - 20
    rows = ["image,kind,case,label,split"]
    for i in range(24):
        mask = (y**2 + x**2 <= 64) if i % 2 else (np.abs(y) <= 2) & (np.abs(x) <= 16)
        mask = np.roll(mask, rng.integers(-3, 4, 2), (0, 1))
        picture = np.clip(rng.normal(100, 20, mask.shape) + 10 * mask, 0, 255)
        for kind, array in (("image", picture), ("mask", 255 * mask)):
            Pillow.fromarray(array.astype(np.uint8)).save(folder / f"{kind}{i}.png")
            split = "train" if i < 14 else "val" if i < 20 else "test"
            rows.append(f"{kind}{i}.png,{kind},c{i},{'disc' if i % 2 else 'bar'},{split}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    truth = {"classify": {"column": "label", "positive": "disc"}}
    about = {"format": 1, "table": "manifest.csv", "case": "case", "role": "kind", "truth": truth}
    (folder / "cases.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


@pytest.mark.parametrize("method", ["linear", "boosting", "mlp"])
def test_the_shape_of_a_region_is_learnt_kept_and_asked(regions: Path, tmp_path: Path, method: str) -> None:
    settings = {"features": "radiomics", "region": "mask"}
    made = iso.train("classify", regions, method=method, settings=settings, role="image", out=tmp_path / "b")
    assert made.bundle is not None
    seen = iso.evaluate(tmp_path / "b", regions, split="test", role="image")
    assert next(iter(seen.metrics["auc"].values())).value == 1.0
    loaded = iso.load(tmp_path / "b")
    images = {kind: iso.read(regions / f"{kind}21.png").image() for kind in ("image", "mask")}
    asked = iso.Case("new", images)
    assert loaded.predict(asked).label == "disc"
    with pytest.raises(NotFoundError, match="mask"):
        loaded.predict(iso.Case("new", {"image": images["image"], "CT": images["image"]}))
    small = iso.Image.from_array(np.ones((4, 4)))
    with pytest.raises(InputError, match="another grid"):
        loaded.predict(iso.Case("new", {"image": images["image"], "mask": small}))


def test_they_stand_in_one_table(discs_folder: Path) -> None:
    made = iso.compare("classify", discs_folder, methods=["linear", "boosting", "mlp", "voxels"])
    text = "\n".join(made.lines())
    assert all(name in text for name in ("linear", "boosting", "mlp", "voxels"))
