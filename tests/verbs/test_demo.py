"""The tour, made small."""

from __future__ import annotations

import pytest

from isocenter.errors import OutputError
from isocenter.verbs import demo as module
from isocenter.verbs.demo import demo


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, "SUBJECTS", 16)
    tiny = {"unet.width": 4, "unet.depth": 2, "unet.study.epochs": 1, "unet.study.steps": 2, "unet.study.batch_size": 2}
    monkeypatch.setattr(module, "STUDY", {**tiny, "unet.study.patch": [80, 80]})


def test_the_tour_compares_a_network_with_classical_methods_in_one_report(small, tmp_path):
    pytest.importorskip("torch")
    found = demo(out=tmp_path / "tour", threads=1)
    assert set(found.comparison.methods) == {"unet", "histogram", "morphology"}
    assert found.comparison.tests and all(t.p is None for t in found.comparison.tests), "4 subjects carry no p"
    page = found.report.read_text(encoding="utf-8")
    for words in (
        "Vessels of a retina", "Densest tissue of a CT slice", "Nuclei of a stained section", "simulated",
        "research use only",
    ):  # fmt: skip
        assert words.lower() in page.lower()
    assert found.lines()[-1] == "next: isocenter look YOUR_FOLDER"
    with pytest.raises(OutputError, match="--overwrite"):
        demo(out=tmp_path / "tour")


def test_without_torch_it_says_what_it_skips(small, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = demo(out=tmp_path / "tour", threads=1)
    assert set(found.comparison.methods) == {"histogram", "morphology"}
    assert any("isocenter[train]" in note for note in found.notes)


def test_nuclei_are_outlined_counted_and_listed():
    part, found = module.nuclei()
    assert len(found) > 100 and part.facts["nuclei"] == str(len(found))
    drawn = part.methods[0].pictures[0]
    assert len(drawn.marks) == len(found) and {m.kind for m in drawn.marks} == {"answered"} and drawn.image.ndim == 3


def test_what_lies_outside_a_gate_is_answered_and_said():
    part, _ = module.nuclei()
    [retina] = module.retina([])
    assert all("--outside answer" in run.notes[0] and "limit" in run.notes[0] for run in (part, retina))
    without = module.tissues()
    assert "--outside" not in without.notes[0]


def test_the_ct_is_measured_in_its_own_units():
    part = module.tissues()
    assert "mm²" in part.headline and part.methods[0].pictures[0].spacing is not None
