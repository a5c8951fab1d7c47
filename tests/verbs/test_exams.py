"""Examinations come from label files, from images and a method, or from a table; what leaves a doubt is refused."""

import csv

import numpy as np
import pytest

from isocenter.data import OBJECT, Geometry, Image, Instances, NotEvaluated, Segmentation
from isocenter.errors import GeometryError, InputError, LabelError, NotFoundError, UsageError
from isocenter.io import write
from isocenter.simulate.follow_up import Ball, examination
from isocenter.verbs._exams import Asked, courses, organs_known

GRID = Geometry.from_spacing((12, 40, 40), (2.0, 1.0, 1.0))


def asked(**more):
    plain = {"images": None, "dates": None, "find": None, "names": None, "whole": False, "date": "date", "options": {}}
    return Asked(**{**plain, **more})


def labelled(*balls):
    return examination([Ball(*b) for b in balls], GRID)


def saved(folder, name, *balls, numbers=True):
    image, labels = labelled(*balls)
    values = labels if numbers else (labels > 0)
    write(Image.from_array(values.astype(np.uint8), geometry=GRID), folder / f"{name}.nii.gz")
    write(image, folder / f"{name}_ct.nii.gz")
    return folder / f"{name}.nii.gz"


TWO = ((10.0, 10.0, 12.0), 4.0), ((28.0, 28.0, 12.0), 5.0)


def test_each_part_of_a_label_map_is_a_lesion_of_no_class(tmp_path):
    paths = [saved(tmp_path, n, *TWO) for n in ("a", "b")]
    [found] = courses(paths, asked(dates=["2024-01-01", "2024-04-01"]))
    assert [len(e.found) for e in found.exams] == [2, 2]
    assert found.exams[0].found.classes == (OBJECT,)
    assert [e.day for e in found.exams] == [0, 91]
    assert found.notes == () and str(paths[0]) in found.identifiers
    assert not organs_known(found.exams)


def test_names_are_classes_and_images_come_along(tmp_path):
    paths = [saved(tmp_path, n, *TWO) for n in ("a", "b")]
    images = [tmp_path / f"{n}_ct.nii.gz" for n in ("a", "b")]
    [found] = courses(paths, asked(names={1: "liver", 2: "node"}, images=images))
    assert found.exams[0].found.classes == ("liver", "node")
    assert found.exams[1].image.shape == GRID.shape
    assert organs_known(found.exams) and "no dates" in found.notes[0]


def test_a_number_may_be_one_lesion_in_several_places():
    _, labels = labelled(*TWO)
    one = Image.from_array((labels > 0).astype(np.uint8), geometry=GRID)
    for whole, n in ((True, 1), (False, 2)):
        [found] = courses([one, one], asked(whole=whole))
        assert len(found.exams[0].found) == n


def test_dates_put_examinations_in_order():
    first, second = (labelled(*TWO[:n])[1] for n in (1, 2))
    exams = [Instances.from_label_map(labels, GRID) for labels in (second, first)]
    [found] = courses(exams, asked(dates=["20240401", "20240101"]))
    assert [len(e.found) for e in found.exams] == [1, 2]
    assert "order of their dates" in found.notes[0]


class Bright:
    """Whatever is brighter than a limit."""

    def predict(self, case):
        image = case.image()
        labels = (image.pixels() > 145).astype(np.uint8)
        if not labels.any():
            return NotEvaluated("nothing is bright")
        return Segmentation(labels, ("background", "lesion"), image.geometry)


def test_a_method_finds_the_lesions_of_images():
    image, _ = examination([Ball(*b) for b in TWO], GRID, noise=0.0)
    [found] = courses([image, image], asked(find=Bright()))
    assert len(found.exams[0].found) >= 2 and found.exams[0].image is not None
    dark = Image.from_array(np.zeros(GRID.shape, np.float32), geometry=GRID)
    with pytest.raises(InputError, match="nothing is bright"):
        courses([image, dark], asked(find=Bright()))


