"""What a run looked at beside the leading score: attacks, worse scans, groups of patients, how sure the answers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.report.paper_names import CHINESE, ENGLISH, metric_name, short_name
from isocenter.report.paper_story import Story, interval, number
from isocenter.report.wording import listed

ATTACKS = {
    "fgsm": ("the fast gradient sign method (FGSM)", "快速梯度符号法 (FGSM)"),
    "pgd": ("projected gradient descent (PGD)", "投影梯度下降 (PGD)"),
    "apgd": ("Auto-PGD", "Auto-PGD"), "deepfool": ("DeepFool", "DeepFool"),
    "square": ("the Square attack, which needs no gradients", "无需梯度的 Square 攻击"),
}
SETS = {"lac": ("least ambiguous sets", "最小歧义集"), "aps": ("adaptive prediction sets", "自适应预测集")}
CALIBRATIONS = {"platt": ("Platt's sigmoid", "Platt 法"), "isotonic": ("isotonic regression", "保序回归")}


def beyond(story: Story, language: int = ENGLISH) -> list[str]:
    """Sentences for the statistics section: what was done to the cases, by what they were divided, how sure.

    Parameters
    ----------
    story
        The record.
    language
        ``ENGLISH`` or ``CHINESE``.
    """
    said = [*_strained(story, language), _grouped(story, language), *_sure(story, language)]
    return [s for s in said if s]


def found_beyond(story: Story, language: int = ENGLISH) -> list[str]:
    """Sentences for the results section, every number with its interval where it has one."""
    rows = _under(story)
    said = []
    for row in rows:
        clean, there = _value(row["clean"], row["metric"][1]), _value(row["levels"][row["lead"]], row["metric"][0])
        if clean is None or there is None:
            continue
        name, strain = metric_name(row["metric"][0], language), _strain(row["name"], language)
        said.append(
            f"{row['method']} 在{strain}({row['lead']})下 {name} 为 {_range(there)}, 原图为 {_range(clean)}。"
            if language == CHINESE else
            f"Under {strain} at {row['lead']}, the {name} of {row['method']} was {interval(there)}, on unchanged "
            f"images {interval(clean)}."
        )
    return [*said, *_gap_found(story, language), *_sure_found(story, language)]


def calibration_said(plan: Mapping[str, Any], language: int = ENGLISH) -> str:
    """The map from scores to probabilities that was chosen on val, beside a temperature; "" without."""
    kind = ((plan.get("settings") or {}).get("calibration") or {}).get("kind")
    if kind not in CALIBRATIONS:
        return ""
    by = CALIBRATIONS[kind][language]
    return f"概率校准({by})" if language == CHINESE else f"the calibration of the probabilities ({by})"


def _under(story: Story) -> list[Mapping[str, Any]]:
    return list(story.record["result"].get("under") or ())


def _strain(name: str, language: int) -> str:
    return ATTACKS[name][language] if name in ATTACKS else name.replace("_", " ")


def _strained(story: Story, language: int) -> list[str]:
    said = []
    for name, row in {row["name"]: row for row in _under(story)}.items():
        levels = list(row["levels"])
        if name in ATTACKS:
            said.append(
                f"另用{ATTACKS[name][CHINESE]}对每例图像施加对抗扰动, 幅度上限为 {'、'.join(levels)}。"
                if language == CHINESE else
                f"Every case was also attacked by {ATTACKS[name][ENGLISH]}, with budgets of {listed(levels)}."
            )
        else:
            said.append(
                f"另在模拟的较差扫描({_strain(name, CHINESE)}, 严重程度 {'、'.join(levels)})上评价。"
                if language == CHINESE else
                f"Performance was also measured on simulated worse scans ({_strain(name, ENGLISH)}, severity "
                f"{listed(levels)})."
            )
    flags = sorted({flag for row in _under(story) for flag in row.get("flags", ())})
    if flags:
        said.append(f"攻击的可信度检查给出警示: {'、'.join(flags)}。" if language == CHINESE else
                    f"Checks of the attacks raised: {listed(flags)}; robustness may be overestimated.")
    return said


def _grouped(story: Story, language: int) -> str:
    groups, column = story.record["result"].get("by") or {}, story.record["arguments"].get("by")
    if not groups or not column:
        return ""
    tests = story.record["result"].get("gaps") or ()
    along = story.record["result"].get("trend")
    if language == CHINESE:
        more = ", 各组与其余病例之差以按受试者重抽样比较, P 值以 Holm 法校正" if tests else ""
        more += f"; 并做趋势检验({along['test']})" if along else ""
        return f"另按“{column}”分为 {len(groups)} 组分别评价{more}。"
    more = (", and each group was compared with all other cases by resampling of subjects, with Holm's correction"
            if tests else "")
    trend = f"; a trend was tested for ({along['test']})" if along else ""
    return f"Performance was also measured in {len(groups)} groups by “{column}”{more}{trend}."


def _gap_found(story: Story, language: int) -> list[str]:
    said = []
    for gap in story.record["result"].get("gaps") or ():
        if "gap" not in gap.get("flags", ()):
            continue
        name, span = short_name(gap["metric"], language), f"{number(gap['low'])} to {number(gap['high'])}"
        said.append(
            f"“{gap['group']}”组的 {name} 与其余相差 {number(gap['difference'])}({span.replace(' to ', ' 至 ')}), "
            f"P = {number(gap['p_holm'])}。" if language == CHINESE else
            f"In the group “{gap['group']}” the {name} differed from that of all others by "
            f"{number(gap['difference'])} ({span}), P = {number(gap['p_holm'])} after Holm."
        )
    return said


def _sure(story: Story, language: int) -> Sequence[str]:
    found = story.record["result"].get("certainty") or {}
    sets, said = found.get("sets"), []
    if sets:
        kind, share = SETS.get(sets["kind"], (sets["kind"],) * 2)[language], f"{100 * sets['coverage']:g}"
        said.append(
            f"用验证集的 {sets['n']} 例以共形预测({kind})得到目标覆盖率 {share}% 的预测集"
            f"{', 各类分别校准' if sets['by_class'] else ''}。" if language == CHINESE else
            f"Sets of classes with a coverage of {share}% were made by conformal prediction ({kind}"
            f"{', class by class' if sets['by_class'] else ''}), calibrated on {sets['n']} cases of the validation set."
        )
    if found.get("risk") is not None and found.get("limit") is not None:
        said.append(
            f"置信度低于 {number(found['limit'])} 时不作回答, "
            f"该界限在验证集上按错误率不超过 {number(found['risk'])} 选定。"
            if language == CHINESE else
            f"Cases with a confidence below {number(found['limit'])} were not answered; this limit was chosen on the "
            f"validation set so that at most {100 * found['risk']:g}% of decisions were wrong."
        )
    return said


def _sure_found(story: Story, language: int) -> list[str]:
    found, said = story.record["result"].get("certainty") or {}, []
    held = (found.get("covered") or {}).get("coverage", {}).get("all")
    if held and held.get("value") is not None:
        said.append(f"预测集包含真实类别的比例为 {_range(held)}。" if language == CHINESE else
                    f"The share of sets that held the true class was {interval(held)}.")
    answered = found.get("answered") or {}
    if all((answered.get(k) or {}).get("value") is not None for k in ("answered", "risk")):
        share, wrong = answered["answered"], answered["risk"]
        said.append(f"作出回答的比例为 {_range(share)}, 其中错误的比例为 {_range(wrong)}。" if language == CHINESE else
                    f"The share of cases that were answered was {interval(share)}; the share of wrong ones among these "
                    f"answers was {interval(wrong)}.")
    return said


def _value(scores: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The number that tables show of a key: of all classes together, else of the foreground, else of the first."""
    targets = scores["metrics"].get(key) or {}
    found = targets.get("all") or targets.get("foreground") or next(iter(targets.values()), None)
    return found if found and found.get("value") is not None else None


def _range(score: Mapping[str, Any]) -> str:
    return interval(score).replace(" to ", " 至 ")
