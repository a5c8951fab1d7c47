"""Lesions over time by the command: what a person types, reads, and is refused."""

import csv
import json

import numpy as np
import pytest

from isocenter.data import Geometry, Image
from isocenter.faces.cli import main
from isocenter.io import write
from isocenter.simulate.follow_up import Ball, examination, moved

GRID = Geometry.from_spacing((20, 56, 60), (2.5, 1.0, 1.0))
LIVER, LUNG, NODE = Ball((16.0, 16.0, 24.0), 8.0), Ball((44.0, 16.0, 24.0), 6.5), Ball((30.0, 42.0, 26.0), 9.0)


def saved(folder, name, balls, *, lies=None, grid=GRID):
    image, labels = examination(balls, grid, lies=lies)
    write(image, folder / f"{name}_ct.nii.gz")
    write(Image.from_array(labels.astype(np.uint8), geometry=grid), folder / f"{name}.nii.gz")
    return str(folder / f"{name}.nii.gz")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three examinations on one grid: the first lesion shrinks, the second vanishes, the node shrinks, one is new."""
    folder = tmp_path_factory.mktemp("exams")
    new = Ball((46.0, 44.0, 24.0), 5.5)
    saved(folder, "a", [LIVER, LUNG, NODE])
    saved(folder, "b", [Ball(LIVER.middle, 6.0), LUNG, Ball(NODE.middle, 7.5)])
    saved(folder, "c", [Ball(LIVER.middle, 4.0), Ball((900.0, 0.0, 0.0), 1.0), Ball(NODE.middle, 4.5), new])
    return folder


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def asked(three, *more):
    files = [str(three / f"{n}.nii.gz") for n in "abc"]
    return main(["follow", *files, "--names", "1=liver,2=lung,3=node,4=bone", *more])


def test_the_whole_course_of_one_subject(three, tmp_path, capsys):
    out = tmp_path / "followed"
    images = [str(three / f"{n}_ct.nii.gz") for n in "abc"]
    code = asked(three, "--images", *images, "--dates", "2024-01-08", "2024-04-08", "2024-07-08", "-o", str(out))
    said = capsys.readouterr().out
    assert code == 0
    assert "3 lesions at the first of 3 examinations; at the last after 182 days: 2 kept, 1 gone, 1 new." in said
    assert said.strip().splitlines()[-1].startswith("next: isocenter measure")
    sums = rows(out / "sums.csv")
    assert [float(r["day"]) for r in sums] == [0, 91, 182]
    # Longest of the liver's and the lung's, short axis of the node.
    assert float(sums[0]["sum_mm"]) == pytest.approx(16 + 13 + 18, abs=2.5)
    assert float(sums[2]["sum_mm"]) == pytest.approx(8 + 9, abs=2.5)
    assert "at least 30 % below the baseline" in sums[2]["crossed"] and sums[2]["beyond_error"] == "1"
    node = [r for r in rows(out / "lesions.csv") if r["class"] == "node"]
    assert [r["node"] for r in node] == ["1", "1", "1"]
    page = (out / "report" / "report.html").read_text()
    assert "Pictures over time" in page and "2024-01" not in page
    assert not any(w in page.lower() for w in ("partial response", "progressive disease", "stable disease"))


def test_one_document_for_machines(three, capsys):
    assert asked(three, "--json", "--quiet") == 0
    document = json.loads(capsys.readouterr().out)
    assert {"sums", "lesions", "exams", "notes"} <= set(document)
    shrunk = [r for r in document["lesions"] if r["class"] == "liver"]
    assert [r["state"] for r in shrunk] == ["first", "kept", "kept"]
    true = 100 * ((4 / 8) ** 3 - 1)
    assert shrunk[2]["size_from_baseline_percent_low"] < true < shrunk[2]["size_from_baseline_percent_high"]


def test_the_same_files_give_the_same_tables(three, tmp_path):
    for name in ("one", "two"):
        assert asked(three, "-o", str(tmp_path / name), "--quiet") == 0
    for table in ("sums.csv", "lesions.csv", "exams.csv"):
        assert (tmp_path / "one" / table).read_bytes() == (tmp_path / "two" / table).read_bytes()


def test_a_body_that_lies_elsewhere_is_brought_back_by_its_image(tmp_path, capsys):
    lies = moved(3, turn=4, shift=(3.0, -2.0, 2.5))
    first = saved(tmp_path, "a", [LIVER, LUNG])
    second = saved(tmp_path, "b", [Ball(LIVER.middle, 6.0), LUNG], lies=lies)
    images = [str(tmp_path / f"{n}_ct.nii.gz") for n in "ab"]
    code = main(["follow", first, second, "--images", *images, "--register", "intensity", "--json", "--quiet"])
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    exam = document["exams"][1]
    assert exam["brought"] == "register/intensity" and exam["residual_mm"] < 1.5
    assert exam["correlation after"] > exam["correlation before"]


@pytest.mark.parametrize(("words", "told"), [
    (["one"], "nothing to be followed to"),
    (["one", "two", "--dates", "2024-01-01"], "differ in number"),
    (["one", "two", "--dates", "2024-01-01", "soon"], "not a date"),
    (["one", "two", "--register", "intensity"], "needs the images"),
    (["one", "two", "--register", "intensitty"], "no bundle and no method"),
    (["one", "two", "--reach", "-3"], "0 or more"),
    (["one", "two", "--repeatability", "mass=3"], "no repeatability of"),
    (["one", "missing"], "no such file"),
])
def test_refusals_are_one_line_with_a_way_out(three, tmp_path, capsys, words, told):
    files = {"one": str(three / "a.nii.gz"), "two": str(three / "b.nii.gz"), "missing": str(tmp_path / "x.nii.gz")}
    code = main(["follow", *[files.get(w, w) for w in words], "-o", str(tmp_path / "o")])
    err = capsys.readouterr().err.strip()
    assert code in (1, 2) and told in err and "\n" not in err
    assert not (tmp_path / "o").exists()