def table(folder, rows):
    with (folder / "exams.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder / "exams.csv"


def rows_of(folder, **more):
    for name in ("a", "b", "c"):
        saved(folder, name, *TWO, numbers=False)
    base = [{"image": f"{n}_ct.nii.gz", "mask": f"{n}.nii.gz", "subject": s, "date": d}
            for n, s, d in (("a", "p1", "2024-04-01"), ("b", "p1", "2024-01-01"), ("c", "p2", "2024-01-01"))]
    return [{**row, **more} for row in base]


def test_a_table_holds_subjects_with_dates(tmp_path):
    [found] = courses(table(tmp_path, rows_of(tmp_path)), asked())
    assert found.subject == "p1" and [e.day for e in found.exams] == [0, 91]
    assert [len(e.found) for e in found.exams] == [2, 2]


@pytest.mark.parametrize(("more", "words"), [
    ({"subject": ""}, "whose examinations"), ({"date": "2024-01-01"}, "same date"),
])
def test_tables_that_leave_a_doubt_are_refused(tmp_path, more, words):
    with pytest.raises(UsageError, match=words):
        courses(table(tmp_path, rows_of(tmp_path, **more)), asked())


def test_a_table_of_single_examinations_or_without_the_column_is_refused(tmp_path):
    rows = rows_of(tmp_path)
    with pytest.raises(UsageError, match="no subject has two"):
        courses(table(tmp_path, rows[1:]), asked())
    path = table(tmp_path, rows)
    with pytest.raises(NotFoundError, match="no column 'scanned'"):
        courses(path, asked(date="scanned"))
    with pytest.raises(UsageError, match="brings its own"):
        courses(path, asked(dates=["1", "2"]))


def test_one_examination_and_wrong_numbers_of_things_are_refused(tmp_path):
    path = saved(tmp_path, "a", *TWO)
    with pytest.raises(UsageError, match="nothing to be followed to"):
        courses([path], asked())
    for more in ({"dates": ["1"]}, {"images": [tmp_path / "a_ct.nii.gz"]}):
        with pytest.raises(UsageError, match="differ in number"):
            courses([path, path], asked(**more))


def test_labels_on_another_grid_than_their_image_are_refused(tmp_path):
    path = saved(tmp_path, "a", *TWO)
    other = Image.from_array(np.zeros((5, 6, 7), np.float32), spacing=(1.0, 1.0, 1.0))
    with pytest.raises(GeometryError):
        courses([path, path], asked(images=[other, other]))


def test_images_where_labels_belong_are_told_where_to_go(tmp_path):
    saved(tmp_path, "a", *TWO)
    with pytest.raises(LabelError, match="--images"):
        courses([tmp_path / "a.nii.gz", tmp_path / "a_ct.nii.gz"], asked())


def test_images_of_several_patients_are_refused(tmp_path, monkeypatch):
    from dataclasses import replace

    from isocenter.data import Source
    from isocenter.verbs import _exams

    image, labels = labelled(*TWO)
    names = {"one.dcm": "aa", "two.dcm": "bb"}
    images = [image.replaced(image.load, source=replace(Source(), files=(n,), format="dicom")) for n in names]
    monkeypatch.setattr(_exams, "_patient", lambda i: names[i.source.files[0]])
    found = Instances.from_label_map(labels, GRID)
    with pytest.raises(UsageError, match="different patients"):
        courses([found, found], asked(images=images))
    [same] = courses([found, found], asked(images=[images[0]] * 2))
    assert len(same.exams) == 2


def test_a_film_of_labels_is_no_examination(tmp_path):
    _, labels = labelled(*TWO)
    film = Image.from_array(np.stack([labels[0]] * 3).astype(np.uint8), axes="tyx")
    with pytest.raises(InputError, match="film"):
        courses([film, film], asked())


def test_an_untrained_method_finds_nothing(tmp_path):
    image, _ = labelled(*TWO)
    with pytest.raises(UsageError, match="trained first"):
        courses([image, image], asked(find="segment/unet"))


def test_what_answers_no_regions_finds_no_lesions():
    class Number:
        def predict(self, case):
            from isocenter.data import Value, Values

            return Values({"age": Value(3.0, "a")})

    image, _ = labelled(*TWO)
    with pytest.raises(InputError, match="regions or objects"):
        courses([image, image], asked(find=Number()))


def test_cases_in_memory_are_a_table(tmp_path):
    from isocenter.layouts import read

    cases = read(table(tmp_path, rows_of(tmp_path)), task="segment")
    [found] = courses(cases, asked())
    assert found.subject == "p1" and len(found.exams) == 2


def test_organs_are_known_by_names_that_say_something():
    def of(*names):
        _, labels = labelled(*TWO[: len(names)])
        found = Instances.from_label_map(labels, GRID, classes=names, labels=list(range(len(names))))
        from isocenter.inspect.following import Exam

        return [Exam("e", found)]

    assert organs_known(of("liver", "node")) and not organs_known(of("lesion")) and not organs_known(of("1", "2"))
    assert not organs_known([])
