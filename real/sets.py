"""Sets whose cases a row reads in its own way, through the public interface."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from isocenter.data import IGNORE, Boxes, Case, Cases, Entry, Image, Segmentation
from isocenter.inspect import divide
from isocenter.layouts import read
from isocenter.ops.components import parts
from isocenter.ops.resample import resize
from isocenter.ops.uptake import SHARE, metabolic

SIDES = ("right_lung", "left_lung")


def lungs_by_side(folder: Path) -> Cases:
    """Chest X-rays whose lung mask is told apart by its two largest parts.

    The picture shows the patient from the front: the lung on its left side is the patient's right one.
    """
    whole = read(folder, task="segment")
    entries = tuple(replace(e, open=partial(_sided, e)) for e in whole.entries)
    return replace(whole, entries=entries, name=f"{whole.name}-sides", classes=SIDES, codes={})


def _sided(entry: Entry) -> Case:
    case = entry.open()
    return replace(case, load_truth=partial(_sides, case))


def _sides(case: Case) -> Segmentation:
    truth = case.truth()
    assert isinstance(truth, Segmentation)
    numbered, sizes = parts(truth.labels == 1)
    two = np.argsort(-sizes, kind="stable")[:2]
    middles = [np.argwhere(numbered == i)[:, -1].mean() for i in two]
    labels = np.where(truth.labels == IGNORE, np.uint8(IGNORE), np.uint8(0))
    for side, i in enumerate(two[np.argsort(middles)], start=1):
        labels[numbered == i] = side
    return Segmentation(labels, ("background", *SIDES), truth.geometry)


def pet(folder: Path, *, task: str) -> Cases:
    """The PET crops of a set that holds CT and MR as well."""
    whole = read(folder, task=task)
    cases = whole.subset([i for i, e in enumerate(whole.entries) if e.rows[0]["modality"] == "PET"])
    return replace(cases, name=f"{whole.name}-pet")


def breast_small(folder: Path) -> Cases:
    """The 614 ultrasound images of 96 x 96 pixels, near-copies held together by the set's own groups."""
    with np.load(folder / "classify-96.npz", allow_pickle=False) as held:
        part = {name: held[name] for name in ("images", "labels", "split", "subject", "label_names")}
    labels = [str(part["label_names"][i]) for i in part["labels"]]
    cases = Cases.from_arrays(
        part["images"], labels, task="classify", splits=[str(s) for s in part["split"]],
        subjects=[str(s) for s in part["subject"]],
    )  # fmt: skip
    return replace(cases, name=f"{folder.name}-96", positive="malignant")


def head_ct(folder: Path) -> Cases:
    """Head CT against the five other kinds of pictures."""
    whole = read(folder, task="classify")
    labels = ["HeadCT" if "HeadCT" in e.labels else "other" for e in whole.entries]
    cases = Cases.from_arrays(
        [case.image() for case in whole], labels, task="classify", splits=[e.split for e in whole.entries]
    )
    return replace(cases, name=f"{whole.name}-head-ct", positive="HeadCT")


def cell_crops(folder: Path, *, side: int = 64) -> Cases:
    """Every boxed blood cell as a square picture, a tenth wider than its box; subjects are the images they are from."""
    whole = read(folder, task="detect")
    pictures, labels, subjects, splits = [], [], [], []
    for entry in whole.entries:
        case = entry.open()
        array, truth = case.image().channels_first(), case.truth()
        assert isinstance(truth, Boxes)
        grid = np.asarray(array.shape[1:])
        for edges, label in zip(truth.edges, truth.labels, strict=True):
            middle, half = edges.mean(0), 0.55 * float(np.diff(edges, axis=0).max())
            low, high = np.maximum(np.rint(middle - half), 0).astype(int), np.rint(middle + half).astype(int) + 1
            low, high = np.minimum(low, grid - 2), np.minimum(high, grid)
            cut = resize(array[:, low[0] : high[0], low[1] : high[1]], (side, side))
            pictures.append(Image.from_array(np.rint(cut).astype(np.uint8), axes="cyx"))
            labels.append(truth.classes[label])
            subjects.append(entry.subject or entry.id)
            splits.append(entry.split)
    cases = Cases.from_arrays(pictures, labels, task="classify", splits=splits, subjects=subjects)
    return replace(cases, name=f"{whole.name}-crops")


def adrenal(folder: Path) -> Cases:
    """Shapes of the adrenal gland; the set's own val, scored once, stands as test, and val is cut from train."""
    whole = read(folder, task="classify")
    inner = divide(whole.split("train"), test=0.0, val=0.15, seed=0)
    side = {e.id: e.split for e in inner.entries}
    return whole.with_splits([side.get(e.id, "test") for e in whole.entries])


def sarcoma_metastasis(folder: Path) -> Cases:
    """Metastasis to the lung from PET, CT and MR, with read-outs of the tumour on PET as facts, the volume at 41 %."""
    whole, masks = read(folder, task="classify"), read(folder, task="segment")
    tumours = {e.id: e for e in masks.entries}
    entries = tuple(replace(e, open=partial(_read_out, e, tumours[e.id])) for e in whole.entries)
    return replace(whole, entries=entries, name=f"{whole.name}-metastasis")


def _read_out(entry: Entry, tumour: Entry) -> Case:
    case, truth = entry.open(), tumour.open().truth()
    assert isinstance(truth, Segmentation)
    image = case.image("PET")
    values = image.pixels()[truth.labels == 1]
    spacing = image.geometry.spacing
    assert spacing is not None
    volume, glycolysis = metabolic(values, float(np.prod(spacing)) / 1000, limit=SHARE * float(values.max()))
    facts = {"suv_max": float(values.max()), "suv_mean": float(values.mean()), "mtv_ml": volume, "tlg": glycolysis}
    return replace(case, facts=facts)


READERS = {
    "sarcoma_metastasis": sarcoma_metastasis,
    "adrenal": adrenal,
    "head_ct": head_ct,
    "cell_crops": cell_crops,
    "breast_small": breast_small,
    "lungs_by_side": lungs_by_side,
    "pet": partial(pet, task="segment"),
    "pet_boxes": partial(pet, task="detect"),
}
