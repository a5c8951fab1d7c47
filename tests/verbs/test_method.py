from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from isocenter.data import Case, Cases, Probabilities, Watch
from isocenter.errors import NotFoundError, RecipeError, UsageError
from isocenter.verbs._method import Method, opened, resolve, shown
from isocenter.verbs._recipe import settings_of


class Answers:
    def predict(self, case: Case) -> Probabilities:
        return Probabilities(("a", "b"), (1.0, 0.0))


class Learns:
    def fit(self, train: Cases, valid: Cases, *, watch: Watch) -> Answers:
        return Answers()


def test_task_and_method() -> None:
    found = resolve("segment/histogram", settings=settings_of({"levels": 3}))
    assert (found.task, found.method, found.name, found.object.levels) == ("segment", "histogram", "histogram", 3)
    assert found.learns and found.answers and not found.studies
    assert resolve("histogram", task="segment").object.levels is None


def test_a_network_studies() -> None:
    found = resolve("classify/cnn")
    assert found.learns and found.studies and not found.answers


def test_a_command_names_shipped_bundles_by_name_and_others_by_path(disc_bundle: Path) -> None:
    assert resolve("retina-vessels").reference == "retina-vessels"
    assert resolve(str(disc_bundle)).reference.endswith(disc_bundle.name)
    assert resolve("segment/histogram").reference == "segment/histogram"


def test_a_bundle_by_its_path(disc_bundle: Path) -> None:
    found = resolve(disc_bundle)
    assert (found.name, found.task, found.method) == ("disc", "segment", "unet")
    assert not found.learns and found.answers and found.bundle is not None
    assert opened(disc_bundle).object.about["classes"] == ["background", "disc"]


def test_a_bundle_takes_no_settings_and_answers_its_own_question(disc_bundle: Path) -> None:
    with pytest.raises(RecipeError, match="takes no settings"):
        resolve(disc_bundle, settings=settings_of({"levels": 3}))
    with pytest.raises(UsageError, match="another question"):
        resolve(disc_bundle, task="classify")
    with pytest.raises(UsageError, match="another question"):
        resolve("segment/histogram", task="classify")


def test_objects_that_answer_or_learn() -> None:
    found = resolve(Answers(), task="classify")
    assert found == Method("Answers", "classify", "Answers", found.object)
    assert found.answers and not found.learns
    assert resolve(Learns(), task="classify").learns
    with pytest.raises(UsageError, match="neither answers nor learns"):
        resolve(object())


def test_a_class_of_a_third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_methods.py").write_text(
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Mine:\n    level: int = 1\n"
        "    def predict(self, case): return None\n", encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = resolve("segment/my_methods:Mine", settings=settings_of({"level": 4}))
    assert found.object.level == 4
    assert resolve("my_methods:Mine", task="segment").object.level == 1


@pytest.mark.parametrize(
    ("spec", "task", "nearest"),
    [
        ("histgram", "segment", "segment/histogram"),
        ("segment/unnet", None, "segment/unet"),
        ("nothing", None, "BUNDLE"),
    ],
)
def test_unknown_names_bring_the_nearest(spec: str, task: str | None, nearest: str) -> None:
    with pytest.raises(NotFoundError, match=nearest):
        resolve(spec, task=task)


def test_names_on_a_command_line() -> None:
    assert shown("histogram", "segment") == "segment/histogram"
    assert shown("mine.bundle", "segment") == "mine.bundle"


def test_what_a_part_learnt_from_counts_for_the_whole(disc_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = resolve("segment/greedy", settings=settings_of({"on": {"use": str(disc_bundle)}}))
    assert [p.name for p in found.parts] == ["disc"] and found.fingerprint == {}
    about = {**found.parts[0].bundle.about, "fingerprint": {"train": ["aa", "bb"]}}
    bundle = replace(found.parts[0].bundle, about=about)
    known = replace(found, parts=(replace(found.parts[0], bundle=bundle),))
    assert known.fingerprint == {"disc.train": ["aa", "bb"]}
    with pytest.raises(RecipeError, match="on must be trained first"):
        resolve("segment/greedy", settings=settings_of({"on": {"use": "segment/unet"}}))


def test_a_part_takes_the_settings_beside_its_use_and_must_be_trained() -> None:
    part = {"use": "segment/histogram", "levels": 3}
    found = resolve("segment/graph_cut", settings=settings_of({"on": part}))
    assert found.object.on.levels == 3 and [p.method for p in found.parts] == ["histogram"]
    inner = resolve("segment/graph_cut", settings=settings_of({"on": {"use": "segment/region_growing", "on": part}}))
    assert inner.object.on.on.levels == 3
    with pytest.raises(RecipeError, match=r"unknown field 'level'.*levels"):
        resolve("segment/graph_cut", settings=settings_of({"on": {"use": "segment/histogram", "level": 3}}))
    with pytest.raises(RecipeError, match=r"on must be trained first.*UNet.*bundle"):
        resolve("segment/graph_cut", settings=settings_of({"on": {"use": "segment/unet"}}))
