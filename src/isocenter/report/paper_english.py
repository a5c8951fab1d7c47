"""The methods section of a run in English: what the record says, in the order that radiology journals ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from isocenter.report.paper_beyond import beyond, calibration_said, found_beyond
from isocenter.report.paper_folds import CHOSEN, crossed, decided, division, measured, preferred, procedure
from isocenter.report.paper_names import (
    MODALITIES,
    NETWORKS,
    RULES,
    SPLITS,
    TASKS,
    TESTS,
    method_name,
    metric_name,
    short_name,
)
from isocenter.report.paper_story import Story, interval, leaves, number, setting, spread, told_settings
from isocenter.report.wording import counted, listed

# What no record knows and every journal asks for.
MISSING = (
    "approval of the ethics committee and consent", "dates, places and criteria of inclusion",
    "scanners and acquisition protocols", "who made the reference standard, how, and how well readers agreed",
    "how the number of cases was decided", "funding, conflicts of interest, registration",
)
Cite = Callable[..., str]


def methods_english(story: Story, cite: Cite) -> str:
    """The section as Markdown.

    Parameters
    ----------
    story
        The record.
    cite
        From names such as ``"method NAME"``, ``"metrics"``, ``"statistics"``, ``"tools"`` to what stands in the text,
        a blank and brackets included; "" where nothing is cited.
    """
    parts = [
        ("Data", _data(story)), ("Models" if len(story.methods) > 1 else "Model", _models(story, cite)),
        ("Evaluation and statistical analysis", _statistics(story, cite)),
        ("Software and reproducibility", _software(story, cite)),
    ]
    lines = ["## Methods", ""]
    for title, sentences in parts:
        lines += [f"### {title}", "", " ".join(s for s in sentences if s), ""] if any(sentences) else []
    lines += _results(story)
    lines += ["### Not in the record, for the authors to add", "", *[f"- {m}" for m in MISSING], ""]
    return "\n".join(lines)


def _data(story: Story) -> list[str]:
    data = story.data
    kinds = listed(dict.fromkeys(MODALITIES.get(m, (m, m))[0] for m in story.modalities))
    who = counted(data["subjects"], "subject") if data["subjects_known"] else ""
    first = f"The data set “{data['name']}” comprised {counted(data['cases'], 'case')}{' of ' + who if who else ''}."
    found = [first, f"The images were {kinds}." if kinds else "", _grid(story)]
    if not data["subjects_known"]:
        found.append("Patients were not identified in the data, so every case was treated as a subject of its own.")
    named = [s for s in story.splits if s]
    if named:
        rows = [f"{SPLITS.get(s, (s,))[0]} ({counted(r['cases'], 'case')}, {counted(r['subjects'], 'subject')})"
                for s, r in story.splits.items() if s]
        found.append(f"Cases were divided into {listed(rows)} sets." if len(rows) > 1 else f"All belonged to one set: "
                     f"{rows[0]}.")
        found.append("No subject belonged to more than one set." if story.apart else "")
        found.append(division(story))
    found += [f"An overlap of subjects or images between sets was allowed, for this reason: {why}."
              for what, why in data["allow"].items() if what == "leakage"]
    found += [f"{counted(n, 'row')} of the table {'was' if n == 1 else 'were'} left out ({why})."
              for why, n in data["left_out"].items()]
    return [*found, _reference(story)]


def _grid(story: Story) -> str:
    sizes, spacings = story.sizes, story.spacings
    if not sizes:
        return ""
    size = f"Image size was {sizes[0]} pixels" if len(sizes) == 1 else (
        f"Image size varied ({spread(sizes) or sizes[0] + ' most often'} pixels)")
    if not spacings:
        return f"{size}; the pixel spacing is not recorded in the files."
    return f"{size}, with a spacing of {spread(spacings) or spacings[0]} mm."


def _reference(story: Story) -> str:
    data = story.data
    classes = list(data["classes"])
    positive = f"; {data['positive']} was taken as positive" if data.get("positive") else ""
    if story.task == "classify":
        counts: dict[str, int] = {}
        for row in story.splits.values():
            for name, n in row["classes"].items():
                counts[name] = counts.get(name, 0) + n
        rows = listed(f"{c} (n = {counts[c]})" if c in counts else c for c in classes)
        kind = "labels, of which several may hold" if data.get("multilabel") else "classes"
        said = f"{len(classes)} {kind}: {rows}{positive}"
        return f"The reference standard was the label given with the data, with {said}."
    what = {"segment": "the segmentation masks", "detect": "the bounding boxes", "instances": "the outlined objects",
            "regress": "the numbers"}
    told = f" of {listed(classes)}" if classes and classes != ["foreground"] else ""
    return f"The reference standard was {what.get(story.task, 'the reference')}{told} given with the data."


def _models(story: Story, cite: Cite) -> list[str]:
    found = []
    for name, place in zip(story.methods, _places(), strict=False):
        method = story.methods[name]
        if name == CHOSEN and crossed(story):
            found.append(procedure())
            continue
        called = method_name(method["task"], method["method"])
        source = cite("method", name)
        label = f" (“{name}” in the tables)" if len(story.methods) > 1 else ""
        opens = f"The task was {TASKS.get(story.task, (story.task,))[0]} by " if len(story.methods) == 1 else ""
        found.append(f"{opens or f'The {place} method was '}{called}{source}{label}.")
        network = (method["plan"].get("network") or {}).get("name")
        found += _network(story, method) if network else _classical(story, name, method)
    return found


def _network(story: Story, method: Mapping[str, Any]) -> list[str]:
    plan, network, study = method["plan"].get("plan", {}), method["plan"]["network"], method["plan"].get("study") or {}
    named = NETWORKS.get(network["name"], (network["name"],))[0]
    width = f" with {network['width']} channels in its first stage" if network.get("width") else ""
    grid = " × ".join(map(str, plan.get("size") or study.get("patch") or ()))
    found = [f"The network was {named}{width}" + (f"; its input was {grid} pixels." if grid else ".")]
    found.append(_normalised(plan.get("normalisation") or {}))
    if method["bundle"] and story.verb in ("evaluate", "compare"):
        found.append("It had been trained before and was used as it was.")
    loop = method["plan"].get("loop") or {}
    if study.get("epochs"):
        optimisers = {"adamw": "AdamW", "adam": "Adam", "sgd": "stochastic gradient descent"}
        optimiser = optimisers.get(str(loop.get("optimiser")), "an optimiser")
        found.append(
            f"Training ran for up to {counted(study['epochs'], 'epoch')} of {counted(study['steps'], 'step')} with "
            f"{counted(study['batch_size'], 'sample')} each, using {optimiser} "
            f"with a peak learning rate of {setting(study['learning_rate'])} and weight decay of "
            f"{setting(loop.get('weight_decay'))}.")
        found.append(_augmented(study.get("augment") or {}))
        found.append("The weights that did best on the validation set were kept.")
    found.append(f"Training ended early ({method['stopped']})." if method["stopped"] else "")
    return [*found, _decided(story, plan, method)]


def _normalised(how: Mapping[str, Any]) -> str:
    kind = how.get("kind")
    if kind == "window":
        return f"Intensities were windowed from {number(how.get('low'))} to {number(how.get('high'))}."
    return {"standardise": "Intensities of each image were standardised to zero mean and unit variance.",
            "percentile": "Intensities of each image were scaled by its own lowest and highest percentiles.",
            "foreground": "Intensities of each image were standardised by the mean and standard deviation of its "
                          "foreground.",
            "landmarks": "Intensities of each image were moved onto a standard scale learnt from the training images "
                         "(landmarks at the deciles of the foreground).",
            "clahe": "Contrast of each image was equalised tile by tile, limited (CLAHE).",
            }.get(str(kind), "")


def _augmented(augment: Mapping[str, Any]) -> str:
    words = {"rotation": "rotation ({} to {} degrees)", "scaling": "scaling (factor {} to {})",
             "translation": "translation ({} to {} of the image)", "gain": "contrast (factor {} to {})",
             "gamma": "gamma ({} to {})"}
    ranges = dict(leaves(augment))
    found = [text.format(*map(setting, value)) for path, value in ranges.items()
             if (text := words.get(path.rpartition(".")[2])) and len(set(value)) > 1]
    flips = ranges.get("spatial.flip")
    found += ["flips"] if flips else []
    return f"Training images were augmented at random by {listed(found)}." if found else ""


def _decided(story: Story, plan: Mapping[str, Any], method: Mapping[str, Any]) -> str:
    chosen = []
    if plan.get("temperature") not in (None, 1.0):
        chosen.append(f"the temperature of the probabilities ({number(plan['temperature'])})")
    chosen += [said] if (said := calibration_said(plan)) else []
    limits = plan.get("thresholds") or ()
    if limits:
        values = ", ".join(number(t) for t in limits)
        chosen.append(f"the decision threshold{'s' if len(limits) > 1 else ''} ({values})")
    if (method.get("last") or {}).get("penalty") is not None:
        chosen.insert(0, f"the penalty ({number(method['last']['penalty'])})")
    return f"{decided(story)}: {listed(chosen)}." if chosen else ""


def _places() -> Iterator[str]:
    yield from ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    yield from repeat("next")


def _classical(story: Story, name: str, method: Mapping[str, Any]) -> list[str]:
    settings = told_settings(method)
    rule = settings.pop("rule", None)
    found = [f"The threshold followed {RULES[rule][0]}." if rule in RULES else ""]
    settings.pop("name", None)
    values = ", ".join(f"{k} = {setting(v)}" for k, v in settings.items())
    found.append(f"Settings: {values}; all others followed the defaults of the software." if values else "")
    if story.settled(name):
        found.append("Settings that depend on the data were read off the training set alone.")
    return [*found, _decided(story, method["plan"].get("plan") or {}, method)]


def _statistics(story: Story, cite: Cite) -> list[str]:
    if not story.scores:
        return ["No scores were recorded."]
    first = next(iter(story.scores.values()))
    who = f"{counted(first['n_cases'], 'case')} of {counted(first['n_subjects'], 'subject')}"
    split = SPLITS.get(story.split, (f"“{story.split}”",))[0]
    names = listed(metric_name(k) for k, targets in first["metrics"].items() if _known(targets))
    found = [f"Performance was measured on {measured(story, f'the {split} set')} ({who}) by {names}{cite('metrics')}."]
    key, target = story.lead
    led = "the mean over classes" if target == "all" else target
    found.append(f"The leading measure was the {short_name(key)} of {led}.")
    found.append(_intervals(story, first, cite))
    if story.verb == "train":
        found.append("Stopping and thresholds were chosen on the same validation set, so these figures are optimistic.")
        found.append("The test set was not used in this run." if "test" in story.splits else "")
    if story.record["arguments"].get("abstain") == "wrong":
        found.append("Cases without an answer were counted as wrong or empty.")
    if story.refused:
        were = "was" if story.refused == 1 else "were"
        found.append(f"{counted(story.refused, 'case')} could not be read or answered and {were} left out.")
    best, on = story.record["result"].get("best"), story.record["result"].get("chosen_on")
    if story.verb == "compare" and best:
        found.append(preferred(story, best) if crossed(story) else f"The method to be preferred ({best}) was chosen on "
                     f"the {SPLITS.get(on, (on,))[0]} set, before the {split} set was opened.")
    return [*found, _compared(story, cite), *_searched(story), *beyond(story)]


def _known(targets: Mapping[str, Any]) -> bool:
    return any(s.get("value") is not None for s in targets.values())


def _intervals(story: Story, scores: Mapping[str, Any], cite: Cite) -> str:
    how = scores["interval"]
    by = {"group": "subjects", "case": "cases"}.get(how["by"], how["by"])
    level = number(round(100 * how["level"]))
    text = (f"Confidence intervals ({level}%) were made by percentile bootstrap, widened for small numbers, with "
            f"{how['resamples']} resamples of {by}{cite('intervals')}")
    if story.single:
        text += "; each subject had one case, so Wilson's intervals served for proportions and DeLong's for an AUC"
    return text + (". With so few subjects they are unreliable, and no P values are given." if story.few else ".")


def _compared(story: Story, cite: Cite) -> str:
    kinds = dict.fromkeys(t["test"] for t in story.tests)
    if not kinds:
        return ""
    names = listed(TESTS.get(k, (k,))[0] for k in kinds)
    holm = any(t.get("p_holm") is not None for t in story.tests)
    more = ", with Holm's correction for multiple comparisons" if holm else ""
    return f"Methods were compared on the same cases by {names}{more}{cite('tests')}."


def _searched(story: Story) -> list[str]:
    result = story.record["result"]
    if story.verb != "tune":
        return []
    ranges = "; ".join(f"{k}: {v}" for k, v in result["ranges"].items())
    trials = counted(len(result["trials"]), "trial")
    return [f"Settings were searched in {trials} scored on the validation set ({ranges}); "
            f"trial {result['best']} was kept."]


def _software(story: Story, cite: Cite) -> list[str]:
    versions, asked, where = story.record["versions"], story.record["arguments"], story.record["machine"]
    learnt = "tool=torch" in story.used()
    parts = {"python": "Python", "numpy": "NumPy", "scipy": "SciPy"} | ({"torch": "PyTorch"} if learnt else {})
    if any(m["engine"] == "onnxruntime" for m in story.methods.values()):
        parts["onnxruntime"] = "ONNX Runtime"
    tools = listed(f"{name} {versions[key]}" for key, name in parts.items() if key in versions)
    found = [f"Analyses were run with isocenter {versions['isocenter']} ({tools}){cite('tools')} on "
             f"{where['system'].capitalize()} ({where['processor']}), with random seed {asked['seed']} and "
             f"{counted(asked['threads'], 'thread')}."]
    found.append("The run, its settings and the checksums of all inputs are recorded, so that it can be repeated.")
    return found


def _results(story: Story) -> list[str]:
    key, target = story.lead
    rows = [f"{name}, {interval(s['metrics'][key][target])}" for name, s in story.scores.items()
            if _has(s, key, target)]
    if not rows:
        return []
    led = "the classes on average" if target == "all" else target
    first = next(iter(story.scores.values()))
    level = number(round(100 * first["interval"]["level"]))
    where = measured(story, f"the {SPLITS.get(story.split, (story.split,))[0]} set")
    text = f"On {where} (n = {first['n_cases']}), the {short_name(key)} of {led} was ({level}% CI): " + (
        f"{'; '.join(rows)}.")
    return ["### For the results section", "", " ".join([text, *_differences(story), *found_beyond(story)]), ""]


def _has(scores: Mapping[str, Any], key: str, target: str) -> bool:
    return scores["metrics"].get(key, {}).get(target, {}).get("value") is not None


def _differences(story: Story) -> Sequence[str]:
    found = []
    for t in story.differences:
        p = t["p_holm"] if t["p_holm"] is not None else t["p"]
        said = "" if p is None else f", P = {number(p)}{' after Holm' if t['p_holm'] is not None else ''}"
        bounds = f" ({number(t['low'])} to {number(t['high'])})" if t["low"] is not None else ""
        found.append(f"Difference of {t['a']} and {t['b']}: {number(t['difference'])}{bounds}{said}.")
    return found
