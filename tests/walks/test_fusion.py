"""Several images and facts of one patient, some missing: from a table to answers, their reasons and refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Case, Image, NotEvaluated, Probabilities
from isocenter.data.findings.contributions import Contributions
from isocenter.errors import InputError

Run = Callable[..., CompletedProcess[str]]
QUICK = {"branch.size": 8, "branch.width": 4, "branch.depth": 2, "branch.tokens": 4, "learning.epochs": 4}
DECLARED = {
    "format": 1, "table": "table.csv", "case": "patient", "role": "modality", "subject": "patient", "split": "split",
    "facts": ["age", "sex"], "truth": {"classify": {"column": "ill", "positive": "yes"}},
}  # fmt: skip


def images(i: int) -> dict[str, Image]:
    """A volume of everyone and a slice of two thirds, brighter in the ill."""
    rng, ill = np.random.default_rng(i), i % 2
    pet, ct = rng.normal(3, 1, (5, 6, 7)), rng.normal(40, 9, (8, 9))
    pet[1:4, 2:5, 2:5] += 4 * ill
    ct[2:6, 2:6] += 10 * ill
    made = {"PET": Image.from_array(pet.astype(np.float32), spacing=(3.0, 3.0, 3.0))}
    return made | ({"slide": Image.from_array(np.clip(ct, 0, 255).astype(np.uint8))} if i % 3 else {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """44 patients, a row an image."""
    there = tmp_path_factory.mktemp("patients")
    rows = ["image,patient,modality,split,ill,age,sex"]
    for i in range(44):
        split = "train" if i < 24 else "val" if i < 36 else "test"
        age = "" if i % 4 == 0 else str(50 + 10 * (i % 2) + i % 7)
        for role, image in images(i).items():
            name = f"{i}_{role}{'.nii.gz' if role == 'PET' else '.png'}"
            iso.write(image, there / name)
            rows.append(f"{name},p{i},{role},{split},{('no', 'yes')[i % 2]},{age},{'MF'[i // 2 % 2]}")
    (there / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (there / "cases.json").write_text(json.dumps(DECLARED), encoding="utf-8")
    return there


@pytest.fixture(scope="module")
def bundle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fusion that needs PET."""
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("fused") / "fused.bundle"
    made = iso.train("classify", folder, method="fusion", out=out, settings={**QUICK, "required": ["PET"]}, threads=1)
    said = [note for note in made.notes if note.partition(":")[0] in ("PET", "slide", "facts")]
    assert len(said) == 3 and all("no interval, so no proof" in note for note in said)
    assert "slide: in 16 cases of train" in made.report.read_text(encoding="utf-8").casefold()
    return out


def test_it_is_scored_and_answers_a_patient(here: Run, folder: Path, bundle: Path, tmp_path: Path) -> None:
    scored = here("evaluate", bundle, folder, "--split", "test", "--threads", 1)
    assert scored.returncode == 0, scored.stderr
    assert "8 cases" in scored.stdout and "engine" in scored.stdout
    # The order of the inputs does not matter: the envelope is that of PET.
    words = [f"slide={folder / '37_slide.png'}", f"PET={folder / '37_PET.nii.gz'}", "age=61", "sex=F"]
    answered = [here("predict", bundle, *order, "-o", tmp_path / name) for order, name in
                ((words, "a"), (words[1::-1] + words[2:], "b"))]  # fmt: skip
    assert [a.returncode for a in answered] == [0, 0], answered[0].stderr
    assert len({a.stdout.split(": ")[1].split(" ->")[0] for a in answered}) == 1


def test_what_is_missing_is_answered_without_and_what_is_required_is_not(folder: Path, bundle: Path) -> None:
    pet, slide = str(folder / "37_PET.nii.gz"), str(folder / "37_slide.png")
    found = [iso.predict(bundle, given, outside="answer") for given in (
        {"PET": pet, "slide": slide, "age": 61.0}, {"PET": pet, "age": 61.0}, {"PET": pet}, pet)]  # fmt: skip
    assert all(isinstance(f, Probabilities) for f in found)
    assert len({f.values for f in found}) == 3 and found[2] == found[3]
    alone = iso.predict(bundle, {"slide": slide, "age": 61.0})
    assert isinstance(alone, NotEvaluated) and alone.reason == "the case lacks PET"


def test_facts_of_the_wrong_kind_are_refused(here: Run, folder: Path, bundle: Path, tmp_path: Path) -> None:
    for fact, said in (("age=old", "'age' is text where other cases have a number"), ("sex=X", "train has not"),
                       ("sex=1", "'sex' is a number where train has text")):
        done = here("predict", bundle, f"PET={folder / '37_PET.nii.gz'}", fact, "-o", tmp_path / "out")
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_it_answers_without_torch(folder: Path, bundle: Path) -> None:
    case = {"PET": str(folder / "38_PET.nii.gz"), "slide": str(folder / "38_slide.png"), "age": 52.0}
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import isocenter as iso\n"
        f"print(iso.predict({str(bundle)!r}, {case!r}, outside='answer').values)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(iso.predict(bundle, case, outside="answer").values)


