from __future__ import annotations

import re
from types import SimpleNamespace

from isocenter.report.paper_chinese import MISSING, methods_chinese
from isocenter.report.paper_english import methods_english
from isocenter.report.paper_story import Story


def silent(*what: str) -> str:
    return ""


def numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.-])-?\d+(?:\.\d+)*", text))


def test_it_reads_like_a_methods_section(papers: SimpleNamespace) -> None:
    text = methods_chinese(papers.story(), lambda *what: f"({' '.join(what)})")
    assert "数据集“chest”共 24 例, 来自 12 名受试者。图像类型为 CT。图像大小为 64 x 64 像素" in text
    assert "训练集 12 例(6 名受试者)、验证集 4 例(2 名受试者)、测试集 8 例(4 名受试者)" in text
    assert "ill(12 例)、healthy(12 例), 以 ill 为阳性。" in text and "同一受试者的数据不跨集合。" in text
    assert "采用基于图像特征的 L2 正则化逻辑回归(method linear)。" in text
    assert "ill 的 AUC(95% CI)为: linear 0.750 (0.500 至 0.900)。" in text
    assert all(f"- {m}" in text for m in MISSING)


def test_both_languages_tell_the_same_numbers(papers: SimpleNamespace) -> None:
    for story in (papers.story(), papers.comparison(), papers.training()):
        assert numbers(methods_chinese(story, silent)) <= numbers(methods_english(story, silent)) | {"1"}


def test_a_comparison_and_a_training(papers: SimpleNamespace) -> None:
    both = methods_chinese(papers.comparison(), silent)
    assert "首选方法(cnn)在打开测试集之前已在验证集上选定。" in both and "以 Holm 法校正多重比较" in both
    assert "linear 与 cnn 之差为 -0.050(-0.100 至 0.010), P = 0.042。" in both
    learnt = methods_chinese(papers.training(), silent)
    assert "网络为ResNet-18, 首层 32 个通道, 输入为 64 × 64 像素。" in learnt and "旋转(-15 至 15 度)、翻转" in learnt
    assert "峰值学习率 0.001, 权重衰减 0.05。" in learnt and "结果偏乐观。本次运行未使用测试集。" in learnt


def test_what_is_unknown_is_said_or_left_out(papers: SimpleNamespace) -> None:
    record = papers.record()
    data = {**record["data"], "subjects_known": False, "images": {}, "left_out": {"无标注": 3},
            "allow": {"leakage": "w"}}
    text = methods_chinese(Story({**record, "data": data, "result": {**record["result"], "n_refused": 2}}), silent)
    assert "未标明患者身份" in text and "图像大小" not in text and "表中 3 行未纳入(无标注)。" in text
    assert "理由: w。" in text and "2 例无法读取" in text
    tuned = papers.story("tune", result={"test": None})
    assert "未记录评价结果。" in methods_chinese(tuned, silent)
