"""What the page shows is cut out where the lesion is, on any orientation."""

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances, Transform
from isocenter.inspect.following import Exam, Rules, followed
from isocenter.inspect.recist import summed
from isocenter.simulate.follow_up import Ball, examination
from isocenter.verbs._exams import Course
from isocenter.verbs._follow_page import DRAWN, page_of

GRID = Geometry.from_spacing((16, 60, 64), (3.0, 1.0, 1.0))
BIG, NEW = Ball((20.0, 24.0, 21.0), 8.0), Ball((46.0, 40.0, 24.0), 5.0)


def exam(balls, grid=GRID, image=True, day=None):
    picture, labels = examination(balls, grid)
    return Exam("e", Instances.from_label_map(labels, grid), picture if image else None, day)


def paged(*exams):
    grids = [e.found.geometry for e in exams]
    found = summed(followed(exams, [Transform.identity(grids[0], g) for g in grids], Rules()))
    return page_of([found], [Course("p7", exams, (), ("p7",))], "isocenter follow")


def test_tiles_show_the_lesion_with_its_outline_and_diameter():
    made = paged(exam([BIG], day=0.0), exam([NEW], day=30.0))
    first, second = made.strips
    assert (first.name, [t is None for t in second.tiles]) == ("L1", [True, False])
    here, gone = first.tiles
    assert here.mask.sum() == pytest.approx(64 * np.pi, rel=0.05)
    assert here.pixels[here.mask].mean() > here.pixels[~here.mask].mean() + 40
    length = np.linalg.norm((here.ends[1] - here.ends[0]) * here.spacing)
    assert length == pytest.approx(16, abs=1.5)
    assert gone.mask is None and "gone" in gone.text
    assert here.text == "17.0 mm, 2.19 ml"
    assert made.facts["examination 2, day 30"].startswith("1 lesion, ")


def test_slices_are_axial_on_every_orientation():
    turned = GRID.reoriented((2, 1, 0), (False, False, False))
    base = exam([BIG])
    labels = np.ascontiguousarray(base.found.label_map().transpose(2, 1, 0))
    image = Image.from_array(np.ascontiguousarray(base.image.pixels().transpose(2, 1, 0)), geometry=turned)
    other = Exam("e", Instances.from_label_map(labels, turned), image)
    own, theirs = (paged(e, e).strips[0].tiles[0] for e in (base, other))
    assert own.mask.sum() == theirs.mask.sum()
    assert set(own.spacing) == set(theirs.spacing) == {1.0}


def test_without_images_outlines_stand_on_grey():
    shown = paged(exam([BIG], image=False), exam([BIG], image=False)).strips[0].tiles[0]
    assert np.unique(shown.pixels).tolist() == [90] and shown.mask.any()


def test_of_many_lesions_the_targets_and_new_ones_are_drawn():
    many = [Ball((8.0 + 12 * i, 8.0 + 12 * j, 21.0), 2.0 + 0.1 * (i + j)) for i in range(5) for j in range(4)]
    made = paged(exam([BIG, *many[2:]]), exam([BIG, *many[2:], NEW]))
    names = [s.name for s in made.strips]
    assert len(names) == DRAWN and "L1" in names
    assert any(s.tiles[0] is None for s in made.strips)


def test_flat_images_and_several_subjects():
    flat = Geometry.from_spacing((60, 64), (1.0, 1.0))
    one = exam([Ball((20.0, 24.0), 8.0)], flat)
    made = paged(one, one)
    assert made.strips[0].tiles[0].mask.any() and "mm2" in made.strips[0].tiles[0].text
    found = [made.followed, made.followed]
    both = page_of(found, [Course("p1", (one, one)), Course("p2", (one, one))], "")
    assert len(both.parts) == 2 and both.title.startswith("Lesions of 2 subjects")


def test_colours_stay_colours():
    flat = Geometry.from_spacing((60, 64), (1.0, 1.0))
    _, labels = examination([Ball((20.0, 24.0), 8.0)], flat)
    photograph = Image.from_array(np.random.default_rng(0).integers(0, 255, (3, 60, 64)).astype(np.uint8), axes="cyx",
                                  geometry=flat)
    one = Exam("e", Instances.from_label_map(labels, flat), photograph)
    assert paged(one, one).strips[0].tiles[0].pixels.shape[2] == 3


def test_a_lesion_beyond_the_image_has_no_tile():
    grids = GRID, Geometry.from_spacing(GRID.shape, (3.0, 1.0, 1.0), origin=(200.0, 0.0, 0.0))
    exams = exam([BIG]), exam([], grids[1])
    found = summed(followed(exams, [Transform.identity(grids[0], g) for g in grids], Rules()))
    made = page_of([found], [Course("", exams)], "")
    assert [t is None for t in made.strips[0].tiles] == [False, True]


def test_lesions_that_grow_together_are_told_and_drawn_as_one():
    two = [Ball((20.0, 24.0, 21.0), 5.0), Ball((32.0, 24.0, 21.0), 5.5)]
    _, labels = examination([Ball(b.middle, 8.0) for b in two], GRID)
    whole = Exam("e", Instances.from_label_map((labels > 0).astype(np.int32), GRID), exam(two).image)
    made = paged(exam(two), whole)
    texts = [s.tiles[1].text for s in made.strips]
    assert any(t.startswith("merged: ") for t in texts) and any(t == "grown into another (L1)" for t in texts)


def test_facts_tell_how_each_was_brought_over():
    made = paged(exam([BIG], day=0.0), exam([BIG], day=30.0))
    assert "0.0 mm from where expected" in made.facts["examination 2, day 30"]
    assert "brought over" not in made.facts["examination 1, day 0"]
    assert made.rows[0][0] == "lesion" and made.rows[1][0] == "L1 target"
    assert "p7" in made.identifiers
