"""Lesions that grow, shrink, split, merge, vanish and come are followed, whatever way the body lies."""

import numpy as np
import pytest

from isocenter.data import Geometry, Instances, Transform
from isocenter.data.findings.followed import Change
from isocenter.inspect.following import Exam, Rules, axial, followed, measured
from isocenter.simulate.follow_up import Ball, examination, moved

GRID = Geometry.from_spacing((28, 64, 64), (2.0, 1.0, 1.0))
COARSE = Geometry.from_spacing((11, 64, 64), (5.0, 1.0, 1.0), origin=(0.3, -0.2, 1.0))
SMALLER = Geometry.from_spacing((14, 32, 32), (2.0, 1.0, 1.0))
FLAT = Geometry.from_spacing((64, 64), (1.0, 1.0))


def exam(balls, grid=GRID, *, lies=None, border=0.0, day=None, numbered=True):
    image, labels = examination(balls, grid, lies=lies, border=border)
    return Exam("e", Instances.from_label_map(labels, grid), image, day)


def follow(*exams, lies=(), rules=None):
    grids = [e.found.geometry for e in exams]
    ways = [Transform.identity(grids[0], grids[0])]
    for k, grid in enumerate(grids[1:]):
        m = lies[k] if k < len(lies) and lies[k] is not None else np.eye(len(grid.affine))
        ways.append(Transform.of_matrix(m, grids[0], grid))
    return followed(exams, ways, rules or Rules())


def states(found):
    return [[None if s is None else s.state for s in lesion.seen] for lesion in found.lesions]


BIG, SMALL = Ball((20.0, 20.0, 28.0), 9.0), Ball((48.0, 46.0, 24.0), 5.0)


@pytest.mark.parametrize("grid", [GRID, COARSE])
@pytest.mark.parametrize("lies", [None, moved(3, turn=8, shift=(4.0, -3.0, 2.0))])
def test_every_fate_on_any_grid_with_the_body_lying_anyhow(grid, lies):
    second = [Ball(BIG.middle, 6.0), Ball((40.0, 12.0, 30.0), 6.0)]
    found = follow(exam([BIG, SMALL]), exam(second, grid, lies=lies), lies=[lies])
    assert states(found) == [["first", "kept"], ["first", "gone"], [None, "new"]]
    change = Change.between(found.lesions[0].sizes(0), found.lesions[0].sizes(1))
    assert change.percent == pytest.approx(100 * ((6 / 9) ** 3 - 1), abs=5)
    assert change.low < 100 * ((6 / 9) ** 3 - 1) < change.high
    assert found.lesions[0].seen[1].overlap == pytest.approx(1.0, abs=0.05)
    assert found.exams[1].residual < 1.0


def test_a_lesion_in_pieces_is_one_lesion_and_its_sizes_add_up():
    pieces = [Ball((15.0, 20.0, 28.0), 4.0), Ball((25.0, 20.0, 28.0), 4.0)]
    found = follow(exam([BIG]), exam(pieces), exam(pieces))
    assert states(found) == [["first", "split", "kept"]]
    seen = found.lesions[0].seen
    assert len(seen[1].parts) == 2
    assert seen[1].size.value == pytest.approx(2 * pieces[0].size, rel=0.1)
    assert seen[2].longest.value == pytest.approx(16, abs=2.1)


def test_two_lesions_that_grow_together():
    two = [Ball((16.0, 20.0, 28.0), 5.0), Ball((28.0, 20.0, 28.0), 6.0)]
    image, labels = examination([Ball(b.middle, 9.0) for b in two], GRID)
    whole = Exam("e", Instances.from_label_map((labels > 0).astype(np.int32), GRID), image)
    found = follow(exam(two), whole, whole)
    assert sorted(states(found)) == [["first", "joined", "joined"], ["first", "merged", "kept"]]
    owner = next(one for one in found.lesions if one.seen[1].state == "merged")
    other = next(one for one in found.lesions if one.seen[1].state == "joined")
    assert owner.seen[1].into == (other.name,) and other.seen[2].into == (owner.name,)
    assert other.sizes(1) is None


