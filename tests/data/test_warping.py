"""Images, regions and boxes follow a transform in both directions."""

import numpy as np
import pytest

from isocenter.data import Boxes, Geometry, Image, Instances, Segmentation, Transform
from isocenter.data.warping import warped
from isocenter.errors import GeometryError

FIXED, MOVING = Geometry((20, 30)), Geometry((40, 50))
# Fixed (x, y) lies at moving (x + 6, y + 3).
SHIFT = Transform.of_matrix(np.array([[1.0, 0, 6], [0, 1, 3], [0, 0, 1]]), FIXED, MOVING)


def marked(grid, at):
    pixels = np.zeros(grid.shape, np.uint8)
    pixels[at] = 200
    return pixels


def test_a_marked_pixel_follows_in_both_directions():
    moving = Image.from_array(marked(MOVING, (10, 20)))
    out = warped(SHIFT, moving)
    assert out.shape == (20, 30)
    assert out.dtype == "float32"
    assert np.argwhere(out.pixels() > 100).tolist() == [[7, 14]]
    fixed = Image.from_array(marked(FIXED, (7, 14)))
    assert np.argwhere(warped(SHIFT.inverse(), fixed).pixels() > 100).tolist() == [[10, 20]]


def test_channels_frames_and_type_stay():
    pixels = np.random.default_rng(0).integers(0, 255, (2, 3, 40, 50)).astype(np.uint8)
    image = Image.from_array(pixels, axes="tcyx", channels=("r", "g", "b"))
    out = warped(SHIFT, image, order=0)
    assert (out.axes, out.shape, out.dtype, out.channels) == ("tcyx", (2, 3, 20, 30), "uint8", ("r", "g", "b"))
    assert np.array_equal(out.pixels(), pixels[:, :, 3:23, 6:36])


def test_what_lies_outside_is_said():
    away = Transform.of_matrix(np.array([[1.0, 0, 40], [0, 1, 0], [0, 0, 1]]), FIXED, MOVING)
    out = warped(away, Image.from_array(np.ones(MOVING.shape)), outside=-7.0).pixels()
    assert (out[:, :10] == 1).all()
    assert (out[:, 10:] == -7).all()


def test_regions_keep_their_names_and_numbers():
    labels = np.zeros(MOVING.shape, np.uint8)
    labels[10:20, 10:20], labels[15:18, 15:18] = 1, 2
    out = warped(SHIFT, Segmentation(labels, ("background", "a", "b"), MOVING))
    assert out.names == ("background", "a", "b")
    assert np.array_equal(out.labels, labels[3:23, 6:36])


def test_boxes_move_turn_and_leave():
    edges = np.array([[[9.5, 19.5], [12.5, 24.5]], [[35.0, 45.0], [39.0, 49.0]]])
    boxes = Boxes(edges, np.array([0, 1]), ("a", "b"), MOVING, np.array([0.9, 0.8]))
    out = warped(SHIFT, boxes)
    assert out.edges.tolist() == [[[6.5, 13.5], [9.5, 18.5]]]
    assert out.labels.tolist() == [0]
    quarter = Transform.of_matrix(np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]), FIXED, MOVING)
    inside = Boxes(np.array([[[3.0, 10.0], [6.0, 14.0]]]), np.array([0]), ("a",), MOVING)
    assert warped(quarter, inside).edges.tolist() == [[[10, 3], [14, 6]]]
    assert len(warped(SHIFT, Boxes.none(("a",), MOVING))) == 0


def test_another_grid_is_refused():
    with pytest.raises(GeometryError, match="another grid"):
        warped(SHIFT, Image.from_array(np.zeros((4, 4))))


def test_pixels_are_read_when_asked_for_and_twice_the_same():
    rng = np.random.default_rng(1)
    image = Image.from_array(rng.random(MOVING.shape))
    half = Transform.of_matrix(np.array([[1.0, 0, 0.5], [0, 1, 0.25], [0, 0, 1]]), FIXED, MOVING)
    out = warped(half, image)
    p = image.pixels()
    expected = 0.75 * 0.5 * (p[4, 4] + p[4, 5]) + 0.25 * 0.5 * (p[5, 4] + p[5, 5])
    assert out.pixels()[4, 4] == pytest.approx(expected, rel=1e-5)
    assert np.array_equal(out.pixels(), out.pixels())


