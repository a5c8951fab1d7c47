"""The whole way: files in; findings, tables and a page out."""

import csv
import json

import numpy as np
import pytest

import isocenter as iso
from isocenter.data import Geometry, Image, Instances
from isocenter.errors import GeometryError, OutputError, UsageError
from isocenter.io import write
from isocenter.simulate.follow_up import Ball, examination, moved
from isocenter.verbs.follow import follow

GRID = Geometry.from_spacing((20, 56, 60), (2.5, 1.0, 1.0))
FIRST = [Ball((18.0, 18.0, 24.0), 8.0), Ball((42.0, 38.0, 26.0), 6.0)]
SECOND = [Ball((18.0, 18.0, 24.0), 5.0), Ball((40.0, 14.0, 24.0), 5.5)]
LIES = moved(3, turn=5, shift=(2.0, -3.0, 1.0))


@pytest.fixture
def files(tmp_path):
    for name, balls, lies in (("jan", FIRST, None), ("apr", SECOND, LIES)):
        image, labels = examination(balls, GRID, lies=lies)
        write(image, tmp_path / f"{name}_ct.nii.gz")
        write(Image.from_array((labels > 0).astype(np.uint8), geometry=GRID), tmp_path / f"{name}.nii.gz")
    return [str(tmp_path / f"{n}.nii.gz") for n in ("jan", "apr")]


class Known:
    """Answers with the matrix by which the body lies elsewhere."""

    def predict(self, case):
        from isocenter.data import Transform

        return Transform.of_matrix(LIES, case.images["fixed"].geometry, case.images["moving"].geometry)


def images(files):
    return [f.replace(".nii.gz", "_ct.nii.gz") for f in files]


