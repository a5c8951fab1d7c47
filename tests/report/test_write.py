"""A report on disk: complete, unnamed, repeatable, small, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.data import CaseScore, Problem, Score, Scores
from isocenter.errors import OutputError, UsageError
from isocenter.report import Explanation, MethodResult, Picture, Run, write_report
from isocenter.report.view import IDENTIFIED, RESEARCH
from isocenter.report.write import LIMIT, chapters, earlier_key, known_of, problems_csv, read_key_table, spared_of

SURNAME = "Quastenberg"


@pytest.fixture(scope="module")
def small(segmented: Callable[..., Run], classified: Callable[..., Run]) -> Run:
    """Two chapters in which a surname is planted wherever a person could be named."""
    seg = segmented(n=8)
    seg = replace(
        seg,
        notes=(f"{SURNAME}_003 was scanned twice.",),
        plan={"file": f"C:\\{SURNAME}\\plan.json"},
        samples=tuple(replace(s, case=f"{SURNAME}_001", text=f"of {SURNAME}_001") for s in seg.samples[:2]),
        facts={"Folder": f"/data/{SURNAME}"},
        card={"data": f"{SURNAME}_001 to {SURNAME}_007"},
        chosen_by=f"Dice on {SURNAME}_002",
        problems=(
            *seg.problems,
            Problem("x", "note", f"{SURNAME.upper()} is dark", f"{SURNAME} row", f"a/{SURNAME}.png", SURNAME, SURNAME),
        ),
        identifiers=(*seg.identifiers, f"/data/{SURNAME}/b.nii.gz", SURNAME),
    )
    return Run("Two studies", verb="demo", created="2026-11-20", parts=(seg, classified(n=60)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small: Run, key: bytes) -> Path:
    path = tmp_path_factory.mktemp("report")
    assert write_report(small, path, key=key) == path / "report.html"
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_everything_is_there(folder: Path) -> None:
    names = set(files(folder))
    assert {
        "report.html",
        "cases.csv",
        "table.csv",
        "table.md",
        "table.tex",
        "tests.csv",
        "problems.csv",
        "inputs.csv",
        "card.md",
        "private/identifiers.csv",
        "private/.gitignore",
        "figures/1-cases.svg",
        "figures/1-case-unet-1.svg",
        "figures/2-roc.svg",
    } <= names
    assert not [n for n in names if ".part" in n]


def test_figures_are_xml(folder: Path) -> None:
    for path in (folder / "figures").iterdir():
        assert ElementTree.fromstring(path.read_bytes()).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_planted_surname_is_nowhere_but_in_the_private_file(folder: Path) -> None:
    for name, data in files(folder).items():
        assert SURNAME.lower() not in name.lower()
        if not name.startswith("private/"):
            assert SURNAME.lower() not in data.decode("utf-8").lower(), name
    assert SURNAME in (folder / "private" / "identifiers.csv").read_text(encoding="utf-8")


def test_the_private_file_leads_from_codes_back_to_names(folder: Path) -> None:
    names = read_key_table(folder / "private" / "identifiers.csv")
    with (folder / "cases.csv").open(encoding="utf-8", newline="") as file:
        codes = {row["case"] for row in csv.DictReader(file) if row["chapter"] == "1"}
    assert {names[c] for c in codes} == {f"{SURNAME}_{i:03d}" for i in range(8)}
    assert (folder / "private" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_identified_prints_names_and_says_so_everywhere(small: Run, tmp_path: Path, key: bytes) -> None:
    write_report(small, tmp_path, key=key, identified=True)
    written = files(tmp_path)
    page = written["report.html"].decode("utf-8")
    assert f"{SURNAME}_00" in page
    assert page.count(IDENTIFIED) == 2
    for name, data in written.items():
        if name.endswith((".svg", ".md", ".tex")) and name != "card.md":
            assert IDENTIFIED in data.decode("utf-8"), name


def test_every_file_for_people_says_research_only(folder: Path) -> None:
    for name, data in files(folder).items():
        if name.endswith((".html", ".svg", ".md", ".tex")):
            assert RESEARCH in data.decode("utf-8"), name


def test_the_same_run_and_key_give_the_same_bytes(folder: Path, small: Run, tmp_path: Path, key: bytes) -> None:
    write_report(small, tmp_path, key=key)
    assert files(tmp_path) == files(folder)


def test_written_again_a_report_keeps_its_key(tmp_path: Path) -> None:
    run = Run(
        "t",
        methods=(
            MethodResult(
                "unet", Scores("segment", "unet", "test", {}, (CaseScore("case-9", "g", {"dice": {"values": {}}}),), 1)
            ),
        ),
    )
    write_report(run, tmp_path)
    first, key = files(tmp_path), earlier_key(tmp_path)
    assert key is not None and len(key) == 32
    write_report(run, tmp_path, overwrite=True)
    assert files(tmp_path) == first
    shutil.rmtree(tmp_path / "private")
    write_report(run, tmp_path, overwrite=True)
    assert files(tmp_path)["cases.csv"] != first["cases.csv"]


def test_figures_of_an_earlier_report_do_not_stay(tmp_path: Path, small: Run, key: bytes) -> None:
    write_report(small, tmp_path, key=key)
    (tmp_path / "figures" / "notes.txt").write_text("mine", encoding="utf-8")
    write_report(Run("t"), tmp_path, key=key, overwrite=True)
    assert [p.name for p in (tmp_path / "figures").iterdir()] == ["notes.txt"]


def test_a_broken_key_file_is_no_key(tmp_path: Path) -> None:
    assert earlier_key(tmp_path) is None
    (tmp_path / "private").mkdir()
    for text in ("", "kind,code\n", "kind,code,identifier\nkey,,nothex\n"):
        (tmp_path / "private" / "identifiers.csv").write_text(text, encoding="utf-8")
        assert earlier_key(tmp_path) is None


def test_nothing_is_overwritten_unasked(folder: Path, small: Run, key: bytes) -> None:
    before = files(folder)
    with pytest.raises(OutputError, match="--overwrite"):
        write_report(small, folder, key=key)
    assert files(folder) == before


def test_a_folder_that_cannot_be_made_is_refused_and_keys_must_be_long(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError):
        write_report(Run("t"), tmp_path / "file" / "report")
    with pytest.raises(UsageError):
        write_report(Run("t"), tmp_path / "r", key=b"short")
    assert not (tmp_path / "r").exists()


def test_an_empty_run_is_a_page(tmp_path: Path) -> None:
    page = write_report(Run("Nothing yet"), tmp_path / "肺 study").read_text(encoding="utf-8")
    assert "Nothing yet" in page and RESEARCH in page


def test_two_hundred_cases_with_large_noisy_pictures_stay_below_the_limit(tmp_path: Path, key: bytes) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
    y, x = np.mgrid[:512, :512]
    truth = ((y - 256) ** 2 + (x - 256) ** 2 < 160**2).astype(np.uint8)
    shown = Picture(
        noise, truth, np.roll(truth, 9), ("background", "lung"), case="case-0", rank="worst", text="Dice 0.9"
    )
    methods = []
    for name in ("a", "b", "c"):
        values = rng.random(200)
        cases = tuple(
            CaseScore(f"case-{i}", f"g{i}", {"dice": {"values": {"lung": float(v)}}}) for i, v in enumerate(values)
        )
        scores = Scores(
            "segment", name, "test", {"dice": {"lung": Score(float(values.mean()), 0.4, 0.6, 200)}}, cases, 200
        )
        methods.append(MethodResult(name, scores, pictures=(shown,) * 3))
    heat = Explanation(noise, rng.normal(size=(512, 512)), "lung", "grad-cam")
    run = Run("Large", task="segment", methods=tuple(methods), samples=(shown,) * 16, explanations=(heat,) * 8)
    page = write_report(run, tmp_path, key=key)
    assert page.stat().st_size <= LIMIT
    assert page.read_text(encoding="utf-8").count('class="pic"') == 9 + 16 + 16


def test_pictures_get_coarser_when_the_page_would_be_too_large(
    segmented: Callable[..., Run], key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from isocenter.report import write
    from isocenter.report.privacy import Codes

    run = segmented(n=8, samples=(), explanations=())
    large = Picture(np.random.default_rng(0).integers(0, 256, (500, 500), dtype=np.uint8))
    run = replace(run, methods=(replace(run.methods[0], pictures=(large,)),))
    fine, _ = write.fitting(run, Codes(key))
    monkeypatch.setattr(write, "LIMIT", len(fine) - 1)
    coarse, figures = write.fitting(run, Codes(key))
    assert len(coarse) < len(fine) and figures


def test_problems_as_a_table_name_nobody(key: bytes) -> None:
    from isocenter.report.privacy import Codes

    text = problems_csv(
        [Problem("x", "error", "=1+1", "/a/Mustermann.nii", "Mustermann", "", "")], Codes(key, ["Mustermann"])
    )
    assert "Mustermann" not in text and "'=1+1" in text


def test_who_is_known_and_what_is_spared(small: Run) -> None:
    known, spared = known_of(small), spared_of(small)
    assert {f"{SURNAME}_000", f"{SURNAME}^0", "scan-0000", "person-0", f"/data/{SURNAME}/b.nii.gz"} <= known
    assert {"unet", "kidney", "test", "simulated-kidneys", "dice", "pneumonia", "segment"} <= spared


def test_chapters_are_numbered() -> None:
    run = Run("a", parts=(Run("b", parts=(Run("c"),)), Run("d")))
    assert [(n, r.title) for n, r in chapters(run)] == [("", "a"), ("1", "b"), ("1-1", "c"), ("2", "d")]


def test_checksums_of_inputs_stand_beside_codes(folder: Path) -> None:
    text = (folder / "inputs.csv").read_text(encoding="utf-8")
    assert f"{0:064x}" in text and hashlib.sha256(b"").hexdigest() not in text
