"""Simulated runs: every number in them follows from seeded arrays, none from a patient."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import CaseScore, Geometry, NotEvaluated, Probabilities, Problem, Scores, Segmentation, Task
from isocenter.metrics import compare, records, summarise
from isocenter.report import Curves, Data, Explanation, MethodResult, Picture, Run, extremes
from isocenter.report.paper_story import Story

SEGMENT = Task("segment", "Segmentation", ("image",), ("dice", "jaccard", "recall", "hd95", "false_volume"), "")
CLASSIFY = Task(
    "classify", "Probabilities", ("image",), ("auc", "accuracy", "sensitivity", "specificity", "brier", "ece"), ""
)
NAMES = ("background", "kidney", "tumour")
SPACING = (0.9, 0.7)
KEY = b"a key for tests, and only for tests"


def phantom(rng: np.random.Generator, size: int = 112) -> tuple[np.ndarray, np.ndarray]:
    """A noisy image and its truth: an ellipse with a bright disc in it."""
    y, x = np.mgrid[:size, :size].astype(float)
    cy, cx = size / 2 + rng.normal(0, 4, 2)
    angle, a, b = rng.uniform(0, np.pi), rng.uniform(24, 34), rng.uniform(14, 20)
    u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    wobble = 1 + 0.08 * np.sin(3 * np.arctan2(v, u) + rng.uniform(0, 6))
    organ = (u / a) ** 2 + (v / b) ** 2 < wobble
    shift = rng.uniform(-0.4, 0.4) * a
    lesion = ((u - shift) ** 2 + v**2 < rng.uniform(5, 9) ** 2) & organ
    truth = organ.astype(np.uint8) + lesion
    texture = ndimage.gaussian_filter(rng.normal(0, 1, (size, size)), 6) * 4
    image = 60 + 48 * organ + 40 * lesion + 24 * texture + rng.normal(0, 9, (size, size))
    body = ((x - size / 2) / (size * 0.47)) ** 2 + ((y - size / 2) / (size * 0.42)) ** 2 < 1
    return np.where(body, image, rng.normal(0, 3, image.shape)), truth


def unet_like(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The truth with a soft wrong rim; now and then a piece is missing."""
    noise = ndimage.gaussian_filter(rng.normal(0, 1, truth.shape), 4) * rng.choice(
        [12.0, 18.0, 32.0], p=[0.7, 0.24, 0.06]
    )
    soft = [ndimage.gaussian_filter((truth >= k).astype(float), 1.2) for k in (1, 2)]
    organ, lesion = (s + 0.1 * noise > 0.5 for s in soft)
    return (organ.astype(np.uint8) + (lesion & organ)).astype(np.uint8)