def test_files_become_tables_a_document_and_a_page(files, tmp_path):
    out = tmp_path / "o"
    made = follow(files, out=out, images=images(files), register=Known(), dates=["2024-01-08", "2024-04-02"],
                  names={1: "liver"}, command="isocenter follow")
    assert [[s and s.state for s in one.seen] for one in made.subjects[0].lesions] == [
        ["first", "kept"], ["first", "gone"], [None, "new"]]
    with (out / "lesions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = next(r for r in rows if r["lesion"] == "L1" and r["exam"] == "2")
    assert float(kept["size_from_baseline_percent"]) == pytest.approx(100 * ((5 / 8) ** 3 - 1), abs=6)
    assert kept["class"] == "liver" and float(kept["day"]) == 85
    document = json.loads((out / "followed.json").read_text())
    assert document["sums"][1]["gone"] == 1 and "2024" not in json.dumps(document)
    page = (out / "report" / "report.html").read_text()
    assert "Lesions over time" in page and "L3" in page and "<script" not in page
    assert "2024-01-08" not in page and "jan_ct" not in page
    assert made.lines()[-1].startswith("next: isocenter measure")
    with pytest.raises(OutputError):
        follow(files, out=out, register="world")


def test_without_a_folder_nothing_is_written_and_the_next_command_writes(files, tmp_path):
    before = sorted(tmp_path.iterdir())
    made = iso.follow(files, register="world")
    assert sorted(tmp_path.iterdir()) == before
    assert made.next.startswith("isocenter follow ") and made.next.endswith("-o followed")
    assert any("no organs" in n for n in made.subjects[0].notes)
    json.dumps(made.as_json(), allow_nan=False)


def test_examinations_that_do_not_lie_on_each_other_are_noticed(files):
    far = moved(3, turn=0, shift=(7.0, 0.0, 0.0))
    exams = [Instances.from_label_map(examination(FIRST, GRID, lies=m)[1], GRID) for m in (None, far)]
    notes = follow(exams, register="world").subjects[0].notes
    assert any("may not be aligned" in n for n in notes)
    assert not any("may not be aligned" in n for n in follow(exams[:1] * 2, register="world").subjects[0].notes)


def test_a_table_of_several_subjects_is_a_page_with_chapters(files, tmp_path):
    lines = ["subject,date,image,mask"]
    for subject in ("p1", "p2"):
        for name, date in (("jan", "2024-01-08"), ("apr", "2024-04-02")):
            lines.append(f"{subject},{date},{name}_ct.nii.gz,{name}.nii.gz")
    (tmp_path / "exams.csv").write_text("\n".join(lines) + "\n")
    made = follow(tmp_path / "exams.csv", out=tmp_path / "o")
    assert [one.subject for one in made.subjects] == ["p1", "p2"]
    assert {r["subject"] for r in made.tables["sums"].rows} == {"p1", "p2"}
    page = (tmp_path / "o" / "report" / "report.html").read_text()
    assert page.count("Every lesion, first against last") == 2
    assert ">p1<" not in page


def test_no_lesions_no_spacing_and_small_ones_are_said(files):
    none = [Instances.none(("object",), GRID, scored=False)] * 2
    assert any("no examination holds a lesion" in n for n in follow(none).subjects[0].notes)
    plain = [Instances.from_label_map(examination(FIRST, GRID)[1], Geometry(GRID.shape))] * 2
    assert any("spacing is unknown" in n for n in follow(plain).subjects[0].notes)
    small = [Instances.from_label_map(examination([Ball((18.0, 18.0, 24.0), 3.0)], GRID)[1], GRID)] * 2
    assert any("large enough" in n for n in follow(small).subjects[0].notes)
    assert follow(small, least=9.0).subjects[0].lesions == ()


def test_repeatability_and_border_change_the_limits_not_the_change(files):
    plain, sure, wide = (follow(files, register="world", **o).subjects[0].lesions[0].seen[0].size for o in (
        {}, {"border": 0.0}, {"repeatability": {"size": 30.0}}))
    assert plain.value == sure.value == wide.value
    assert sure.error < plain.error < wide.error
    assert wide.error == pytest.approx(0.3 * wide.value)


@pytest.mark.parametrize("options", [
    {"reach": -1.0}, {"border": float("nan")}, {"repeatability": {"volume": 3.0}}, {"least": float("inf")},
])
def test_options_out_of_range_are_refused(files, options):
    with pytest.raises(UsageError):
        follow(files, register="world", **options)


def test_examinations_that_share_no_world_are_refused_with_the_way_out(files, tmp_path):
    moved_grid = Geometry.from_spacing(GRID.shape, (2.5, 1.0, 1.0), origin=(9.0, 0.0, 0.0))
    other = Instances.from_label_map(examination(FIRST, moved_grid)[1], moved_grid)
    with pytest.raises(GeometryError, match="--register"):
        follow([files[0], other])


def test_the_folder_of_results_holds_results_alone(files, tmp_path):
    made = follow(files, out=tmp_path / "o", register="world")
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == [
        "exams.csv", "followed.json", "lesions.csv", "report", "sums.csv"]
    assert {f.name for f in made.files} == {"exams.csv", "followed.json", "lesions.csv", "report.html", "sums.csv"}
    assert all(f.is_file() for f in made.files)
    again = follow(files, out=tmp_path / "o", register="world", overwrite=True)
    assert again.tables["lesions"].rows == made.tables["lesions"].rows


def test_images_that_a_method_searches_are_followed_from_scratch(tmp_path):
    class Bright:
        def predict(self, case):
            from isocenter.data import Segmentation

            image = case.image()
            labels = (image.pixels() > 175).astype(np.uint8)
            return Segmentation(labels, ("background", "lesion"), image.geometry)

    images = [examination(balls, GRID, noise=1.0)[0] for balls in (FIRST, FIRST[:1])]
    made = follow(images, find=Bright(), least=8.0)
    kept = [one for one in made.subjects[0].lesions if one.seen[0] is not None and one.seen[1].state == "kept"]
    gone = [one for one in made.subjects[0].lesions if one.seen[0] is not None and one.seen[1].state == "gone"]
    assert kept and gone and kept[0].kind == "lesion"