def test_a_lesion_may_come_back():
    found = follow(exam([BIG, SMALL]), exam([BIG]), exam([BIG, SMALL]))
    assert states(found)[1] == ["first", "gone", "back"]
    assert np.allclose(found.lesions[1].seen[1].centre, (12, 46, 48), atol=0.5)


def test_small_lesions_that_the_registration_misses_are_matched_within_reach():
    tiny = Ball((30.0, 30.0, 28.0), 2.0)
    lies = moved(3, turn=0, shift=(7.0, 0.0, 0.0))
    assert states(follow(exam([tiny]), exam([tiny], lies=lies))) == [["first", "kept"]]
    near = states(follow(exam([tiny]), exam([tiny], lies=lies), rules=Rules(reach=5.0)))
    assert near == [["first", "gone"], [None, "new"]]


def test_another_class_is_another_lesion():
    def one(kind):
        _, labels = examination([BIG], GRID)
        return Exam("e", Instances.from_label_map(labels, GRID, classes=("liver", "lung"), labels=[kind]))

    assert states(follow(one(0), one(0))) == [["first", "kept"]]
    assert states(follow(one(0), one(1))) == [["first", "gone"], [None, "new"]]


def test_flat_images_and_unknown_spacing():
    discs = [Ball((20.0, 20.0), 8.0)], [Ball((20.0, 20.0), 10.0)]
    found = follow(exam(discs[0], FLAT), exam(discs[1], FLAT))
    assert found.unit == "mm2"
    assert found.lesions[0].sizes(1).value == pytest.approx(100 * np.pi, rel=0.03)
    plain = Geometry((64, 64))
    pixels = [Exam("e", Instances.from_label_map(examination(d, FLAT)[1], plain)) for d in discs]
    ways = [Transform.identity(plain, plain)] * 2
    found = followed(pixels, ways, Rules())
    assert (found.unit, found.length, states(found)) == ("px", "px", [["first", "kept"]])


def test_examinations_without_lesions():
    found = follow(exam([]), exam([BIG]), exam([]))
    assert states(found) == [[None, "new", "gone"]]
    assert [e.lesions for e in found.exams] == [0, 1, 0]
    assert states(follow(exam([]), exam([]))) == []


def test_what_is_too_small_is_no_lesion_and_repeatability_stands_for_the_errors():
    found = measured(exam([BIG, Ball((48.0, 46.0, 24.0), 1.0)]), Rules(least=5.0, repeatability={"size": 10.0}))
    assert len(found.size) == 1
    assert found.size[0].error == pytest.approx(0.1 * found.size[0].value)
    assert found.longest[0].shared > 0


def test_slices_are_those_of_the_patient():
    assert axial(GRID) == 0
    sagittal = GRID.reoriented((2, 1, 0), (False, False, False))
    assert axial(sagittal) == 2
    _, labels = examination([Ball((20.0, 20.0, 28.0), 9.0)], GRID)
    turned = Instances.from_label_map(np.ascontiguousarray(labels.transpose(2, 1, 0)), sagittal)
    ours, theirs = (measured(Exam("e", f), Rules()) for f in (Instances.from_label_map(labels, GRID), turned))
    assert ours.longest[0].value == pytest.approx(theirs.longest[0].value)
    assert ours.size[0].error == pytest.approx(theirs.size[0].error)


def test_the_limits_of_a_change_cover_the_true_one_over_many_seeds():
    rng = np.random.default_rng(0)
    inside, n = 0, 120
    for _ in range(n):
        r = rng.uniform(5, 9), rng.uniform(5, 9)
        shifts = rng.uniform(-1, 1, (2, 3))
        h = (2.0 * 1.0 * 1.0) ** (1 / 3)
        exams = [exam([Ball(tuple(s + 15.0), radius)], SMALLER, border=rng.uniform(-h / 2, h / 2))
                 for s, radius in zip(shifts, r, strict=True)]
        found = follow(*exams, rules=Rules(reach=10))
        change = Change.between(found.lesions[0].sizes(0), found.lesions[0].sizes(1))
        inside += change.low <= 100 * ((r[1] / r[0]) ** 3 - 1) <= change.high
    # 120 of 0.95 lie above 0.90 with a probability of 0.99.
    assert inside / n >= 0.90