def threshold_like(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two thresholds on the smoothed image."""
    smooth = ndimage.gaussian_filter(image, 1.5)
    return ((smooth > 90).astype(np.uint8) + (smooth > 132)).astype(np.uint8)


@cache
def segment_cases(n: int, names: tuple[str, ...], surname: str) -> tuple[dict[str, Scores], dict[str, dict[str, Any]]]:
    """Scores of three methods and the arrays of every case."""
    rng = np.random.default_rng(7)
    geometry = Geometry.from_spacing((112, 112), SPACING)
    scored: dict[str, list[CaseScore]] = {"unet": [], "morphology": [], "histogram": []}
    arrays: dict[str, dict[str, Any]] = {}
    for i in range(n):
        case, group = f"{surname}_{i:03d}", f"{surname}^{i // 2 if i < 8 else i}"
        image, truth = phantom(rng)
        rough = threshold_like(image, rng)
        opened = ndimage.binary_opening(rough > 0, iterations=3)
        smooth = np.where(ndimage.binary_fill_holes(opened), np.maximum(rough, 1), 0).astype(np.uint8)
        answers = {"unet": unet_like(truth, rng), "morphology": smooth, "histogram": rough}
        arrays[case] = {"image": image, "truth": truth, **answers}
        for method, labels in answers.items():
            silent = method == "histogram" and i == 5
            finding = NotEvaluated("the histogram has one peak") if silent else Segmentation(labels, names, geometry)
            record = records(SEGMENT, finding, Segmentation(truth, names, geometry))
            scored[method].append(CaseScore(case, group, record, finding.line() if silent else ""))
    return {m: summarise(SEGMENT, s, method=m, split="test", resamples=300) for m, s in scored.items()}, arrays


def segment_run(n: int = 24, names: tuple[str, ...] = NAMES, surname: str = "Quastenberg", **fields: Any) -> Run:
    """A comparison of three methods on simulated kidneys."""
    scores, arrays = segment_cases(n, names, surname)
    methods = []
    for method, s in scores.items():
        drawn = []
        for rank, case in extremes(s).items():
            a = arrays[case]
            value = dict(zip([c.case for c in s.cases], s.cases, strict=True))[case].records["dice"]["values"]
            text = ", ".join(f"{k} {v:.3f}" for k, v in value.items())
            silent = bool(next(c.note for c in s.cases if c.case == case))
            drawn.append(
                Picture(
                    a["image"],
                    a["truth"],
                    None if silent else a[method],
                    names,
                    SPACING,
                    case,
                    rank,
                    "not evaluated" if silent else f"Dice: {text}",
                )
            )
        learned = method == "unet"
        history = (
            [
                {
                    "epoch": e,
                    "loss": 0.9 * np.exp(-e / 9) + 0.12 + 0.02 * np.sin(e * 2.1),
                    "score": 0.95 - 0.7 * np.exp(-e / 7) - 0.008 * np.cos(e),
                }
                for e in range(1, 41)
            ]
            if learned
            else []
        )
        methods.append(
            MethodResult(
                method,
                s,
                pictures=tuple(drawn),
                history=history,
                training_seconds=512.0 if learned else None,
                training_mb=2210.0 if learned else None,
                decided="kept epoch 31, chosen on val" if learned else "threshold learnt from train",
                plan={
                    "network": "unet",
                    "study": {"patch": [112, 112], "epochs": 40, "learning_rate": 0.001, "batch_size": 8},
                    "before": {"spacing": [0.9, 0.7], "intensity": "standardise"},
                    "after": {"largest": True},
                }
                if learned
                else {},
                origins={
                    "network": "class default",
                    "study.patch": "plan",
                    "study.epochs": "--set",
                    "study.learning_rate": "class default",
                    "study.batch_size": "class default",
                    "before.spacing": "plan",
                    "before.intensity": "plan",
                    "after.largest": "class default",
                }
                if learned
                else {},
            )
        )
    rng = np.random.default_rng(3)
    samples = []
    for a in list(arrays.values())[:16]:
        k = rng.uniform(-25, 25)
        turned = ndimage.rotate(a["image"], k, reshape=False, order=1, mode="nearest") * rng.uniform(0.8, 1.2)
        samples.append(
            Picture(
                turned,
                ndimage.rotate(a["truth"], k, reshape=False, order=0),
                None,
                names,
                SPACING,
                text=f"rotated {k:.0f}°",
            )
        )
    first = next(iter(arrays))
    heat = ndimage.gaussian_filter((arrays[first]["truth"] == 2).astype(float), 5) - 0.2 * ndimage.gaussian_filter(
        (arrays[first]["truth"] == 1).astype(float), 9
    )
    settings: dict[str, Any] = {
        "title": "Simulated kidneys: three methods compared",
        "task": "segment",
        "verb": "compare",
        "created": "2026-11-20 12:00",
        "command": f"isocenter compare segment /data/{surname}/t.csv --methods unet,morphology,histogram --split test",
        "chosen": "unet",
        "chosen_by": "highest mean Dice on val (0.931 against 0.842 and 0.771)",
        "data": Data(
            "simulated-kidneys",
            {
                "train": {"cases": 96, "subjects": 80},
                "val": {"cases": 20, "subjects": 18},
                "test": {"cases": n, "subjects": n - 4},
            },
            {
                "train": {names[1]: 96, names[2]: 88},
                "val": {names[1]: 20, names[2]: 19},
                "test": {names[1]: n, names[2]: n},
            },
            names[1:],
            facts={
                "Image size": "112 x 112 pixels",
                "Spacing": "0.9 x 0.7 mm",
                "Origin": "simulated with numpy, seed 7",
            },
            unused={"truth cell is empty": 2},
        ),
        "methods": tuple(methods),
        "tests": compare(SEGMENT, list(scores.values()), resamples=300),
        "samples": tuple(samples),
        "explanations": (
            Explanation(
                arrays[first]["image"],
                heat,
                names[2],
                "integrated gradients",
                first,
                SPACING,
                {"completeness error": 0.0042, "insertion": 0.81},
                "answer: tumour in 214 pixels",
            ),
            Explanation(arrays[first]["image"], heat * 0.5, names[2], "grad-cam", first, SPACING, {"insertion": 0.72}),
        ),
        "made": {
            "method": "segment/unet",
            "version": "0.1.0",
            "weights": "sha256 9f2c" + "0" * 60,
            "seed": 0,
            "engine": "onnxruntime 1.22",
            "versions": {"numpy": "2.4.6", "torch": "2.13.0"},
            "inputs": {c: f"{i:064x}" for i, c in enumerate(arrays)},
        },
        "card": {
            "name": "kidney-demo 0.1",
            "intended_use": "Showing what a report looks like.",
            "not_for": "Everything else; the images are simulated.",
            "data": "96 simulated images, numpy seed 7.",
            "licence": "CC0-1.0",
            "limits": "Discs below 5 pixels are missed.",
        },
        "problems": (
            Problem(
                "spacing-unknown", "note", "spacing is unknown", f"/data/{surname}/a.png", remedy="Pass --spacing Y,X"
            ),
            Problem(
                "near-copy",
                "warning",
                f"{surname}_003 looks like {surname}_011",
                f"{surname}_003",
                "correlation 0.993",
                "below 0.99",
                "Look at both; --strict refuses",
            ),
            Problem("truncated", "error", "the file is cut short", "row 17", "12 KB", "30 KB", "Copy it again"),
        ),
        "notes": ("The images are simulated: these numbers say nothing about patients.",),
        "identifiers": (f"/data/{surname}/a.png", f"{surname}^ERIKA"),
    }
    return Run(**{**settings, **fields})


def classify_run(n: int = 120, classes: tuple[str, str] = ("normal", "pneumonia"), **fields: Any) -> Run:
    """A comparison of two classifiers on simulated probabilities."""
    rng = np.random.default_rng(11)
    y = rng.random(n) < 0.45
    scores, curves, methods = [], [], []
    for m, (name, gap) in enumerate((("cnn", 2.7), ("linear", 1.5))):
        p = 1 / (1 + np.exp(-(rng.normal(0, 1, n) + gap * (y - 0.5)) * 1.4))
        cut = 0.42 - 0.05 * m
        rows = []
        for i in range(n):
            decided = classes[1] if p[i] >= cut else classes[0]
            answer = Probabilities(classes, (1 - p[i], p[i]), decided=(decided,))
            rows.append(
                CaseScore(
                    f"scan-{i:04d}",
                    f"person-{i // 2 if i < 40 else i}",
                    records(CLASSIFY, answer, Probabilities.truth(classes, [classes[int(y[i])]])),
                )
            )
        s = summarise(CLASSIFY, rows, method=name, split="test", positive=classes[1], resamples=300)
        scores.append(s)
        methods.append(MethodResult(name, s, decided=f"threshold {cut:.2f}, chosen on val"))
        curves.append(Curves.of(s, classes[1], threshold=cut, resamples=200))
    settings: dict[str, Any] = {
        "title": "Simulated chests: two classifiers compared",
        "task": "classify",
        "verb": "compare",
        "created": "2026-11-20 12:00",
        "chosen": "cnn",
        "chosen_by": "highest AUC on val",
        "positive": classes[1],
        "methods": tuple(methods),
        "curves": tuple(curves),
        "tests": compare(CLASSIFY, scores, positive=classes[1], resamples=300),
        "data": Data(
            "simulated-chests",
            {"test": {"cases": n, "subjects": n - 20}},
            {"test": {classes[0]: int((~y).sum()), classes[1]: int(y.sum())}},
            classes,
            allow={"leakage": "two scans of one person are meant to be compared"},
        ),
    }
    return Run(**{**settings, **fields})


@pytest.fixture(scope="session")
def segmented() -> Callable[..., Run]:
    """Maker of a comparison of three segmentations; fields of `Run` by name."""
    return segment_run


@pytest.fixture(scope="session")
def classified() -> Callable[..., Run]:
    """Maker of a comparison of two classifiers; fields of `Run` by name."""
    return classify_run


@pytest.fixture(scope="session")
def key() -> bytes:
    """A key for codes."""
    return KEY


def _score(value: float | None, low: float | None = 0.5, high: float | None = 0.9, *flags: str) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": 8, "unit": "", "flags": list(flags)}


def _paper_scores(method: str = "linear", split: str = "test", **values: float) -> dict[str, Any]:
    known = values or {"auc": 0.75}
    metrics = {k: {"ill": _score(v), "healthy": _score(v), "all": _score(v)} for k, v in known.items()}
    return {"format": 1, "task": "classify", "method": method, "split": split, "n_cases": 8, "n_subjects": 4,
            "n_refused": 0, "interval": {"kind": "bootstrap", "by": "group", "level": 0.95, "resamples": 2000},
            "metrics": metrics, "notes": []}


def _paper_method(name: str = "linear", **more: Any) -> dict[str, Any]:
    return {"task": "classify", "method": name, "recipe": {}, "plan": {"plan": {}}, "origins": {}, "engine": "numpy",
            "stopped": "", "last": None, "bundle": None, "made": {}, "card": {}, "files": {}, "parts": {}, **more}


PLAN_OF_NETWORK: dict[str, Any] = {
    "plan": {"size": [64, 64], "temperature": 1.37, "thresholds": [0.42], "normalisation": {"kind": "standardise"}},
    "network": {"name": "resnet18", "width": 32},
    "study": {"epochs": 20, "steps": 50, "batch_size": 16, "learning_rate": 0.001,
              "augment": {"spatial": {"rotation": [-15.0, 15.0], "flip": ["x"]}, "intensity": {"gain": [1.0, 1.0]}}},
    "loop": {"optimiser": "adamw", "weight_decay": 0.05},
}


def _record(verb: str = "evaluate", **more: Any) -> dict[str, Any]:
    """An evaluation of a classifier on 24 cases of 12 subjects."""
    splits = {s: {"cases": n, "subjects": n // 2, "classes": {"ill": n // 2, "healthy": n // 2}, "unlabelled": 0}
              for s, n in (("test", 8), ("train", 12), ("val", 4))}
    age = {s: {"kind": "number", "n": n, "missing": 1, "mean": 61.25, "sd": 4.5, "median": 60.0, "q1": 55.0, "q3": 66.0}
           for s, n in (("train", 11), ("val", 3), ("test", 7))}
    sex = {s: {"kind": "kind", "n": n, "missing": 0, "counts": {"f": n // 2, "m": n // 2}}
           for s, n in (("train", 12), ("val", 4), ("test", 8))}
    images = {s: {"modality": {"CT": n}, "axes": {"yx": n}, "size": {"64 x 64": n}, "spacing": {"0.7 x 0.7": n}}
              for s, n in (("train", 12), ("val", 4), ("test", 8))}
    data = {"name": "chest", "table": "", "layout": "table", "task": "classify", "classes": ["ill", "healthy"],
            "positive": "ill", "multilabel": False, "subjects_known": True, "subjects": 12, "cases": 24, "allow": {},
            "left_out": {}, "problems": [], "splits": splits, "facts": {"age": age, "sex": sex}, "images": images,
            "unread": 0, "source": {"origin": ["Origin: a hospital, doi:10.1234/abc"], "licence": []}}
    base = {"format": 1, "verb": verb, "created": "2026-01-01", "command": "", "in_memory": [], "inputs": {},
            "pixels": {}, "arguments": {"seed": 3, "threads": 2, "abstain": "wrong"}, "data": data, "problems": [],
            "methods": {"linear": _paper_method()},
            "versions": {"python": "3.11.7", "isocenter": "0.1.0", "numpy": "2.4.6", "scipy": "1.17.1",
                         "torch": "2.13.0"},
            "machine": {"system": "linux", "processor": "x86_64", "family": "", "cores": 2}, "result": _paper_scores(),
            "outcome": {}}
    return {**base, **more}


def _story(verb: str = "evaluate", **more: Any) -> Story:
    return Story(_record(verb, **more))


def _comparison() -> Story:
    """Two methods side by side, one of them a network."""
    test = {"a": "linear", "b": "cnn", "metric": "auc", "target": "ill", "difference": -0.05, "low": -0.1, "high": 0.01,
            "p": 0.021, "p_holm": 0.042, "test": "paired bootstrap", "flags": []}
    both = {"linear": _paper_scores(), "cnn": _paper_scores("cnn", auc=0.8)}
    result = {"methods": both, "best": "cnn", "chosen_on": "val",
              "tests": [test, {**test, "test": "delong"}], "notes": []}
    methods = {"linear": _paper_method(), "cnn": _paper_method("cnn", plan=PLAN_OF_NETWORK, engine="onnxruntime")}
    return _story("compare", result=result, methods=methods)


def _training() -> Story:
    """A network that learnt, scored on val."""
    result = {"val": _paper_scores("cnn", "val"), "bundle": "x.bundle", "notes": []}
    return _story("train", result=result, methods={"cnn": _paper_method("cnn", plan=PLAN_OF_NETWORK)})


@pytest.fixture
def papers() -> SimpleNamespace:
    """Records of runs as the verbs write them, in small, and what a paper reads in them."""
    return SimpleNamespace(record=_record, story=_story, comparison=_comparison, training=_training,
                           method=_paper_method, scores=_paper_scores)