def oblique(shape, spacing, seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q[:, 0] *= np.linalg.det(q)
    affine = np.eye(4)
    affine[:3, :3] = q * np.array(spacing)
    affine[:3, 3] = [5.0, -7.0, 3.0]
    return Geometry(shape, tuple(map(tuple, affine.tolist())))


@pytest.mark.parametrize("order", [0, 1])
def test_volumes_of_any_spacing_and_direction_are_resampled_as_simpleitk_does(order):
    sitk = pytest.importorskip("SimpleITK", reason="pip install 'isocenter[dev]'")
    from isocenter.io import to_sitk

    fixed, moving = oblique((9, 10, 11), (2.0, 1.0, 1.5), 1), oblique((12, 13, 9), (1.0, 2.0, 1.2), 1)
    image = Image.from_array(np.random.default_rng(2).random(moving.shape).astype(np.float32), geometry=moving)
    m = np.eye(4)
    m[:3] += np.random.default_rng(3).normal(size=(3, 4)) * 0.05
    peer = sitk.AffineTransform(m[:3, :3].ravel().tolist(), m[:3, 3].tolist())
    like = to_sitk(Image.from_array(np.zeros(fixed.shape, np.float32), geometry=fixed))
    kind = sitk.sitkLinear if order else sitk.sitkNearestNeighbor
    theirs = sitk.GetArrayFromImage(sitk.Resample(to_sitk(image), like, peer, kind, -1.0))
    ours = warped(Transform.of_matrix(m, fixed, moving), image, order=order, outside=-1.0).pixels()
    seen = (theirs != -1) & (ours != -1)
    assert seen.mean() > 0.2
    assert (np.abs(theirs - ours)[seen] < 1e-3).mean() > 0.995
    assert ((theirs == -1) == (ours == -1)).mean() > 0.98


def test_a_perspective_view_is_opencvs():
    cv2 = pytest.importorskip("cv2", reason="pip install 'isocenter[video]'")
    m = np.array([[1.1, 0.1, -3.0], [-0.1, 0.9, 4], [1e-3, 5e-4, 1]])
    pixels = np.random.default_rng(4).random(MOVING.shape).astype(np.float32)
    ours = warped(Transform.of_matrix(m, FIXED, MOVING), Image.from_array(pixels)).pixels()
    theirs = cv2.warpPerspective(pixels, m, (30, 20), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    # OpenCV rounds places to 1 / 32 of a pixel, and fades to 0 over the last one.
    assert np.median(np.abs(ours - theirs)) < 0.02
    assert np.quantile(np.abs(ours - theirs)[2:-2, 4:-2], 0.99) < 0.06


def crossing():
    masks = (np.ones((4, 6), bool), np.eye(5, dtype=bool), np.ones((2, 2), bool))
    starts = np.array([[5, 8], [6, 10], [37, 46]])
    return Instances(starts, masks, np.array([0, 1, 0]), ("a", "b"), MOVING, np.array([0.9, 0.5, 0.7]))


def test_objects_follow_each_by_itself_and_overlaps_survive():
    out = warped(SHIFT, crossing())
    assert len(out) == 2 and out.geometry == FIXED
    assert out.starts.tolist() == [[2, 2], [3, 4]]
    assert np.array_equal(out.masks[0], np.ones((4, 6), bool)) and np.array_equal(out.masks[1], np.eye(5, dtype=bool))
    assert out.labels.tolist() == [0, 1] and out.scores.tolist() == [0.9, 0.5]
    assert len(warped(SHIFT, Instances.none(("a",), MOVING))) == 0


def test_objects_under_any_map_are_their_masks_under_it():
    turn = np.array([[0.9, -0.5, 12.0], [0.4, 1.1, -3.0], [1e-3, 0, 1]])
    transform = Transform.of_matrix(turn, FIXED, MOVING)
    found = crossing()
    made = warped(transform, found)
    left = 0
    for i in range(len(found)):
        alone = np.zeros(MOVING.shape, np.uint8)
        alone[found.where(i)] = found.masks[i]
        expected = warped(transform, Segmentation(alone, ("background", "x"), MOVING)).labels
        if not expected.any():
            continue
        seen = np.zeros(FIXED.shape, np.uint8)
        seen[made.where(left)] = made.masks[left]
        # At half a pixel exactly the two round to different sides.
        assert (seen != expected).mean() < 0.01
        assert seen.any()
        left += 1
    assert left == len(made) >= 2
