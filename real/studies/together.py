"""PET, CT and T1 MR of one patient brought together again after their headers were disturbed.

Of each patient's three pairs (CT and PET, CT and MR, MR and PET) the second image's header is turned by up to 15
degrees about its centre, around an axis drawn at random, and shifted by up to 20 mm (pixels stay).
Error: mean distance of the eight corners of the tumour's box in the first image from where the undisturbed header says.
Settings (measure `mind`; SimpleITK's, below) were chosen on STS_002, STS_008, STS_019 and STS_024 of train and val. The
six others, two of test and four of train, were looked at twice: first without the last climb by squared differences of
descriptors (0.111 of `mind` against SimpleITK's 0.167), which was then added because it lay nearer on the four; and
here. A refusal counts as an error.

SimpleITK: Mattes mutual information, 32 bins, regular step gradient descent (scales from physical shift, at most 200
steps), shrunk by 4, 2 and 1 after smoothing by 4, 2 and 0 mm, by 50, 20 and 5 % of the pixels at random; begun at the
centres of the boxes and at the centres of mass, of which the better value counts. Both programs run in turn, one thread
each. All crops are centred on the tumour, so that to bring their centres together helps both.

The header is no perfect truth: PET, CT and MR were not taken in one sitting. Where the tumour's outlines in the two
headers lie apart, or both programs agree against the header, the error is the header's; those columns say how often.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.catalog import find
from isocenter.data import Case, Geometry, Image, NotEvaluated
from isocenter.io import read
from isocenter.metrics.resample import percentile_interval, weights
from isocenter.ops.array import Array
from isocenter.ops.motions import motion
from real.study import Study, cell, verdict
from real.table import show

DATA = "sts-pet-ct-mr"
PATIENTS = {"STS_015": "test", "STS_025": "train", "STS_032": "train", "STS_035": "train", "STS_041": "test",
            "STS_042": "train"}  # fmt: skip
PAIRS = (("CT", "PET"), ("CT", "MR_T1"), ("MR_T1", "PET"))
TURN, SHIFT, NEAR, TRIALS = 15.0, 20.0, 4.0, 1
OURS, RIVAL, PLAIN = "register/intensity, mind", "SimpleITK", "register/intensity, mutual"


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Every pair and disturbance by each program in turn."""
    methods: dict[str, Callable[[Case], Array | None]] = {
        OURS: _ours(measure="mind"), RIVAL: by_simpleitk, PLAIN: _ours(measure="mutual"),
    }  # fmt: skip
    found = []
    for patient, pair, number in product(PATIENTS, PAIRS, range(TRIALS)):
        case, true, corners, outlines = disturbed(data / DATA / patient, pair, seed=[seed, number, int(patient[-3:])])
        if not found:
            methods[OURS](case), methods[PLAIN](case)  # compiles what is compiled
        row: dict[str, Any] = {"patient": patient, "split": PATIENTS[patient], "pair": " and ".join(pair),
                               "seed": seed + number, "before": apart(np.eye(4), true, corners), "outlines": outlines}
        answers = {}
        # Whoever goes first finds the machine as the other left it.
        for name in list(methods)[:: 1 if len(found) % 2 else -1]:
            started = time.perf_counter()
            answers[name] = methods[name](case)
            row[f"{name}, s"] = time.perf_counter() - started
            row[name] = None if answers[name] is None else apart(answers[name], true, corners)
        first, second = answers[OURS], answers[RIVAL]
        row["programs"] = None if first is None or second is None else apart(first, second, corners)
        found.append(row)
        print("  ", row, flush=True)
    sets = {"all six": found, "test": [f for f in found if f["split"] == "test"]}
    sets |= {" and ".join(p): [f for f in found if f["pair"] == " and ".join(p)] for p in PAIRS}
    return {"trials": found, "sets": {name: told(rows, seed) for name, rows in sets.items()}}


def disturbed(folder: Path, pair: tuple[str, str], *, seed: list[int]) -> tuple[Case, Array, Array, float]:
    """The case, the matrix between the worlds, the corners (8, 3), and how far the outlines' centres lie apart."""
    fixed, moving = (read(folder / f"{name}_image.nii.gz").image() for name in pair)
    rng = np.random.default_rng([PAIRS.index(pair), *seed])
    axis, way = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    numbers = np.concatenate([way * rng.uniform(0, SHIFT), axis * np.radians(rng.uniform(0, TURN))])
    middle = moving.geometry.to_world((np.array(moving.geometry.shape)[None] - 1) / 2)[0]
    matrix, _ = motion("rigid", numbers, middle, 1.0)
    affine = matrix @ np.asarray(moving.geometry.affine)
    grid = Geometry(moving.geometry.shape, tuple(map(tuple, affine.tolist())))
    pixels = moving.pixels()
    other = Image.from_array(pixels, geometry=grid, modality=moving.modality)
    masks = [read(folder / f"{name}_mask.nii.gz").image() for name in pair]
    inside = [np.argwhere(m.pixels() > 0) for m in masks]
    centres = [m.geometry.to_world(i.mean(axis=0)[None]) for m, i in zip(masks, inside, strict=True)]
    ends = np.stack([inside[0].min(axis=0) - 0.5, inside[0].max(axis=0) + 0.5])
    box = np.array([[ends[k, a] for a, k in enumerate(which)] for which in product((0, 1), repeat=3)])
    case = Case(folder.name, {"fixed": fixed, "moving": other}, "fixed")
    return case, matrix, masks[0].geometry.to_world(box), float(np.linalg.norm(centres[0] - centres[1]))


