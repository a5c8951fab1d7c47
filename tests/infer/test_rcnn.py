from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances, Normalisation, NotEvaluated, Plan
from isocenter.errors import BundleError, InputError, ResourceError
from isocenter.infer.rcnn import Regions, instances, needed, outlined, regions, split
from isocenter.ops.proposals import grid, steps

ANCHORS = [[[12.0, 12.0], [20.0, 20.0]], [[40.0, 40.0], [50.0, 50.0]]]
SETTINGS = {
    "strides": [4, 8], "anchors": ANCHORS, "features": 2, "spreads": [[0.1, 0.2]], "bins": [7, 14],
    "proposals": [200, 100], "least": 0.5, "limit": 0.4, "most": 500,
}  # fmt: skip
PLAN = Plan(
    "instances", 2, 1, ("cell", "speck"), normalisation=Normalisation("none"), divisor=(32, 32), head="rcnn",
    settings=SETTINGS,
)  # fmt: skip


class Knowing:
    """Networks that know where the objects are: brightness for features, and boxes that they are told.

    With as many proposals as objects (`knowing`), these are proposed and nothing else.
    """

    def __init__(self, edges, labels, *, margin=(0, 0)):
        self.edges = np.asarray(edges, float).reshape(-1, 2, 2) + np.asarray(margin)
        self.labels = np.asarray(labels)
        self.regions, self.counts = 0, set()

    def network(self, batch):
        assert batch.ndim == 4 and batch.dtype == np.float32
        assert all(n % 32 == 0 for n in batch.shape[2:])
        parts = []
        for stride, sizes in zip(SETTINGS["strides"], ANCHORS, strict=True):
            small = batch[0, 0].reshape(batch.shape[2] // stride, stride, batch.shape[3] // stride, stride).mean((1, 3))
            anchors = grid(small.shape, stride, sizes)
            logits, by = np.full(len(anchors), -9.0), np.zeros((len(anchors), 2, 2))
            for box in self.edges:
                if (np.diff(box, axis=0).mean() >= 32) != (stride == 8):
                    continue
                near = np.abs(anchors.mean(1) - box.mean(0)).max(1) <= stride
                logits[near] = 9 - np.abs(anchors[near] - box).max((1, 2)) / 10
                by[near] = steps(np.repeat(box[None], near.sum(), 0), anchors[near])
            said = np.concatenate([logits[:, None], by.reshape(-1, 4)], 1).reshape(*small.shape, 5 * len(sizes))
            parts.append(np.concatenate([np.stack([small, -small]), said.transpose(2, 0, 1)]).reshape(12, -1))
        return np.concatenate(parts, 1)[None, ..., None].astype(np.float32)

    def box(self, crops):
        """Class by brightness; no step."""
        self.regions += len(crops)
        self.counts.add(len(crops))
        bright = crops[:, 0].mean((1, 2))
        out = np.zeros((len(crops), 3 + 4), np.float32)
        out[:, 0] = np.where(bright < 0.3, 5, -5)
        out[:, 1], out[:, 2] = np.where(bright < 1.5, 4, 0), np.where(bright < 1.5, 0, 4)
        return out

    def mask(self, crops):
        assert crops.shape[1:] == (2, 14, 14)
        rows = np.repeat(np.repeat(crops[:, :1], 2, 2), 2, 3)
        return np.concatenate([rows * 0 + 9, rows * 0 + 9], 1).astype(np.float32)

    @property
    def engines(self):
        return {"network.onnx": self.network, "box0.onnx": self.box, "mask.onnx": self.mask}


def knowing(count, **fields):
    return replace(PLAN, settings=SETTINGS | {"proposals": [200, count]}, **fields)


def picture(shape, edges, labels):
    pixels = np.zeros(shape, np.float32)
    for (low, high), label in zip(edges, labels, strict=True):
        pixels[int(low[0] + 0.5) : int(high[0] + 0.5), int(low[1] + 0.5) : int(high[1] + 0.5)] = 1 + label
    return pixels


EDGES = [[[3.5, 7.5], [19.5, 27.5]], [[31.5, 11.5], [75.5, 51.5]], [[9.5, 59.5], [21.5, 71.5]]]
LABELS = [0, 1, 1]


def test_objects_come_with_box_class_score_and_mask():
    pixels = picture((96, 96), EDGES, LABELS)
    out = instances(Knowing(EDGES, LABELS).engines, Image.from_array(pixels), knowing(3))
    assert isinstance(out, Instances) and out.classes == ("cell", "speck")
    order = np.argsort(out.starts[:, 0])
    assert out.starts[order].tolist() == [[4, 8], [10, 60], [32, 12]]
    assert [m.shape for m in out.chosen(order).masks] == [(16, 20), (12, 12), (44, 40)]
    assert out.labels[order].tolist() == [0, 1, 1]
    assert (out.scores > 0.9).all() and (np.diff(out.scores) <= 0).all()
    assert all(m.all() for m in out.masks)


def test_an_image_of_another_size_is_padded_and_its_objects_lie_where_they_are():
    pixels = picture((90, 77), EDGES, LABELS)
    # 90 x 77 is padded to 96 x 96: by 3 above, by 9 on the left.
    out = instances(Knowing(EDGES, LABELS, margin=(3, 9)).engines, Image.from_array(pixels), knowing(3))
    assert sorted(map(tuple, out.starts.tolist())) == [(4, 8), (10, 60), (32, 12)]
    assert out.geometry.shape == (90, 77)


def test_objects_of_the_mirrored_margin_are_none():
    pixels = np.ones((70, 70), np.float32)
    ghost = [[[-12.5, 20.0], [-0.5, 32.0]], [[20.0, 20.0], [32.0, 32.0]]]
    out = instances(Knowing(ghost, [0, 0], margin=(13, 13)).engines, Image.from_array(pixels), knowing(2))
    assert len(out) == 1 and out.starts.tolist() == [[20, 20]]


def test_an_image_without_objects():
    out = instances(Knowing(np.zeros((0, 2, 2)), []).engines, Image.from_array(np.zeros((64, 64), np.float32)), PLAN)
    assert isinstance(out, Instances) and len(out) == 0 and out.scores.shape == (0,)


def test_a_working_grid_of_another_size():
    pixels = picture((96, 96), EDGES, LABELS)
    half = np.repeat(np.repeat(pixels, 2, 0), 2, 1)
    plan = knowing(3, size=(96, 96))
    out = instances(Knowing(EDGES, LABELS).engines, Image.from_array(half), plan)
    assert out.geometry.shape == (192, 192)
    assert sorted(map(tuple, out.starts.tolist())) == [(8, 16), (20, 120), (64, 24)]
    assert sorted(m.shape for m in out.masks) == [(24, 24), (32, 40), (88, 80)]


def test_heads_follow_each_other_and_their_scores_are_averaged():
    class Cascade(Knowing):
        def second(self, crops):
            out = np.zeros((len(crops), 7), np.float32)
            # Half sure of class 0, and one pixel in twenty down.
            out[:, 3] = 0.05 / 0.05
            return out

        @property
        def engines(self):
            return super().engines | {"box1.onnx": self.second}

    edges = [[[19.5, 19.5], [39.5, 39.5]]]
    plan = knowing(1)
    plan = replace(plan, settings=plan.settings | {"spreads": [[0.1, 0.2], [0.05, 0.1]]})
    out = instances(Cascade(edges, [0]).engines, Image.from_array(picture((64, 64), edges, [0])), plan)
    first = np.exp([-5.0, 4.0, 0.0])
    assert out.starts.tolist() == [[21, 20]]
    assert out.scores[0] == pytest.approx((first[1] / first.sum() + 1 / 3) / 2, abs=1e-6)


def test_an_image_that_memory_cannot_hold_is_refused_unread():
    def read():
        raise AssertionError("pixels were read")

    geometry = Geometry((10**7, 10**7))
    image = Image(read, geometry.shape, "yx", "uint8", geometry)
    with pytest.raises(ResourceError, match=r"memory does not suffice for an image of .*a part of the image"):
        instances(Knowing([], []).engines, image, PLAN)


def test_what_it_takes_grows_with_image_and_tile():
    def image(side):
        geometry = Geometry((side, side))
        return Image(lambda: np.zeros((side, side), np.uint8), geometry.shape, "yx", "uint8", geometry)

    free, busy = ({"network.onnx": SimpleNamespace(pixel_bytes=n)} for n in (0, 5000))
    plan = replace(PLAN, settings=SETTINGS | {"window": [512, 512], "proposals": [10, 10]})
    one, two, four = (needed(free, image(n), plan) for n in (1024, 2048, 4096))
    assert four - two == 4 * (two - one) > 0
    tile = [needed(busy, image(n), plan) - needed(busy, image(n), replace(plan, settings=plan.settings | {
        "window": [1024, 1024]})) for n in (2048, 4096)]  # fmt: skip
    assert tile[0] == tile[1] == 5000 * (512**2 - 1024**2)


def test_masks_of_other_classes_are_refused():
    class Other(Knowing):
        def mask(self, crops):
            return super().mask(crops)[:, :1]

    with pytest.raises(BundleError, match="another shape"):
        instances(Other(EDGES, LABELS).engines, Image.from_array(picture((96, 96), EDGES, LABELS)), knowing(3))


def test_many_regions_go_through_a_head_in_parts():
    edges = [[[i - 0.5, j - 0.5], [i + 11.5, j + 11.5]] for i in range(0, 240, 14) for j in range(0, 240, 14)]
    plan = replace(PLAN, settings=SETTINGS | {"proposals": [4000, 324]})
    told = Knowing(edges, [0] * len(edges))
    out = instances(told.engines, Image.from_array(picture((256, 256), edges, [0] * len(edges))), plan)
    # In parts of few different sizes: 324 and 28 that are there for nothing.
    assert len(out) == len(edges) == 324 and told.regions == 352 and told.counts == {256, 96}
    assert len(regions(told.engines, np.ones((1, 256, 256), np.float32), replace(
        plan, settings=plan.settings | {"most": 50})).scores) == 50  # fmt: skip


def test_objects_of_no_pixel_are_left_out():
    found = Regions(
        np.array([[[0.1, 0.1], [0.4, 0.4]], [[1.5, 1.5], [4.5, 4.5]]]), np.array([0.9, 0.8]), np.zeros(2, np.int64),
        np.ones((2, 28, 28), np.float32),
    )  # fmt: skip
    out = outlined(found, (8, 8), Geometry.from_spacing((8, 8), None), ("cell",))
    assert len(out) == 1 and out.starts.tolist() == [[2, 2]] and out.scores.tolist() == [0.8]


def test_pixels_that_are_no_numbers_are_not_evaluated():
    pixels = np.full((64, 64), np.nan, np.float32)
    assert isinstance(instances(Knowing([], []).engines, Image.from_array(pixels), PLAN), NotEvaluated)


def test_what_does_not_fit_the_plan_is_refused():
    image = Image.from_array(np.zeros((64, 64), np.float32))
    with pytest.raises(BundleError, match="another question"):
        instances({}, image, replace(PLAN, head="contours"))
    with pytest.raises(InputError):
        regions({}, np.zeros((1, 8, 64, 64), np.float32), PLAN)
    with pytest.raises(BundleError, match="another shape"):
        split(np.zeros((11, 320), np.float32), (64, 64), PLAN)
    with pytest.raises(BundleError, match="another shape"):
        split(np.zeros((12, 300, 1), np.float32), (64, 64), PLAN)
    edges = [[[19.5, 19.5], [39.5, 39.5]]]
    engines = Knowing(edges, [0]).engines | {"box0.onnx": lambda crops: np.zeros((len(crops), 9), np.float32)}
    with pytest.raises(BundleError, match="a head"):
        instances(engines, Image.from_array(picture((64, 64), edges, [0])), PLAN)


class Looking(Knowing):
    """Networks that see no farther than a cell: each bright cell proposes the object that its brightness codes for.

    Brightness is 1 + label + height / 100 + width / 10000, and an object's cells hold it alone.
    """

    def __init__(self):
        super().__init__(np.zeros((0, 2, 2)), [])
        self.asked = []

    def network(self, batch):
        self.asked.append(batch.shape[2:])
        parts = []
        for stride, sizes in zip(SETTINGS["strides"], ANCHORS, strict=True):
            rows, columns = (n // stride for n in batch.shape[2:])
            cells = batch[0, 0].reshape(rows, stride, columns, stride)
            small = cells.mean((1, 3))
            said = np.full((rows * columns, len(sizes), 5), -9.0)
            anchors = grid((rows, columns), stride, sizes).reshape(-1, len(sizes), 2, 2)
            where = np.flatnonzero((cells[:, 0, :, 0] >= 1).ravel() & (stride == 4))
            for i in where:
                # Its own top left corner: whose neighbours above and to the left hold nothing.
                y, x = divmod(int(i), columns)
                if (y and small[y - 1, x] > 0) or (x and small[y, x - 1] > 0):
                    continue
                code = round(float(cells[y, 0, x, 0]) * 10000)
                height, width = code // 100 % 100, code % 100
                top, left = y * stride - 0.5, x * stride - 0.5
                box = np.array([[top, left], [top + height, left + width]])
                said[i, 0, 0] = 9
                said[i, 0, 1:] = steps(box[None], anchors[i, :1]).ravel()
            maps = np.concatenate([np.stack([small, -small]), said.reshape(rows, columns, -1).transpose(2, 0, 1)])
            parts.append(maps.reshape(12, -1))
        return np.concatenate(parts, 1)[None, ..., None].astype(np.float32)


def crowd(shape, seed=0):
    """Objects of 8 to 24 pixels on a lattice of 32, as `Looking` reads them."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros(shape, np.float32)
    for y in range(4, shape[0] - 28, 32):
        for x in range(4, shape[1] - 28, 32):
            height, width, label = 4 * rng.integers(2, 7), 4 * rng.integers(2, 7), rng.integers(0, 2)
            pixels[y : y + height, x : x + width] = 1 + label + height / 100 + width / 10000
    return pixels


def table(found):
    return {
        (*map(int, start), *mask.shape, int(mask.sum()), int(label), round(float(score), 6))
        for start, mask, label, score in zip(found.starts, found.masks, found.labels, found.scores, strict=True)
    }


@pytest.mark.parametrize("shape", [(320, 448), (128, 608)])
def test_objects_in_tiles_are_those_of_one_piece(shape):
    image = Image.from_array(crowd(shape))
    small = [[[12.0, 12.0], [14.0, 14.0]], [[14.0, 14.0], [14.0, 14.0]]]
    plan = knowing(400)
    tiled = replace(plan, settings=plan.settings | {"window": [128, 128], "anchors": small})
    whole = replace(plan, settings=plan.settings | {"window": list(shape), "anchors": small})
    one, many = Looking(), Looking()
    expected, got = instances(one.engines, image, whole), instances(many.engines, image, tiled)
    assert len(one.asked) == 1 and len(many.asked) > 4 and set(many.asked) == {(128, 128)}
    assert len(expected) == len(range(4, shape[0] - 28, 32)) * len(range(4, shape[1] - 28, 32))
    assert len(got) == len(expected) and table(got) == table(expected)
    assert (np.diff(got.scores) <= 0).all()


def test_a_volume_is_answered_slice_by_slice():
    pixels = np.stack([np.zeros((96, 96), np.float32), picture((96, 96), EDGES, LABELS)])
    out = instances(Knowing(EDGES, LABELS).engines, Image.from_array(pixels), knowing(3))
    assert isinstance(out, Instances) and out.geometry.shape == (2, 96, 96)
    inside = out.chosen(np.flatnonzero(out.starts[:, 0] == 1))
    assert sorted(map(tuple, inside.starts.tolist())) == [(1, 4, 8), (1, 10, 60), (1, 32, 12)]
    assert {m.shape for m in inside.masks} == {(1, 16, 20), (1, 12, 12), (1, 44, 40)}


def test_a_plan_of_three_axes_is_refused():
    with pytest.raises(InputError, match="two axes"):
        instances({}, Image.from_array(np.zeros((4, 64, 64), np.float32)), replace(PLAN, rank=3))


def test_regions_are_chosen_by_position_or_score():
    found = Regions(np.zeros((3, 2, 2)), np.array([0.9, 0.5, 0.1]), np.arange(3), np.zeros((3, 1, 1), np.float32))
    assert found.surer(0.5).labels.tolist() == [0, 1]
    assert found.at(np.array([2, 0])).labels.tolist() == [2, 0]
