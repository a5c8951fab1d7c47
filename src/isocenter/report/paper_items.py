"""The items of CLAIM 2024 and TRIPOD+AI, by their numbers and in short words of our own, filled from a record."""

from __future__ import annotations

from collections.abc import Mapping

from isocenter.report.card import ABSENT, plain
from isocenter.report.paper_folds import measured
from isocenter.report.paper_names import SPLITS, TASKS, method_name, metric_name, short_name
from isocenter.report.paper_story import Story, interval
from isocenter.report.wording import counted, listed

# Number, topic, and the answer that fits, by the names of `answers`; "" where no record can know.
CLAIM = (
    ("1", "AI method named in title or abstract", "method"), ("2", "Structured abstract", ""),
    ("3", "Background, intended use and clinical role", "intended"), ("4", "Aims and hypotheses", ""),
    ("5", "Prospective or retrospective", ""), ("6", "Goal of the study", "task"), ("7", "Sources of data", "source"),
    ("8", "Inclusion and exclusion", "left_out"), ("9", "Preprocessing", "preparation"),
    ("10", "Selection of parts of images", "patch"), ("11", "De-identification", ""),
    ("12", "Missing data", "missing"), ("13", "Acquisition protocol", "images"),
    ("14", "Definition of the reference standard", "reference"), ("15", "Why this reference standard", ""),
    ("16", "Who annotated, with which qualification", ""), ("17", "Annotation of the test set", ""),
    ("18", "Agreement between and within readers", ""), ("19", "How cases were assigned to sets", "split"),
    ("20", "Level at which sets are disjoint", "disjoint"), ("21", "Intended sample size", ""),
    ("22", "The model in detail", "method"), ("23", "Software and versions", "software"),
    ("24", "Initialisation of parameters", "initial"), ("25", "Training in detail", "training"),
    ("26", "Selection of the final model", "selection"), ("27", "Ensembling", "ensemble"),
    ("28", "Measures of performance", "metrics"), ("29", "Statistical significance and uncertainty", "statistics"),
    ("30", "Robustness and sensitivity", "robustness"), ("31", "Explainability", ""),
    ("32", "Evaluation on internal data", "internal"), ("33", "Testing on external data", ""),
    ("34", "Registration of a trial", ""), ("35", "Flow of cases", "flow"),
    ("36", "Characteristics by set", "table"), ("37", "Performance with uncertainty", "results"),
    ("38", "Diagnostic accuracy with precision", "accuracy"), ("39", "Analysis of failures", "failures"),
    ("40", "Limitations", "limits"), ("41", "Implications for practice", ""),
    ("42", "Protocol and technical details", "record"), ("43", "Availability of software, model and data", "available"),
    ("44", "Funding", ""),
)
TRIPOD = (
    ("1", "Title", ""), ("2", "Abstract", ""), ("3a", "Clinical context and earlier models", ""),
    ("3b", "Target population and purpose", "intended"), ("3c", "Known health inequalities", ""),
    ("4", "Objectives", "task"), ("5a", "Sources of data", "source"), ("5b", "Dates of collection", ""),
    ("6a", "Setting and centres", ""), ("6b", "Eligibility", "left_out"), ("6c", "Treatments received", ""),
    ("7", "Preparation of the data", "preparation"), ("8a", "Outcome and its assessment", "reference"),
    ("8b", "Who assessed the outcome", ""), ("8c", "Blinding of that assessment", ""),
    ("9a", "Choice of predictors", "predictors"), ("9b", "Definition of predictors", "images"),
    ("9c", "Who assessed predictors", ""), ("10", "Sample size", "size"), ("11", "Missing data", "missing"),
    ("12a", "Use of data for development and evaluation", "split"),
    ("12b", "Predictors in the analysis", "preparation"),
    ("12c", "Type of model and how it was built", "method"), ("12d", "Differences between clusters", "groups"),
    ("12e", "Measures of performance", "metrics"), ("12f", "Updating of the model", ""),
    ("12g", "How predictions were computed", "engine"), ("13", "Class imbalance", "imbalance"),
    ("14", "Fairness", "groups"),
    ("15", "Output and thresholds", "thresholds"), ("16", "Differences of development and evaluation data", "table"),
    ("17", "Ethics approval", ""), ("18a", "Funding", ""), ("18b", "Conflicts of interest", ""),
    ("18c", "Protocol", ""), ("18d", "Registration", ""), ("18e", "Sharing of data", "source"),
    ("18f", "Sharing of code", "available"), ("19", "Involvement of patients and the public", ""),
    ("20a", "Flow of participants", "flow"), ("20b", "Characteristics", "table"),
    ("20c", "Characteristics of development and evaluation compared", "table"),
    ("21", "Participants and events by analysis", "size"), ("22", "The full model", "record"),
    ("23a", "Performance with intervals", "results"), ("23b", "Performance between clusters", "groups"),
    ("24", "Results of updating", ""), ("25", "Interpretation and fairness", ""), ("26", "Limitations", "limits"),
    ("27a", "Input that is poor or missing", "failures"), ("27b", "Interaction and expertise of users", ""),
    ("27c", "Next steps", ""),
)


