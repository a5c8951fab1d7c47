from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Bundle, Case, Geometry, Image, Probabilities, Segmentation, Value, Values
from isocenter.errors import NotFoundError
from isocenter.metrics.resample import wilson
from isocenter.report.asked import ANSWERED, NOT_ASKED, REFUSED
from isocenter.verbs._asking import UNKNOWN, Offer, asked_of, known, offered


@pytest.fixture(scope="module")
def linear(discs: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that tells big discs from small ones, with the envelope of its images."""
    bundle = tmp_path_factory.mktemp("ask") / "size.bundle"
    folder = discs(tmp_path_factory.mktemp("more") / "discs", subjects=16)
    iso.train("classify", folder, method="linear", out=bundle, threads=1)
    return bundle


@pytest.fixture(scope="module")
def disc(discs_folder: Path) -> Case:
    return iso.read(discs_folder / "images" / "case20.png")


def offer(path: Path) -> Offer:
    return Offer(path.stem, path, str(path))


def with_card(**card: object) -> Bundle:
    return Bundle(Path("x"), {"card": card})


def test_the_shipped_bundles_and_those_of_a_folder(linear: Path, disc_bundle: Path, tmp_path: Path) -> None:
    ours = [o.name for o in offered()]
    assert "nuclei" in ours and all(len(o.sha256) == 64 for o in offered())
    assert [o.name for o in offered([linear])] == [*ours, "size"]
    for name, bundle in (("one", linear), ("size", disc_bundle)):
        shutil.copytree(bundle, tmp_path / f"{name}.bundle")
    assert [o.name for o in offered([tmp_path, linear, "nuclei"])] == [*ours, "one", "size", "size (2)"]
    with pytest.raises(NotFoundError, match="isocenter train"):
        offered([tmp_path / "nothing"])


def test_an_image_of_its_kind_is_answered(linear: Path, disc: Case) -> None:
    [one] = asked_of(offer(linear), [disc], folder=None, outside="refuse")
    assert one.status == ANSWERED and one.method == "classify/linear" and one.question.startswith("What is it")
    assert one.answer in ("big", "small") and one.probability is not None and 0.5 <= one.probability <= 1
    assert one.known is not None and one.picture is not None and one.files == ()


def test_what_lies_outside_is_refused_with_the_reason(linear: Path, disc: Case) -> None:
    pixels = disc.image().pixels()
    upset = Case.of(Image.from_array(np.random.default_rng(0).integers(0, 255, pixels.shape, np.uint8)))
    [one] = asked_of(offer(linear), [upset], folder=None, outside="refuse")
    assert one.status == REFUSED and one.why.startswith("outside what it was trained on") and one.known is None
    [one] = asked_of(offer(linear), [upset], folder=None, outside="answer")
    assert one.status == ANSWERED
    deep = Case.of(Image.from_array(np.stack([upset.image().pixels()] * 4)))
    [one] = asked_of(offer(linear), [deep], folder=None, outside="refuse")
    assert one.status == REFUSED and "a volume, and it was trained on flat images" in one.why


def test_without_an_envelope_it_is_not_asked(disc_bundle: Path, disc: Case, tmp_path: Path) -> None:
    [one] = asked_of(offer(disc_bundle), [disc], folder=tmp_path, outside="refuse")
    assert one.status == NOT_ASKED and "no envelope" in one.why and not list(tmp_path.iterdir())
    [one] = asked_of(offer(disc_bundle), [disc], folder=tmp_path, outside="answer")
    assert one.status == ANSWERED and one.probability is None and "disc pixels" in one.answer
    assert [(tmp_path / f).is_file() for f in one.files] == [True, True]


def test_a_damaged_bundle_refuses_and_the_others_go_on(linear: Path, disc: Case, tmp_path: Path) -> None:
    shutil.copytree(linear, tmp_path / "torn.bundle")
    (tmp_path / "torn.bundle" / "state.safetensors").write_bytes(b"torn")
    [one] = asked_of(offer(tmp_path / "torn.bundle"), [disc], folder=None, outside="refuse")
    assert one.status == REFUSED and "cut short" in one.why


def test_each_image_of_a_case_is_asked_about(linear: Path, disc: Case) -> None:
    image = disc.image()
    case = Case("p", {"left": image, "right": image}, lead="left", facts={"age": 61.0})
    asked = asked_of(offer(linear), [case], folder=None, outside="refuse")
    assert [a.image for a in asked] == ["p: left", "p: right"] and {a.status for a in asked} == {ANSWERED}


def test_the_interval_is_the_share_of_right_decisions_at_that_confidence() -> None:
    band = {"least": 0.8, "most": 1.0, "n": 40, "groups": 40, "right": 0.95, "low": 0.83, "high": 0.99}
    low = {**band, "least": 0.5, "most": 0.7, "right": 0.6, "low": 0.44, "high": 0.74}
    bundle = with_card(sureness=[low, band], metrics="auc 0.9 (0.8 to 0.95)")
    found = known(Probabilities(("a", "b"), (0.1, 0.9)), bundle)
    assert (found.low, found.high, found.level, found.n) == (0.83, 0.99, 0.95, 40) and "0.950 of 40 cases" in found.text
    assert known(Probabilities(("a", "b"), (0.25, 0.75)), bundle).low == 0.44
    # Less sure than every case of val: what was measured of the whole bundle is what is left.
    unsure = known(Probabilities(("a", "b", "c"), (0.4, 0.3, 0.3)), bundle)
    assert unsure.low is None and "of the bundle, not of this answer: auc" in unsure.text


def test_what_the_card_measured_else_that_none_is_known() -> None:
    mask = Segmentation(np.zeros((4, 4), np.uint8), ("background", "x"), Geometry.from_spacing((4, 4), None))
    rows = [{"metric": "dice", "target": "x", "value": 0.9, "low": None, "high": None, "n": 1, "split": "val"},
            {"metric": "dice", "target": "y", "value": 0.8, "low": 0.7, "high": 0.9, "n": 12, "split": "val"}]
    found = known(mask, with_card(metrics=rows))
    assert (found.low, found.high, found.n) == (0.7, 0.9, 12) and "dice of y 0.800 on 12 cases of val" in found.text
    assert known(mask, with_card(metrics=rows[:1])).text == UNKNOWN and known(mask, None).text == UNKNOWN
    number = known(Values({"age": Value(61.0, "a", 55.0, 67.0)}), None)
    assert (number.low, number.high, number.text) == (55.0, 67.0, "of the number itself, in a")


def test_a_bundle_keeps_how_often_it_was_right_on_val(discs, tmp_path: Path) -> None:
    folder = discs(tmp_path / "many", subjects=24)
    head, *rows = (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()
    # Two pictures each of 12 subjects in val.
    rows = [row.rsplit(",", 1)[0] + (",val" if i < 24 else ",train") for i, row in enumerate(rows)]
    (folder / "manifest.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    iso.train("classify", folder, method="linear", out=tmp_path / "a.bundle", threads=1)
    index = json.loads((tmp_path / "a.bundle" / "bundle.json").read_text(encoding="utf-8"))
    [band] = index["card"]["sureness"]
    assert band["n"] == 24 and band["groups"] == 12 and band["right"] == 1.0
    assert band["low"] == pytest.approx(wilson(12, 12, 0.95)[0], abs=1e-6)
    assert "## Right decisions on val by confidence" in (tmp_path / "a.bundle" / "card.md").read_text(encoding="utf-8")


def test_a_method_of_several_modalities_is_asked_about_the_whole_case(linear: Path, disc: Case, monkeypatch) -> None:
    import isocenter.verbs._asking as asking

    class Several:
        lead = "left"
        about: dict[str, object] = {}

        def predict(self, case: Case) -> Probabilities:
            return Probabilities(("a", "b"), (0.2, 0.8) if len(case.images) == 2 else (0.8, 0.2))

    found = asking.opened(linear)
    monkeypatch.setattr(asking, "opened", lambda path: replace(found, object=Several(), envelope=None))
    case = Case("p", {"left": disc.image(), "right": disc.image()}, lead="left")
    [one] = asked_of(offer(linear), [case], folder=None, outside="answer")
    assert one.image == "p" and one.answer == "b" and one.probability == 0.8
