"""The methods section of a run in Chinese: the same facts as in English, in the order and words of Chinese journals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.report.paper_beyond import beyond, calibration_said, found_beyond
from isocenter.report.paper_english import Cite
from isocenter.report.paper_folds import CHOSEN, crossed, decided, division, measured, preferred, procedure
from isocenter.report.paper_names import (
    CHINESE,
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

MISSING = (
    "伦理审批与知情同意", "病例收集的时间、地点与纳入排除标准", "成像设备与扫描方案",
    "参考标准由谁、如何制定, 以及读片者间一致性", "样本量的依据", "基金、利益冲突与注册信息",
)  # fmt: skip

NORMALISED = {
    "standardise": "每幅图像的灰度标准化为零均值、单位方差。", "percentile": "每幅图像的灰度按自身的低、高百分位缩放。",
    "foreground": "每幅图像的灰度按其前景的均值与标准差标准化。",
    "landmarks": "每幅图像的灰度被映射到由训练图像学得的标准尺度 (前景十分位数为标志点)。",
    "clahe": "每幅图像做限制对比度的自适应直方图均衡 (CLAHE)。",
}


def methods_chinese(story: Story, cite: Cite) -> str:
    """The section as Markdown; arguments as in `methods_english`."""
    parts = [
        ("数据", _data(story)), ("模型", _models(story, cite)), ("评价与统计分析", _statistics(story, cite)),
        ("软件与可重复性", _software(story, cite)),
    ]
    lines = ["## 方法", ""]
    for title, sentences in parts:
        lines += [f"### {title}", "", "".join(s for s in sentences if s), ""] if any(sentences) else []
    lines += _results(story)
    return "\n".join([*lines, "### 记录中没有、需作者补充的内容", "", *[f"- {m}" for m in MISSING], ""])


def _data(story: Story) -> list[str]:
    data = story.data
    who = f", 来自 {data['subjects']} 名受试者" if data["subjects_known"] else ""
    found = [f"数据集“{data['name']}”共 {data['cases']} 例{who}。"]
    kinds = "、".join(dict.fromkeys(MODALITIES.get(m, (m, m))[CHINESE] for m in story.modalities))
    found += [f"图像类型为 {kinds}。" if kinds else "", _grid(story)]
    if not data["subjects_known"]:
        found.append("数据中未标明患者身份, 故每例按独立受试者处理。")
    rows = [f"{SPLITS.get(s, (s, s))[CHINESE]} {r['cases']} 例({r['subjects']} 名受试者)"
            for s, r in story.splits.items() if s]
    found.append(f"数据划分为{'、'.join(rows)}。" if rows else "")
    found.append("同一受试者的数据不跨集合。" if rows and story.apart else "")
    found.append(division(story, CHINESE))
    why = data["allow"].get("leakage")
    found.append(f"允许集合之间存在受试者或图像重叠, 理由: {why}。" if why else "")
    found += [f"表中 {n} 行未纳入({why})。" for why, n in data["left_out"].items()]
    return [*found, _reference(story)]


def _grid(story: Story) -> str:
    sizes, spacings = story.sizes, story.spacings
    if not sizes:
        return ""
    many = f"不一({spread(sizes) or '最多见 ' + sizes[0]} 像素)".replace(" to ", " 至 ")
    size = "图像大小" + (f"为 {sizes[0]} 像素" if len(sizes) == 1 else many)
    if not spacings:
        return f"{size}, 文件中未记录像素间距。"
    return f"{size}, 像素间距为 {spread(spacings) or spacings[0]} mm。".replace(" to ", " 至 ")


def _reference(story: Story) -> str:
    data = story.data
    classes = list(data["classes"])
    if story.task == "classify":
        counts: dict[str, int] = {}
        for row in story.splits.values():
            for name, n in row["classes"].items():
                counts[name] = counts.get(name, 0) + n
        rows = "、".join(f"{c}({counts[c]} 例)" if c in counts else c for c in classes)
        positive = f", 以 {data['positive']} 为阳性" if data.get("positive") else ""
        return f"参考标准为数据自带的类别标签, 共 {len(classes)} 类: {rows}{positive}。"
    what = {"segment": "分割标注", "detect": "检测框", "instances": "目标轮廓",
            "regress": "数值"}.get(story.task, "参考结果")
    told = f"({'、'.join(classes)})" if classes and classes != ["foreground"] else ""
    return f"参考标准为数据自带的{what}{told}。"


def _models(story: Story, cite: Cite) -> list[str]:
    found = [f"任务为{TASKS.get(story.task, (story.task, story.task))[CHINESE]}。"]
    for name, method in story.methods.items():
        if name == CHOSEN and crossed(story):
            found.append(procedure(CHINESE))
            continue
        label = f"(表中记为“{name}”)" if len(story.methods) > 1 else ""
        found.append(f"采用{method_name(method['task'], method['method'], CHINESE)}{label}{cite('method', name)}。")
        network = (method["plan"].get("network") or {}).get("name")
        found += _network(story, method) if network else _classical(story, name, method)
    return found


def _network(story: Story, method: Mapping[str, Any]) -> list[str]:
    plan, network, study = method["plan"].get("plan", {}), method["plan"]["network"], method["plan"].get("study") or {}
    width = f", 首层 {network['width']} 个通道" if network.get("width") else ""
    grid = " × ".join(map(str, plan.get("size") or study.get("patch") or ()))
    name = NETWORKS.get(network["name"], (network["name"],) * 2)[CHINESE]
    found = [f"网络为{name}{width}{f', 输入为 {grid} 像素' if grid else ''}。"]
    kind = (plan.get("normalisation") or {}).get("kind")
    found.append(NORMALISED.get(str(kind), ""))
    if method["bundle"] and story.verb in ("evaluate", "compare"):
        found.append("网络为事先训练, 直接使用。")
    loop = method["plan"].get("loop") or {}
    if study.get("epochs"):
        optimiser = {"adamw": "AdamW", "adam": "Adam", "sgd": "随机梯度下降"}.get(str(loop.get("optimiser")), "优化器")
        found.append(
            f"训练至多 {study['epochs']} 轮, 每轮 {study['steps']} 步, 每步 {study['batch_size']} 个样本; "
            f"采用 {optimiser} 优化, 峰值学习率 {setting(study['learning_rate'])}, "
            f"权重衰减 {setting(loop.get('weight_decay'))}。")
        found += [_augmented(study.get("augment") or {}), "保留验证集上表现最好的权重。"]
    found.append("训练提前结束。" if method["stopped"] else "")
    return [*found, _decided(story, plan, method)]


def _augmented(augment: Mapping[str, Any]) -> str:
    words = {"rotation": "旋转({} 至 {} 度)", "scaling": "缩放({} 至 {} 倍)", "translation": "平移(图像的 {} 至 {})",
             "gain": "对比度({} 至 {} 倍)", "gamma": "伽马({} 至 {})"}
    ranges = dict(leaves(augment))
    found = [text.format(*map(setting, value)) for path, value in ranges.items()
             if (text := words.get(path.rpartition(".")[2])) and len(set(value)) > 1]
    found += ["翻转"] if ranges.get("spatial.flip") else []
    return f"训练图像做随机增强: {'、'.join(found)}。" if found else ""


def _decided(story: Story, plan: Mapping[str, Any], method: Mapping[str, Any]) -> str:
    chosen = []
    if (method.get("last") or {}).get("penalty") is not None:
        chosen.append(f"正则化系数({number(method['last']['penalty'])})")
    if plan.get("temperature") not in (None, 1.0):
        chosen.append(f"概率温度({number(plan['temperature'])})")
    chosen += [said] if (said := calibration_said(plan, CHINESE)) else []
    if plan.get("thresholds"):
        chosen.append(f"判定阈值({', '.join(map(number, plan['thresholds']))})")
    return f"{decided(story, CHINESE)}: {'、'.join(chosen)}。" if chosen else ""


def _classical(story: Story, name: str, method: Mapping[str, Any]) -> list[str]:
    settings = {k: v for k, v in told_settings(method).items() if k != "name"}
    rule = settings.pop("rule", None)
    found = [f"阈值按 {RULES[rule][CHINESE]}确定。" if rule in RULES else ""]
    values = ", ".join(f"{k} = {setting(v)}" for k, v in settings.items())
    found.append(f"参数设置: {values}; 其余为软件默认值。" if values else "")
    found.append("与数据有关的参数仅由训练集确定。" if story.settled(name) else "")
    return [*found, _decided(story, method["plan"].get("plan") or {}, method)]


def _statistics(story: Story, cite: Cite) -> list[str]:
    if not story.scores:
        return ["未记录评价结果。"]
    first = next(iter(story.scores.values()))
    split = SPLITS.get(story.split, ("", story.split))[CHINESE]
    known = [k for k, targets in first["metrics"].items() if any(s.get("value") is not None for s in targets.values())]
    names = "、".join(metric_name(k, CHINESE) for k in known)
    key, target = story.lead
    led = "各类平均" if target == "all" else target
    who = f"{first['n_cases']} 例, {first['n_subjects']} 名受试者"
    found = [f"在{measured(story, split, CHINESE)}({who})上评价, 指标包括 {names}{cite('metrics')}。",
             f"主要指标为 {led} 的 {short_name(key, CHINESE)}。", _intervals(story, first, cite)]
    if story.verb == "train":
        found.append("早停与阈值亦在该验证集上确定, 故上述结果偏乐观。")
        found.append("本次运行未使用测试集。" if "test" in story.splits else "")
    if story.record["arguments"].get("abstain") == "wrong":
        found.append("未给出结果的病例按错误或空结果计。")
    found.append(f"{story.refused} 例无法读取或处理而未纳入。" if story.refused else "")
    best, on = story.record["result"].get("best"), story.record["result"].get("chosen_on")
    if story.verb == "compare" and best:
        found.append(preferred(story, best, CHINESE) if crossed(story) else
                     f"首选方法({best})在打开{split}之前已在{SPLITS.get(on, ('', on))[CHINESE]}上选定。")
    kinds = dict.fromkeys(t["test"] for t in story.tests)
    if kinds:
        holm = ", 并以 Holm 法校正多重比较" if any(t.get("p_holm") is not None for t in story.tests) else ""
        names = "、".join(TESTS.get(k, (k, k))[CHINESE] for k in kinds)
        found.append(f"各方法在相同病例上以{names}比较{holm}{cite('tests')}。")
    if story.verb == "tune":
        result = story.record["result"]
        found.append(f"参数经 {len(result['trials'])} 次试验在验证集上搜索, 保留第 {result['best']} 次试验。")
    return [*found, *beyond(story, CHINESE)]


def _intervals(story: Story, scores: Mapping[str, Any], cite: Cite) -> str:
    how = scores["interval"]
    level = number(round(100 * how["level"]))
    drawn = f"{how['resamples']} 次重抽样, 以受试者为单位, 小样本时加宽"
    text = f"{level}% 置信区间由百分位自助法({drawn})得到{cite('intervals')}"
    if story.single:
        text += "; 每名受试者仅一例, 故比例用 Wilson 区间, AUC 用 DeLong 区间"
    return text + ("。受试者过少, 区间不可靠, 不报告 P 值。" if story.few else "。")


def _software(story: Story, cite: Cite) -> list[str]:
    versions, asked, where = story.record["versions"], story.record["arguments"], story.record["machine"]
    parts = {"python": "Python", "numpy": "NumPy", "scipy": "SciPy"}
    parts |= {"torch": "PyTorch"} if "tool=torch" in story.used() else {}
    engines = {m["engine"] for m in story.methods.values()}
    parts |= {"onnxruntime": "ONNX Runtime"} if "onnxruntime" in engines else {}
    tools = "、".join(f"{name} {versions[key]}" for key, name in parts.items() if key in versions)
    return [f"分析使用 isocenter {versions['isocenter']}({tools}){cite('tools')}, 系统为 {where['system'].capitalize()}"
            f"({where['processor']}), 随机种子 {asked['seed']}, {asked['threads']} 个线程。",
            "运行的设置与全部输入文件的校验和均已记录, 可重复运行。"]


def _results(story: Story) -> list[str]:
    key, target = story.lead
    rows = [f"{name} {_range(s['metrics'][key][target])}" for name, s in story.scores.items()
            if s["metrics"].get(key, {}).get(target, {}).get("value") is not None]
    if not rows:
        return []
    led = "各类平均" if target == "all" else target
    first = next(iter(story.scores.values()))
    level = number(round(100 * first["interval"]["level"]))
    place = measured(story, SPLITS.get(story.split, ("", story.split))[CHINESE], CHINESE)
    name = short_name(key, CHINESE)
    text = f"在{place}(n = {first['n_cases']})上, {led} 的 {name}({level}% CI)为: {'; '.join(rows)}。"
    return ["### 结果部分可用", "", "".join([text, *_differences(story), *found_beyond(story, CHINESE)]), ""]


def _range(score: Mapping[str, Any]) -> str:
    return interval(score).replace(" to ", " 至 ")


def _differences(story: Story) -> Sequence[str]:
    found = []
    for t in story.differences:
        p = t["p_holm"] if t["p_holm"] is not None else t["p"]
        said = "" if p is None else f", P = {number(p)}"
        bounds = f"({number(t['low'])} 至 {number(t['high'])})" if t["low"] is not None else ""
        found.append(f"{t['a']} 与 {t['b']} 之差为 {number(t['difference'])}{bounds}{said}。")
    return found
