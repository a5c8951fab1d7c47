"""Relations of shapes whose answer is known, and gaps beside a search over all faces."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.ops.morphometry import crops
from isocenter.ops.relations import Relation, relations


def related(numbers: np.ndarray, matrix: np.ndarray | None = None, reach: float | None = None) -> tuple[Relation, ...]:
    _, starts, masks = crops(numbers)
    return relations(starts, masks, shape=numbers.shape, matrix=matrix, reach=reach)


def straight(*spacing: float) -> np.ndarray:
    return np.fliplr(np.diag(spacing[::-1]))


def test_two_halves_of_a_field_touch_along_their_border() -> None:
    numbers = np.zeros((60, 80), np.uint8)
    numbers[5:55, 10:40], numbers[5:55, 40:70] = 1, 2
    (found,) = related(numbers)
    assert found.contact == pytest.approx(50, abs=1.2) and found.gap == 0 and found.shared == 0
    assert (found.a_in_b, found.b_in_a) == (0.0, 0.0)
    (mm,) = related(numbers, straight(0.5, 2.0))
    assert mm.contact == pytest.approx(25, abs=2.5) and mm.gap == 0


def test_a_slanted_contact_is_as_long_as_it_is() -> None:
    y, x = np.mgrid[:100, :100]
    disc = np.hypot(y - 50, x - 50) < 40
    numbers = np.where(disc, np.where(y > x, 1, 2), 0).astype(np.uint8)
    # Steps along pixel faces would give 113.
    assert related(numbers)[0].contact == pytest.approx(80, rel=0.03)


def test_a_face_between_volumes_with_thick_slices() -> None:
    numbers = np.zeros((16, 30, 40), np.uint8)
    numbers[3:13, 5:25, 10:20], numbers[3:13, 5:25, 20:30] = 1, 2
    (found,) = related(numbers, straight(3.0, 1.0, 1.0))
    assert found.contact == pytest.approx(30 * 20, rel=0.08) and found.gap == 0
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0] @ straight(3.0, 1.0, 1.0)
    assert related(numbers, turned)[0].contact == pytest.approx(found.contact)


@pytest.mark.parametrize("gap", [1, 2, 7])
def test_apart_by_a_known_gap(gap: int) -> None:
    numbers = np.zeros((30, 40), np.uint8)
    numbers[5:15, 5:15], numbers[5:15, 15 + gap : 25 + gap] = 1, 2
    (found,) = related(numbers, straight(1.0, 0.5))
    assert found.gap == pytest.approx(gap / 2) and found.contact == 0
    assert len(related(numbers, straight(1.0, 0.5), reach=gap / 2 + 0.01)) == 1
    assert related(numbers, straight(1.0, 0.5), reach=gap / 2 - 0.01) == ()


def test_a_lesion_enclosed_by_its_organ() -> None:
    z, y, x = np.mgrid[:24, :40, :40]
    radius = np.sqrt((2 * (z - 12)) ** 2 + (y - 20) ** 2 + (x - 20) ** 2)
    numbers = np.where(radius < 6, 2, np.where(radius < 15, 1, 0)).astype(np.uint8)
    (found,) = related(numbers, straight(2.0, 1.0, 1.0))
    assert found.b_in_a == 1.0 and found.a_in_b == 0.0 and found.shared == 0 and found.gap == 0
    assert found.contact == pytest.approx(4 * np.pi * 36, rel=0.06)
    # As objects that overlap, the margin of the inner one to the outer surface is the gap.
    masks = (radius < 15, radius < 6)
    (both,) = relations(np.zeros((2, 3), np.int64), masks, shape=radius.shape, matrix=straight(2.0, 1.0, 1.0))
    assert both.shared == masks[1].sum() and both.contact is None and both.b_in_a == 1.0
    assert both.a_in_b == pytest.approx(masks[1].sum() / masks[0].sum()) and both.gap == pytest.approx(9, abs=0.8)


def test_partly_outside_is_a_share() -> None:
    masks = (np.ones((10, 10), bool), np.ones((4, 10), bool))
    (found,) = relations(np.array([[5, 5], [13, 5]]), masks, shape=(30, 30))
    assert found.shared == 20 and found.b_in_a == 0.5 and found.a_in_b == 0.2 and found.gap == 0


def test_corners_that_meet_touch_with_no_length() -> None:
    numbers = np.zeros((20, 20), np.uint8)
    numbers[5:10, 5:10], numbers[10:15, 10:15] = 1, 2
    (found,) = related(numbers)
    assert found.gap < 0.8 and found.contact < 0.8


def test_at_the_border_of_the_image_and_on_a_single_slice() -> None:
    numbers = np.zeros((1, 20, 20), np.uint8)
    numbers[0, :10], numbers[0, 10:] = 1, 2
    (found,) = related(numbers, straight(5.0, 1.0, 1.0))
    assert found.contact == pytest.approx(5 * 20, rel=0.05)
    flat = related(numbers[0])
    assert flat[0].contact == pytest.approx(20, abs=1.2)


def test_all_pairs_once_and_none_of_one_object() -> None:
    rng = np.random.default_rng(3)
    numbers = np.zeros((40, 60), np.int32)
    for i in range(6):
        y, x = 13 * (i // 3), 19 * (i % 3)
        numbers[y + 2 : y + 2 + rng.integers(3, 9), x + 2 : x + 2 + rng.integers(3, 15)] = i + 1
    found = related(numbers)
    assert [(r.a, r.b) for r in found] == [(i, j) for i in range(6) for j in range(i + 1, 6)]
    for r in found:
        one, other = (np.argwhere(numbers == n + 1) for n in (r.a, r.b))
        # Boxes along the axes: least distance of their edges.
        low = np.maximum(one.min(0), other.min(0)) - 0.5
        high = np.minimum(one.max(0), other.max(0)) + 0.5
        assert r.gap == pytest.approx(np.linalg.norm(np.maximum(low - high, 0)), abs=0.75)
    assert related((numbers == 1).astype(np.uint8)) == () and related(np.zeros((4, 4), np.uint8)) == ()
