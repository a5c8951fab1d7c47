"""What a paper says of cases that were answered fold by fold, in English and in Chinese."""

from __future__ import annotations

from isocenter.report.paper_story import Story

# What tables call the procedure that chooses anew in each fold.
CHOSEN = "chosen"
ENGLISH, CHINESE = 0, 1


def crossed(story: Story) -> bool:
    """Whether a comparison answered every case in folds, so that the sets of the data played no part."""
    return story.verb == "compare" and bool(story.record["arguments"].get("folds"))


def division(story: Story, language: int = ENGLISH) -> str:
    """How the folds were made; "" where there are none."""
    if not crossed(story):
        return ""
    k = story.record["arguments"]["folds"]
    named = (f"{k}-fold cross-validation by group", f"按组划分的 {k} 折交叉验证") if isinstance(k, int) else (
        f"leave-one-{k}-out cross-validation", "逐一留出受试者的交叉验证")
    return (
        f"For this comparison these sets were put together: every case took part in {named[0]}, answered by methods "
        "that had not seen its group, and in each fold a part of the other cases served as validation set.",
        f"本次比较将上述集合合并, 全部病例参与{named[1]}: 每例均由未见过其所在组的方法作答, "
        "各折中其余病例的一部分用作验证集。",
    )[language]  # fmt: skip


def measured(story: Story, named: str, language: int = ENGLISH) -> str:
    """Where performance was measured: all folds together, or what the split is `named`."""
    return ("the test parts of all folds", "各折测试部分")[language] if crossed(story) else named


def preferred(story: Story, best: str, language: int = ENGLISH) -> str:
    """How a method was chosen where that happened inside each fold."""
    inner = story.record["arguments"].get("inner")
    where = (f"in {inner} inner folds of the rest", f"在其余病例的 {inner} 折内层交叉验证中") if inner else (
        "on its validation part", "在其验证部分")
    return (
        f"A method was chosen inside each fold, {where[0]}, without its test part; most often it was {best}.",
        f"各折均{where[1]}选定方法, 不涉及测试部分; 最常选中的是 {best}。",
    )[language]


def procedure(language: int = ENGLISH) -> str:
    """What the row of the procedure is."""
    return (f"“{CHOSEN}” in the tables is the whole procedure, choice included: in each fold the answers of the method "
            "chosen there.", f"表中“{CHOSEN}”为包含选择步骤的完整流程, 即各折中所选方法的结果。")[language]


def decided(story: Story, language: int = ENGLISH) -> str:
    """On what settings were chosen; of folds the record holds those of the last."""
    if crossed(story):
        return ("Chosen on the validation part of each fold, here of the last",
                "在各折验证部分确定, 此处为最后一折")[language]
    return ("Chosen on the validation set", "在验证集上确定")[language]