def apart(found: Array, true: Array, corners: Array) -> float:
    """Mean distance in mm."""
    both = np.c_[corners, np.ones(len(corners))] @ (found - true).T
    return float(np.linalg.norm(both[:, :3], axis=1).mean())


def _ours(**settings: Any) -> Callable[[Case], Array | None]:
    method: Any = find("register", "intensity")(**settings)

    def answer(case: Case) -> Array | None:
        made = method.predict(case)
        return None if isinstance(made, NotEvaluated) else np.asarray(made.matrix)

    return answer


def by_simpleitk(case: Case) -> Array | None:
    """The matrix by SimpleITK's mutual information."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    fixed, moving = (_as_itk(case.images[role]) for role in ("fixed", "moving"))
    found = []
    for begun in (sitk.CenteredTransformInitializerFilter.GEOMETRY, sitk.CenteredTransformInitializerFilter.MOMENTS):
        start = sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), begun)
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(32)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentagePerLevel([0.5, 0.2, 0.05], 1)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=2.0, minStep=1e-3, numberOfIterations=200, relaxationFactor=0.6,
            gradientMagnitudeTolerance=1e-6,
        )  # fmt: skip
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2, 1])
        method.SetSmoothingSigmasPerLevel([4, 2, 0])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
        method.SetInitialTransform(start, inPlace=False)
        try:
            made = method.Execute(fixed, moving)
        except RuntimeError:  # the images do not meet
            continue
        found.append((method.GetMetricValue(), made))
    if not found:
        return None
    best = min(found, key=lambda f: f[0])[1]
    out = np.eye(4)
    out[:3, 3] = best.TransformPoint((0.0, 0.0, 0.0))
    for k in range(3):
        out[:3, k] = (np.array(best.TransformPoint(tuple(100.0 * np.eye(3)[k]))) - out[:3, 3]) / 100.0
    return out


def _as_itk(image: Image) -> Any:
    import SimpleITK as sitk

    out = sitk.GetImageFromArray(image.pixels().astype(np.float32))
    matrix = np.asarray(image.geometry.affine)
    spacing = np.asarray(image.geometry.spacing)[::-1]
    out.SetSpacing(spacing.tolist())
    out.SetOrigin(matrix[:3, 3].tolist())
    out.SetDirection((matrix[:3, :3][:, ::-1] / spacing).ravel().tolist())
    return out


def told(found: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Share nearer than 4 mm of each program and their difference with intervals by patient; medians; seconds."""
    names, index = np.unique([f["patient"] for f in found], return_inverse=True)
    drawn = np.concatenate(list(weights(index, 2000, seed)))
    near = {m: np.array([f[m] is not None and f[m] < NEAR for f in found], float) for m in (OURS, RIVAL, PLAIN)}

    def share(values: Array) -> dict[str, Any]:
        low, high = percentile_interval((drawn @ values) / drawn.sum(1), 0.95, len(names))
        return {"value": float(values.mean()), "low": low, "high": high, "n": len(values)}

    agreed = [f for f in found if f["programs"] is not None and f["programs"] < NEAR and f[OURS] >= NEAR]
    return {
        "n_patients": len(names),
        "near": {m: share(v) for m, v in near.items()},
        "more": share(near[OURS] - near[RIVAL]),
        "refused": {m: sum(f[m] is None for f in found) for m in near},
        "median": {m: float(np.median([f["before"] if f[m] is None else f[m] for f in found])) for m in near},
        "seconds": {m: float(np.median([f[f"{m}, s"] for f in found])) for m in near},
        "agreed_against_header": len(agreed), "outlines": float(np.median([f["outlines"] for f in found])),
    }  # fmt: skip


def lines(found: dict[str, Any]) -> list[str]:
    """Each program, each pair; the bar."""
    rows = [
        f"| {name}, {one['n_patients']} patients | {m} | {cell(one['near'][m])} | {show(one['median'][m])} | "
        f"{one['refused'][m]} | {one['seconds'][m]:.1f} |"
        for name, one in found["sets"].items() for m in one["near"]
    ]  # fmt: skip
    whole = found["sets"]["all six"]
    doubt = [
        f"| {name} | {one['agreed_against_header']} of {one['more']['n']} | {show(one['outlines'])} |"
        for name, one in found["sets"].items()
    ]
    return [
        "| pairs | program | share nearer than 4 mm | median error, mm | refused | median seconds |",
        "|---|---|---|---|---|---|", *rows, "",
        "| pairs | both programs within 4 mm of each other and ours 4 mm or more from the header | median distance of "
        "the tumour's centres in the two headers, mm |", "|---|---|---|", *doubt, "",
        "| figure | | must | |", "|---|---|---|---|",
        f"| share of `register/intensity` with `mind` less SimpleITK's | {cell(whole['more'])} | at least 0.05 | "
        f"{verdict(whole['more']['value'] >= 0.05)} |",
        f"| its share nearer than 4 mm | {show(whole['near'][OURS]['value'])} | aim 0.98 | "
        f"{verdict(whole['near'][OURS]['value'] >= 0.98)} |",
    ]  # fmt: skip


STUDY = Study("together", "PET, CT and MR brought together", DATA, run, lines)