def answers(story: Story) -> Mapping[str, str]:
    """What a record has to say, by name; "" where it knows nothing."""
    return {**_about_data(story), **_about_models(story), **_about_results(story)}


def checklists(story: Story) -> str:
    """Both lists as Markdown: each item filled, or "not provided"."""
    said = answers(story)
    lines = ["# Checklists", "", "Filled from the record of the run as far as it goes. Where it says “not provided” "
             "the authors answer; where it is filled they check it. Topics are abridged: the wording that counts is "
             "that of the published lists.", ""]
    for title, items, key in (("CLAIM 2024", CLAIM, "tejani2024"), ("TRIPOD+AI", TRIPOD, "collins2024")):
        filled = sum(bool(said.get(name)) for _, _, name in items)
        lines += [f"## {title} [{key}]", "", f"{filled} of {len(items)} items filled from the record.", "",
                  "| No. | Item | Answer |", "| --- | --- | --- |"]
        lines += [f"| {no} | {topic} | {plain(said.get(name) or ABSENT)} |" for no, topic, name in items]
        lines.append("")
    return "\n".join(lines)


def _about_data(story: Story) -> dict[str, str]:
    data = story.data
    source = data.get("source") or {}
    out = "; ".join(f"{why}: {n}" for why, n in data["left_out"].items())
    sets = [f"{SPLITS.get(s, (s,))[0]} {r['cases']} cases, {r['subjects']} subjects" for s, r in story.splits.items()]
    lacking = [f"{name}: {sum(s['missing'] for s in by.values())} missing" for name, by in data["facts"].items()]
    grids = [*(f"{s} pixels" for s in story.sizes[:1]), *(f"{s} mm" for s in story.spacings[:1])]
    images = [*story.modalities[:1], *grids]
    counts = {n: sum(r["classes"].get(n, 0) for r in story.splits.values()) for n in data["classes"]}
    return {
        "task": TASKS.get(story.task, (story.task,))[0], "source": " ".join(source.get("origin", ())[:1]),
        "left_out": f"rows left out: {out}" if out else "",
        "missing": "; ".join(lacking) + " (see Table 1)" if lacking else "",
        "images": f"from the files, most often: {', '.join(images)}" if images else "",
        "reference": f"as given with the data; classes {listed(data['classes'])}" if data["classes"] else "",
        "split": "; ".join(sets) if any(story.splits) else "",
        "disjoint": "by subject" if story.apart else "",
        "size": "; ".join(sets), "flow": "Figure 1, flow.svg", "table": "Table 1, table1.md",
        "predictors": "the images",
        "imbalance": ", ".join(f"{n}: {c}" for n, c in counts.items()) if any(counts.values()) else "",
    }


