"""docs/results.md from docs/results/*.json: no number without n and interval."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

HEAD = """# Results on real data

Made by `make real`; each row is one file in `real/`. Each number is on the set's `test` split, with a 95 % interval
resampled by subject. The rival (classical or linear) is named on `val` before `test` is opened. "Looks" counts the
different trainings of a row that were ever scored on `test`. Fewer than 10 subjects: no p, and the interval says little
(`few_subjects`). A row in folds answers every case of its set once, by a method that had not seen its subject, beside
one rival named beforehand. Sets, licences and faults: see each set's README.
"""


def table(folder: Path) -> str:
    """The whole page."""
    found = [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))]
    lines = [
        HEAD,
        "| set | method | figure | test (95 % interval) | must | aim | training | peak | looks |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        lines += figures(one)
    lines += [
        "",
        "## Against the rival named on val, paired",
        "",
        "| set | metric | ours | rival | difference (95 % interval) | p (Holm) | test | flags |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        lines += [paired(one, t) for t in held_against(one)]
    said = [(one["row"]["name"], f"{remark(one['row']['name'])} {verdicts(one)}".strip()) for one in found]
    lines += ["", "## What to know of them", "", *(f"- {name}: {text}" for name, text in said if text)]
    lines += ["", "## What made them", ""]
    lines += [made(one) for one in found]
    return "\n".join(lines) + "\n"


def figures(one: dict[str, Any]) -> list[str]:
    """A line per figure, with the rival's and, where there is one, a person's below it."""
    row, training = one["row"], one["training"]
    lines = []
    for figure in row["figures"]:
        name = f"{figure['metric']} {figure['target']}"
        score = score_of(one["ours"], figure)
        cost = f"none | {one['ours']['peak_mb']:.0f} MB | {len(one['looks'])}"
        if training:
            part = ", last part of a resumed run" if any("resumed" in n for n in training["notes"]) else ""
            minutes = f"{training['seconds'] / 60:.1f} min on {training.get('threads', one['threads'])} cores{part}"
            minutes += f", {row['folds']} folds together" if row.get("folds") else ""
            cost = f"{minutes} | {training['peak_mb']:.0f} MB | {len(one['looks'])}"
        bars = "reported |" if figure["aim"] is None else f"reported | {figure['aim']}"
        if figure["must"] is not None:
            bars = f"{figure['must']} {verdict(score['value'], figure)} | {figure['aim']}"
        lines.append(f"| {row['data']} | {row['method']} | {name} | {number(score, one['ours'])} | {bars} | {cost} |")
        others = one.get("beside") or {}
        for who, scores in ((one["rival"], one["theirs"]), ("second observer", one["given"]), *others.items()):
            if scores:
                lines.append(f"| | {who} | {name} | {number(score_of(scores, figure), scores)} | | | | | |")
    return lines


def held_against(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The tests of a row; of one with others beside it those of ours against each, on the metrics that it shows."""
    ours, shown = one["row"]["method"], [f["metric"] for f in one["row"]["figures"]]
    if not one["row"].get("beside"):
        return list(one["tests"])
    return [t for t in one["tests"] if ours in (t["a"], t["b"]) and t["metric"] in shown]


def verdicts(one: dict[str, Any]) -> str:
    """Whether a gain over each of the others beside is proven, in words."""
    ours, words = one["row"]["method"], []
    for t in held_against(one) if one["row"].get("beside") else []:
        if t["test"] == "paired bootstrap" and t["difference"] is not None:
            other, sign = (t["b"], 1) if t["a"] == ours else (t["a"], -1)
            low, high = sorted(sign * v for v in (t["low"], t["high"]))
            said = "a gain" if low > 0 else "a loss" if high < 0 else "no gain is proven"
            words.append(f"over {other} {said} ({show(sign * t['difference'])}, {show(low)} to {show(high)})")
    return f"Of {one['row']['figures'][0]['metric']}, {ours}: {'; '.join(words)}." if words else ""


def remark(name: str) -> str:
    """What the file of a row says beyond its first paragraph."""
    _, _, more = (importlib.import_module(f"real.{name}").__doc__ or "").partition("\n\n")
    return " ".join(more.split())


def verdict(value: float, figure: dict[str, Any]) -> str:
    """Whether must and aim are reached."""
    if value >= figure["aim"]:
        return "**aim reached**"
    return "reached" if value >= figure["must"] else "**missed**"


def score_of(scores: dict[str, Any], figure: dict[str, Any]) -> dict[str, Any]:
    """One score; a method that knows only `foreground` is read there."""
    targets: dict[str, Any] = scores["metrics"][figure["metric"]]
    return targets.get(figure["target"]) or targets.get("foreground") or targets["all"]


def number(score: dict[str, Any], scores: dict[str, Any]) -> str:
    """Value, interval, n of cases and subjects, flags."""
    flags = f", {', '.join(score['flags'])}" if score["flags"] else ""
    interval = f"{show(score['value'])} ({show(score['low'])} to {show(score['high'])})"
    return f"{interval}, n = {score['n']}, {scores['n_subjects']} subjects{flags}"


def paired(one: dict[str, Any], test: dict[str, Any]) -> str:
    """One paired comparison."""
    interval = f"{show(test['difference'])} ({show(test['low'])} to {show(test['high'])})"
    p = "none" if test["p_holm"] is None else f"{test['p_holm']:.2g}"
    return (
        f"| {one['row']['data']} | {test['metric']} {test['target']} | {test['a']} | {test['b']} | {interval} | {p} |"
        f" {test['test']} | {', '.join(test['flags'])} |"
    )


def made(one: dict[str, Any]) -> str:
    """Recipe, data and sources as digests, and the rival's score on val."""
    if not one["rival_on_val"]:
        val = f"named beforehand: {one['rival']}"
    else:
        val = ", ".join(f"{name} {show(v)}" for name, v in one["rival_on_val"].items())
    if one.get("candidates_on_val"):
        val += "; named on val among " + ", ".join(f"{n} {show(v)}" for n, v in one["candidates_on_val"].items())
    notes = "".join(f"; {note}" for note in (one["training"] or {"notes": ["nothing was trained"]})["notes"])
    marks = ", ".join(f"{k} `{v}`" for k, v in one["marks"].items())
    return f"- {one['row']['name']}: seed {one['seed']}; {marks}; rivals on val: {val}{notes}"


def show(value: float | None) -> str:
    """A number for people."""
    return "none" if value is None else f"{value:.3f}"
