"""Calibration of the classifier of chest X-rays: a temperature from half of val, judged on the other half and on test.

The temperature is fitted on the logits of half of the patients of val; the expected calibration error is debiased
(Kumar et al., NeurIPS 2019). The set's test is shifted: no temperature from val can know that. The same of the bundles
of `pneumonia_named`: DenseNet-121 0.000 before and after on the other half, 0.171 and 0.193 on test; the ensemble,
whose members are calibrated already, 0.000 and 0.001, 0.164 and 0.172.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import isocenter as iso
from isocenter.catalog import task as task_of
from isocenter.data import Cases, CaseScore, Probabilities, Scores
from isocenter.layouts import read
from isocenter.metrics import fit_temperature, records, summarise
from isocenter.ops.array import Array
from real.study import Study, cell, verdict

DATA, BUNDLE = "chest-xray-pneumonia", "chest-pneumonia"


def run(data: Path, *, threads: int, seed: int) -> dict[str, Any]:
    """Logits of val and test by the row's bundle, a temperature from half of val, and what it does to the rest."""
    method = iso.load(BUNDLE).method
    cases = read(data / DATA, task="classify")
    val, test = cases.split("val"), cases.split("test")
    names = sorted(set(val.groups))
    first = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2])
    here = np.array([g in first for g in val.groups])
    logits, truth = logits_of(method, val)
    heat = fit_temperature(logits[here], truth[here])
    half = val.subset(np.flatnonzero(~here).tolist())
    parts = {"half": (half, logits[~here]), "test": (test, logits_of(method, test)[0])}
    found = {
        part: [scored(some, z / t, seed=seed).as_json()["metrics"]["ece"]["all"] for t in (1.0, heat)]
        for part, (some, z) in parts.items()
    }
    same = all(np.array_equal(z.argmax(1), (z / heat).argmax(1)) for _, z in parts.values())
    return {"bundle": BUNDLE, "temperature": heat, "fitted_on": int(here.sum()), "ece": found, "same": same}


def logits_of(method: Any, cases: Cases) -> tuple[Array, Array]:
    """Logits before the bundle's own temperature (n, classes), up to a number a case, and class indices (n,)."""
    heat = method.about["plan"]["temperature"]
    found = [method.predict(case) for case in cases]
    logits = np.log(np.clip([f.values for f in found], 1e-30, 1.0)) * heat
    return logits, np.array([found[0].classes.index(e.labels[0]) for e in cases.entries])


def scored(cases: Cases, logits: Array, *, seed: int) -> Scores:
    """Scores of the probabilities that belong to logits."""
    task = task_of("classify")
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    made = [Probabilities(tuple(cases.classes), tuple(map(float, row))) for row in shares]
    truths = [case.truth() for case in cases]
    entries = zip(cases.entries, made, truths, strict=True)
    scores = [CaseScore(e.id, e.group, records(task, p, t)) for e, p, t in entries]
    return summarise(task, scores, method="temperature", split="", positive=cases.positive, seed=seed)


def lines(found: dict[str, Any]) -> list[str]:
    """Before and after, and the bars."""
    (before, after), test = found["ece"]["half"], found["ece"]["test"]
    bars = [("no greater on the other half of val", after["value"] <= before["value"]),
            ("the most probable class is unchanged", found["same"])]  # fmt: skip
    return [
        f"{found['bundle']}; temperature {found['temperature']:.3f} from {found['fitted_on']} cases of val.", "",
        "| cases | calibration error before | after |", "|---|---|---|",
        f"| other half of val | {cell(before)} | {cell(after)} |", f"| test | {cell(test[0])} | {cell(test[1])} |", "",
        "| must | |", "|---|---|", *(f"| {what} | {verdict(ok)} |" for what, ok in bars),
    ]  # fmt: skip


STUDY = Study("calibration", "Calibration", DATA, run, lines)