def test_what_each_added_is_explained(here: Run, folder: Path, bundle: Path, tmp_path: Path) -> None:
    words = [f"PET={folder / '37_PET.nii.gz'}", f"slide={folder / '37_slide.png'}", "age=61", "sex=F"]
    done = here("explain", bundle, *words, "--method", "modalities", "-o", tmp_path / "why")
    assert done.returncode == 0, done.stderr
    assert "log-odds" in done.stdout and "slide" in done.stdout and "facts" in done.stdout
    [document] = (tmp_path / "why").glob("*drop-one.json")
    told = json.loads(document.read_text(encoding="utf-8"))
    # PET is required, so that it cannot be taken away.
    assert set(told["contributions"]) == {"slide", "facts"} and (tmp_path / "why").glob("*.svg")
    found = iso.explain(bundle, Case("x", images(37), "PET", facts={"age": 61.0, "sex": "F"}), method="modalities")
    assert isinstance(found.found, Contributions | NotEvaluated)


def test_one_method_several_times_in_one_table(here: Run, folder: Path) -> None:
    settings = [f"{name}.{k}={v}" for name in ("fusion", "pet") for k, v in QUICK.items()]
    settings += ['pet.only=["PET"]', "presence.sees=presence", "presence.learning.epochs=4"]
    done = here("compare", "classify", folder, "--methods", "fusion,pet=fusion,presence=fusion", "--split", "test",
                "--threads", 1, *[word for s in settings for word in ("--set", s)])  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    assert {"fusion", "pet", "presence"} <= first
    assert "best on val" in done.stdout


def test_a_table_that_mixes_words_and_numbers_is_refused(folder: Path) -> None:
    header, *rows = (folder / "table.csv").read_text(encoding="utf-8").splitlines()
    odd = [f"../{row}".replace("train,yes,61,", "train,yes,sixty-one,") for row in rows]
    (folder / "odd").mkdir()
    (folder / "odd" / "table.csv").write_text("\n".join([header, *odd]) + "\n", encoding="utf-8")
    (folder / "odd" / "cases.json").write_text(json.dumps(DECLARED), encoding="utf-8")
    with pytest.raises(InputError, match="is text where other cases have a number: got 'sixty-one'"):
        iso.train("classify", folder / "odd", method="fusion", settings=QUICK, threads=1)


def test_no_image_need_be_there_in_every_patient(here: Run, folder: Path, tmp_path: Path) -> None:
    header, *rows = (folder / "table.csv").read_text(encoding="utf-8").splitlines()
    # Some patients have the slide alone.
    gone = {f"{i}_PET.nii.gz" for i in (1, 8, 22, 29, 43)}
    lone = [row for row in rows if row.partition(",")[0] not in gone]
    (folder / "some").mkdir()
    (folder / "some" / "table.csv").write_text("\n".join([header, *(f"../{r}" for r in lone)]) + "\n", encoding="utf-8")
    (folder / "some" / "cases.json").write_text(json.dumps(DECLARED), encoding="utf-8")
    few = [word for k, v in QUICK.items() for word in ("--set", f"{k}={v}")]
    words = ("train", "classify", folder / "some", "--method", "fusion", "-o", tmp_path / "any.bundle", "--threads", 1)
    assert "--role any" in here(*words, *few).stderr
    done = here(*words, *few, "--role", "any")
    assert done.returncode == 0, done.stderr
    found = iso.load(tmp_path / "any.bundle").about["removed"]
    assert found["PET"]["train"] + found["PET"]["val"] < 36 and found["slide"]["train"] == 16
    scored = here("evaluate", tmp_path / "any.bundle", folder / "some", "--split", "test", "--role", "any")
    assert scored.returncode == 0 and "8 cases" in scored.stdout, scored.stderr
    alone = iso.predict(tmp_path / "any.bundle", {"slide": str(folder / "37_slide.png")}, outside="answer")
    assert isinstance(alone, Probabilities)


def test_it_is_asked_about_the_whole_patient_with_every_other_bundle(
    here: Run, folder: Path, bundle: Path, tmp_path: Path
) -> None:
    words = [f"slide={folder / '37_slide.png'}", f"PET={folder / '37_PET.nii.gz'}", "age=61", "sex=F"]
    done = here("predict", "--all", *words, "-o", tmp_path / "page", "--bundles", bundle, "--threads", 1, "--json")
    told = [a for a in json.loads(done.stdout)["asked"] if a["bundle"] == "fused"]
    assert done.returncode == 0, done.stderr
    assert len(told) == 1 and told[0]["status"] == "answered" and told[0]["answer"] in ("yes", "no")
    assert 0 < told[0]["probability"] <= 1 and told[0]["interval"]["text"]
    alone = here("predict", "--all", words[0], "-o", tmp_path / "alone", "--bundles", bundle, "--threads", 1, "--json")
    [lacking] = [a for a in json.loads(alone.stdout)["asked"] if a["bundle"] == "fused"]
    assert lacking["status"] == "refused" and "PET" in lacking["why"]
