from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases, NotEvaluated
from isocenter.errors import UsageError
from isocenter.infer.envelope import Envelope
from isocenter.verbs._enclosing import at_the_gate, described, enclosed, outsiders
from isocenter.verbs._method import resolve


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, sizes: Cases) -> Path:
    """A linear classifier whose 16 images suffice for modality and blankness, given a limit by hand."""
    folder = tmp_path_factory.mktemp("gate") / "sizes.bundle"
    made = iso.train("classify", sizes, method="linear")
    assert made.method.envelope is not None and made.method.envelope.limit is None
    narrow = replace(made.method.envelope, modalities=("US",))
    replace(made, method=replace(made.method, envelope=narrow)).save(folder)
    return folder


def strange(cases: Cases) -> iso.Image:
    return replace(cases[0].image(), modality="CT")


def test_a_bundle_keeps_its_envelope(bundle: Path, sizes: Cases) -> None:
    kept = resolve(str(bundle)).envelope
    assert isinstance(kept, Envelope) and kept.modalities == ("US",) and kept.rank == 2
    found = iso.predict(str(bundle), strange(sizes))
    assert isinstance(found, NotEvaluated) and found.measured == "CT"
    assert iso.predict(str(bundle), sizes[0].image())
    assert isinstance(iso.load(bundle).predict(iso.Case.of(strange(sizes))), NotEvaluated)


def test_it_can_be_overridden(bundle: Path, sizes: Cases) -> None:
    plain = iso.predict(str(bundle), sizes[0].image())
    assert iso.predict(str(bundle), strange(sizes), outside="answer") == plain
    assert iso.load(bundle, outside="answer").predict(iso.Case.of(strange(sizes))) == plain
    with pytest.raises(UsageError, match="refuse or answer"):
        iso.load(bundle, outside="perhaps")


def test_to_disk_it_says_how_to_answer_all_the_same(bundle: Path, sizes: Cases, tmp_path: Path) -> None:
    for name, array in (("a", sizes[0].image().pixels()), ("b", np.full((24, 24), 9, np.uint8))):
        iso.write(iso.Image.from_array(array), tmp_path / "in" / f"{name}.png")
    made = iso.predict(str(bundle), tmp_path / "in", out=tmp_path / "out")
    assert [i["status"] for i in made.items] == ["answered", "not evaluated"] and made.exit_code == 0
    assert any("--outside answer" in line for line in made.lines())
    again = iso.predict(str(bundle), tmp_path / "in", out=tmp_path / "out", outside="answer", overwrite=True)
    assert [i["status"] for i in again.items] == ["answered", "answered"]


def test_evaluate_answers_and_counts_or_refuses(bundle: Path, sizes: Cases) -> None:
    def foreign(entry: iso.data.Entry) -> iso.data.Entry:
        def opened() -> iso.Case:
            case = entry.open()
            return replace(case, images={"image": replace(case.image(), modality="MR")})

        return replace(entry, open=opened)

    test = sizes.split("test")
    some = replace(test, entries=(*map(foreign, test.entries[:3]), *test.entries[3:]))
    plain = iso.evaluate(str(bundle), some)
    assert any(n.startswith("3 of 8 cases lie outside") and "answered all the same" in n for n in plain.notes)
    strict = iso.evaluate(str(bundle), some, outside="refuse")
    assert sum(c.note.startswith("not evaluated") for c in strict.cases) == 3
    assert not any(c.note for c in plain.cases)


def test_methods_without_an_envelope_pass(squares: Cases) -> None:
    method = resolve("segment/histogram")
    ready, notes = at_the_gate(method, (), squares, options={"outside": "refuse"})
    assert ready.object is method.object and notes == () and outsiders(method, squares) == 0


def test_an_envelope_in_words(squares: Cases) -> None:
    method = enclosed(resolve("segment/histogram"), squares, options={})
    assert method.envelope is not None and "too few" in described(method.envelope.as_json())
    wide = replace(method.envelope, limit=2.0, facts={"n_limit": 60, "from": "val", "refused": 0.05})
    assert described(wide.as_json()) == "refuses 5% of images like those of train, by 60 images of val"


def test_bundles_of_before_answer_everything() -> None:
    old = Path(__file__).parents[1] / "bundle" / "format_1"
    assert resolve(str(old)).envelope is None and described(None).startswith("none")