def _about_models(story: Story) -> dict[str, str]:
    named = listed(f"{method_name(m['task'], m['method'])} ({n})" for n, m in story.methods.items())
    plans = [plan for _, plan in story.networks()]
    kinds = listed(dict.fromkeys(str(p["plan"].get("normalisation", {}).get("kind", "")) for p in plans))
    grids = [" x ".join(map(str, p["plan"].get("size") or ())) for p in plans]
    trained = story.verb in ("train", "tune") or any(p.get("study") and not m["bundle"] for p, m in zip(
        plans, story.methods.values(), strict=False))
    begun = any((m["recipe"].get("form") or {}).get("weights") for m in story.methods.values())
    start = "from published weights" if begun else f"at random, seed {story.record['arguments']['seed']}"
    steps = [f"{p['study']['epochs']} epochs of {p['study']['steps']} steps" for p in plans if p.get("study")]
    limits = [t for m in story.methods.values() for t in (m["plan"].get("plan") or {}).get("thresholds") or ()]
    ensemble = any(m["method"] == "ensemble" for m in story.methods.values())
    best = story.record["result"].get("best") if story.verb == "compare" else None
    versions = ", ".join(f"{k} {v}" for k, v in story.record["versions"].items())
    return {
        "method": named, "preparation": f"intensities: {kinds}; grid {listed(dict.fromkeys(grids))}" if plans else "",
        "patch": f"the network's input: {listed(dict.fromkeys(g for g in grids if g))}" if any(grids) else "",
        "initial": start if trained and plans else "",
        "training": f"{listed(steps)}; see methods.md" if trained and steps else "",
        "selection": f"{best}, by its score on {story.record['result'].get('chosen_on')}" if best else (
            "by the score on the validation set" if story.verb in ("train", "tune") else ""),
        "ensemble": "yes, see methods.md" if ensemble else "none" if story.methods else "",
        "software": versions, "engine": listed(dict.fromkeys(m["engine"] for m in story.methods.values())),
        "thresholds": "chosen on the validation set; see methods.md" if limits else "",
        "available": f"isocenter {story.record['versions']['isocenter']} (software); model and data: not provided",
        "record": "settings, plan and checksums of inputs stand in the record of the run",
        "intended": _intended(story),
    }


def _intended(story: Story) -> str:
    # A card is written by the makers of a bundle; a run alone cannot know what for.
    cards = [m.get("card", {}).get("intended_use") for m in story.methods.values()]
    return "; ".join(c for c in cards if c)


def _about_results(story: Story) -> dict[str, str]:
    if not story.scores:
        return {}
    key, target = story.lead
    first = next(iter(story.scores.values()))
    known = [k for k, t in first["metrics"].items() if any(s.get("value") is not None for s in t.values())]
    rows = [f"{n}: {short_name(key)} {interval(s['metrics'][key][target])}" for n, s in story.scores.items()
            if s["metrics"].get(key, {}).get(target, {}).get("value") is not None]
    how = first["interval"]
    tests = listed(dict.fromkeys(t["test"] for t in story.tests))
    sides = [f"{metric_name(k)} {interval(first['metrics'][k][target])}" for k in ("sensitivity", "specificity")
             if (first["metrics"].get(k) or {}).get(target, {}).get("value") is not None]
    robust = story.record["result"].get("under")
    groups = story.record["result"].get("by")
    return {
        "metrics": listed(metric_name(k) for k in known), "results": "; ".join(rows),
        "statistics": f"{100 * how['level']:.0f}% intervals, {how['resamples']} resamples by {how['by']}"
                      + (f"; {tests}" if tests else ""),
        "accuracy": "; ".join(sides), "robustness": "under attack or corruption, see the report" if robust else "",
        "internal": f"{measured(story, SPLITS.get(story.split, (story.split,))[0] + ' set')}, "
                    f"{counted(first['n_cases'], 'case')}",
        "groups": f"scored apart by {listed(groups)}; see the report" if groups else "",
        "failures": "the worst cases are shown in the report; " + (
            f"{counted(story.refused, 'case')} refused" if story.refused else "no case was refused"),
        "limits": "fewer than 10 subjects: intervals are unreliable" if story.few else "",
    }
