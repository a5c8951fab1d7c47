"""Lesions that grow, shrink, split, merge, vanish and come are followed, whatever way the body lies."""

import numpy as np
import pytest

from isocenter.data import Geometry, Instances, Transform
from isocenter.data.findings.followed import Change
from isocenter.inspect.following import Exam, Rules, axial, followed, large_enough, measured, outlined
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


def test_lesions_are_found_again_through_an_examination_that_lies_elsewhere():
    lies = [moved(3, turn=5, shift=(6.0, 2.0, -1.0)), moved(3, turn=-7, shift=(-4.0, 5.0, 3.0))]
    late = Ball((40.0, 16.0, 30.0), 5.0)
    exams = exam([BIG]), exam([BIG, late], lies=lies[0]), exam([BIG, late], lies=lies[1])
    found = follow(*exams, lies=lies)
    # The new one is known in the second world alone, and is carried over by way of the baseline.
    assert states(found) == [["first", "kept", "kept"], [None, "new", "kept"]]
    assert found.lesions[1].seen[2].overlap > 0.9 and found.lesions[1].seen[2].shift < 1.0


def test_one_that_merged_and_falls_apart_again_is_in_pieces():
    two = [Ball((16.0, 20.0, 28.0), 5.0), Ball((28.0, 20.0, 28.0), 6.0)]
    _, labels = examination([Ball(b.middle, 9.0) for b in two], GRID)
    whole = Exam("e", Instances.from_label_map((labels > 0).astype(np.int32), GRID))
    found = follow(exam(two), whole, exam(two))
    assert sorted(map(str, states(found))) == sorted(map(str, [["first", "merged", "split"],
                                                               ["first", "joined", "joined"]]))
    owner = next(one for one in found.lesions if one.seen[1].state == "merged")
    assert len(owner.seen[2].parts) == 2


@pytest.mark.parametrize("grid", [GRID, COARSE])
def test_small_lesions_do_not_slip_between_thick_slices(grid):
    tiny = [Ball((10.0 + 9 * i, 12.0 + 8 * i, 24.0 + i), 2.6) for i in range(5)]
    thin = Geometry.from_spacing((56, 64, 64), (1.0, 1.0, 1.0))
    found = follow(exam(tiny, grid), exam(tiny, thin))
    seen = [s for s in states(found) if s[0] == "first"]
    assert seen and all(s == ["first", "kept"] for s in seen)
    overlaps = [one.seen[1].overlap for one in found.lesions if one.seen[0] is not None]
    assert min(overlaps) > 0.4


def test_many_lesions_keep_their_names_under_a_small_error_of_the_map():
    rng = np.random.default_rng(0)
    wide = Geometry.from_spacing((20, 120, 120), (2.0, 1.0, 1.0))
    at = [(12.0 + 16 * i, 12.0 + 16 * j, 18.0) for i in range(7) for j in range(7)]
    radii = rng.uniform(3, 5, len(at))
    first = [Ball(tuple(p), r) for p, r in zip(at, radii, strict=True)]
    second = [Ball(tuple(np.add(p, (2.0, -1.5, 1.0))), r * 0.9) for p, r in zip(at, radii, strict=True)]
    found = follow(exam(first, wide), exam(second, wide))
    assert states(found) == [["first", "kept"]] * 49
    assert found.exams[1].residual == pytest.approx(np.linalg.norm((2.0, 1.5, 1.0)), abs=0.3)
    # They are named by size.
    sizes = [one.sizes(0).value for one in found.lesions]
    assert sizes == sorted(sizes, reverse=True)


def test_a_lesion_that_leaves_the_field_of_view_is_gone_without_a_guess():
    away = moved(3, turn=0, shift=(60.0, 0.0, 0.0))
    found = follow(exam([BIG]), exam([BIG], lies=away), lies=[away])
    at = found.lesions[0].seen[1]
    assert at.state == "gone" and at.centre[2] > GRID.shape[2] and at.size is None


def test_a_map_without_a_place_for_a_lesion_matches_nothing():
    from isocenter.data.findings.transform import Field

    nowhere = np.zeros((3, *GRID.shape), np.float32)
    nowhere[0] = 500.0
    ways = [Transform.identity(GRID, GRID), Transform((Field(nowhere, GRID),), GRID, GRID)]
    found = followed([exam([BIG]), exam([BIG])], ways, Rules())
    assert states(found) == [["first", "gone"], [None, "new"]]


def test_the_burden_is_the_sum_of_all_and_shared_errors_add():
    both = measured(exam([BIG, SMALL]), Rules())
    found = follow(exam([BIG, SMALL]), exam([BIG]))
    assert found.exams[0].burden.value == pytest.approx(BIG.size + SMALL.size, rel=0.04)
    assert found.exams[0].burden.shared == pytest.approx(sum(s.shared for s in both.size))
    assert found.exams[0].burden.random < sum(s.random for s in both.size)
    assert [e.lesions for e in found.exams] == [2, 1]


def test_an_outline_is_that_of_the_slice_with_the_longest_diameter():
    one = exam([BIG])
    held = outlined(one.found, [0])
    areas = one.found.label_map().sum((1, 2))
    assert areas[held.plane] == areas.max() == held.mask.sum()
    length = np.linalg.norm((held.ends[1] - held.ends[0]) * (1.0, 1.0))
    assert length == pytest.approx(measured(one, Rules()).longest[0].value)
    pieces = exam([Ball((15.0, 20.0, 28.0), 4.0), Ball((25.0, 20.0, 28.0), 4.0)])
    assert outlined(pieces.found, [0, 1]).mask.sum() > outlined(pieces.found, [0]).mask.sum()


def test_objects_below_the_least_diameter_leave():
    both = exam([BIG, Ball((48.0, 46.0, 24.0), 1.0)])
    assert len(large_enough(both, Rules(least=5.0)).found) == 1
    assert large_enough(both, Rules()) is both


def test_maps_that_bend_carry_lesions_in_both_directions():
    lies = [moved(3, turn=3, shift=(3.0, 2.0, -1.0)), moved(3, turn=-2, shift=(-2.0, 3.0, 1.0))]
    late = Ball((40.0, 16.0, 30.0), 5.0)
    exams = [exam([BIG]), exam([BIG, late], lies=lies[0]), exam([BIG, late], lies=lies[1])]
    ways = [Transform.identity(GRID, GRID), *(Transform.of_matrix(m, GRID, GRID).as_field() for m in lies)]
    found = followed(exams, ways, Rules())
    assert states(found) == [["first", "kept", "kept"], [None, "new", "kept"]]
    assert found.exams[2].residual < 1.0
