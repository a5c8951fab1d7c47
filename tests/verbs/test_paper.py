from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Cases
from isocenter.errors import MissingFileError, OutputError
from isocenter.report.citing import parsed
from isocenter.report.paper_items import CLAIM, TRIPOD
from isocenter.report.paper_names import METRICS, NETWORKS
from isocenter.verbs._record import read_record
from isocenter.verbs.compare import compare
from isocenter.verbs.evaluate import evaluate
from isocenter.verbs.paper import FILES, Paper, paper
from isocenter.verbs.train import train


def on_disk(cases: Cases, folder: Path) -> Path:
    """The pictures of 24 cases with a table that holds facts, and a README that says whence."""
    rows = ["image,label,subject,split,age,sex"]
    (folder / "images").mkdir(parents=True)
    for i, case in enumerate(cases):
        iso.write(iso.Image.from_array(case.image().pixels()), folder / "images" / f"{i:02d}.png")
        age = "" if i % 5 == 0 else str(40 + i)
        size = "large" if i // 2 % 2 else "small"
        rows.append(f"images/{i:02d}.png,{size},{case.subject},{case.split},{age},{'mf'[i % 2]}")
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "README.md").write_text("- **Origin:** a hospital & friends, doi:10.1234/abc.5\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(squares: Cases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_disk(squares, tmp_path_factory.mktemp("paper") / "squares")


@pytest.fixture(scope="module")
def compared(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper") / "run"
    compare("classify", place, methods=["linear", "mlp"], out=folder, threads=1, facts=["age", "sex"], target="label")
    return folder


@pytest.fixture(scope="module")
def evaluated(squares: Cases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper") / "run"
    evaluate("segment/histogram", squares, out=folder, threads=1)
    return folder


@pytest.fixture(scope="module")
def trained(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="pip install 'isocenter[train]'")
    small = {"study.epochs": 1, "study.steps": 2, "network": "small", "width": 4}
    bundle = tmp_path_factory.mktemp("paper") / "c.bundle"
    train("classify", place, method="cnn", out=bundle, threads=1, settings=small, target="label")
    return bundle


def values(node: Any) -> Iterator[float]:
    """Every number of a record, those inside its text and the lengths of its lists among them."""
    if isinstance(node, bool) or node is None:
        return
    if isinstance(node, (int, float)):
        yield float(node)
    elif isinstance(node, str):
        yield from (float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", node))
    elif isinstance(node, dict):
        yield from (v for pair in node.items() for part in pair for v in values(part))
    elif isinstance(node, list):
        yield float(len(node))
        yield from (v for part in node for v in values(part))


def told(text: str) -> list[str]:
    """The numbers that a text tells: without citations, references and names such as ResNet-18 or F1."""
    text = text.split("## References")[0]
    text = re.sub(r"[(;] ?(?:van )?[A-Z][\w-]+(?: and [A-Z][\w-]+| et al\.)? (?:19|20)\d\d(?=[;)])", "", text)
    for names in (*METRICS.values(), *NETWORKS.values()):
        for name in names:
            text = text.replace(name, "")
    return re.findall(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-]*[A-Za-z])", re.sub(r"\b\d+(?:\.\d+){2,}\S*", "", text))


@pytest.mark.parametrize("kind", ["compared", "evaluated", "trained"])
def test_every_number_of_the_methods_stands_in_the_record(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run = request.getfixturevalue(kind)
    paper(run, out=tmp_path)
    record = read_record(run)
    known = set(values({k: record[k] for k in ("arguments", "data", "methods", "result", "versions", "machine")}))
    known |= {v * 100 for v in known}
    # Cases of a class over all sets are the sum of those of each.
    counts = [row["classes"] for row in record["data"]["splits"].values()]
    known |= {float(sum(c.get(n, 0) for c in counts)) for n in record["data"]["classes"]}
    found = told((tmp_path / "methods.md").read_text(encoding="utf-8"))
    assert len(found) > 30
    for places in {len(text.partition(".")[2]) for text in found}:
        rounded = {round(v, places) + 0.0 for v in known if math.isfinite(v)}
        assert {t for t in found if len(t.partition(".")[2]) == places and float(t) not in rounded} == set()


def test_the_pack_is_whole_and_says_what_is_left(compared: Path) -> None:
    made = paper(compared)
    assert isinstance(made, Paper) and made.folder == compared / "paper"
    assert sorted(p.name for p in made.folder.iterdir()) == sorted(FILES)
    document = json.loads(json.dumps(made.as_json(), allow_nan=False))
    open_ = document["not_provided"]
    assert open_["CLAIM 2024"]["of"] == len(CLAIM) and open_["TRIPOD+AI"]["of"] == len(TRIPOD)
    text = (made.folder / "checklists.md").read_text(encoding="utf-8")
    assert text.count("| not provided |") == sum(v["items"] for v in open_.values())
    assert made.lines()[-1] == f"next: isocenter reproduce {compared}" and made.notes == ()
    with pytest.raises(OutputError, match="--overwrite"):
        paper(compared)
    before = {p.name: p.read_bytes() for p in made.folder.iterdir()}
    paper(compared, overwrite=True)
    assert before == {p.name: p.read_bytes() for p in made.folder.iterdir()}, "the same record, the same bytes"


def test_table_one_of_facts(compared: Path, tmp_path: Path) -> None:
    paper(compared, out=tmp_path)
    with (tmp_path / "table1.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    ages = [40 + i for i in range(12) if i % 5]
    assert rows["age, mean (SD)"][0] == f"{np.mean(ages):.1f} ({np.std(ages, ddof=1):.1f})"
    assert rows["age missing, n"] == ["3", "1", "1"] and rows["sex = m, n (%)"][0] == "6 (50.0)"


def test_references_name_methods_metrics_tools_and_the_data(compared: Path, tmp_path: Path) -> None:
    paper(compared, out=tmp_path)
    entries = {r.key: r for r in parsed((tmp_path / "references.bib").read_text(encoding="utf-8"))}
    assert {"haralick1973", "kingma2015", "hanley1982", "harris2020", "isocenter", "dataset"} <= set(entries)
    assert entries["dataset"].fields["doi"] == "10.1234/abc.5" and r"\&" in entries["dataset"].fields["note"]
    assert "zwanenburg2020" not in entries, "no radiomics was in use"
    text = (tmp_path / "methods.md").read_text(encoding="utf-8")
    assert "Haralick et al. 1973" in text and "- Haralick, Robert M." in text


def test_data_in_memory_can_be_written_up_and_lack_a_source(evaluated: Path, tmp_path: Path) -> None:
    made = paper(evaluated, out=tmp_path)
    assert any("--facts" in n for n in made.notes) and any("README" in n for n in made.notes)
    text = (tmp_path / "references.bib").read_text(encoding="utf-8")
    assert text.startswith("% data set: citation not provided") and "@article{otsu1979," in text
    assert "liao2001" not in text and "dempster1977" not in text, "neither several thresholds nor a mixture were in use"


def test_a_training_is_written_up_from_its_bundle(trained: Path) -> None:
    made = paper(trained)
    assert made.folder == trained.with_name("c.report") / "paper"
    assert any("isocenter evaluate on test" in n for n in made.notes)
    text = (made.folder / "methods.md").read_text(encoding="utf-8")
    assert "1 epoch of 2 steps" in text and "Loshchilov and Hutter 2019" in text and "Paszke et al. 2019" in text
    assert "He et al. 2016" not in text, "the network was no ResNet"


def test_no_identifier_and_no_path_leaves_the_house(compared: Path, tmp_path: Path) -> None:
    paper(compared, out=tmp_path)
    record = read_record(compared)
    for name in FILES:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert str(Path(record["arguments"]["data"]).parent) not in text
        assert not any(row["case"] in text for row in record["outcome"]["cases"]["linear"]), name


def test_without_a_record_there_is_no_paper(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no record"):
        paper(tmp_path)
