from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.data import Boxes, Geometry, Image, Normalisation, NotEvaluated, Plan
from isocenter.errors import BundleError, InputError, ResourceError
from isocenter.infer import detecting
from isocenter.infer.detecting import DEFAULTS, chosen, detect, found, needed, on_own_grid, rated, scaled

PLAN = Plan("detect", 2, 1, ("cell", "clot"), size=(16, 24), normalisation=Normalisation("none"), divisor=(8, 8))


def answer(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def blocks(batch: np.ndarray) -> np.ndarray:
    """An engine that finds the rectangle of bright pixels: a clot where it is very bright."""
    out = []
    for image in batch[:, 0]:
        at = np.argwhere(image > 0.5)
        low, high = (at.min(0) - 0.5, at.max(0) + 0.5) if len(at) else (np.zeros(2), np.ones(2))
        top = float(image.max())
        out.append([[*low, *high, 0.9 * (0.5 < top < 2), 0.8 * (top >= 2)]])
    return np.array(out, np.float32)


def test_boxes_come_back_to_the_images_own_grid() -> None:
    pixels = np.zeros((32, 48), np.float32)
    pixels[8:16, 20:40] = 1.0
    found = detect(blocks, Image.from_array(pixels), PLAN)
    assert isinstance(found, Boxes)
    assert found.edges.tolist() == [[[7.5, 19.5], [15.5, 39.5]]]
    assert found.labels.tolist() == [0]
    assert found.scores.tolist() == pytest.approx([0.9])
    assert found.geometry.shape == (32, 48)


def test_padding_is_taken_off_again() -> None:
    plan = replace(PLAN, size=None)
    pixels = np.zeros((13, 21), np.float32)
    pixels[5:9, 8:12] = 3.0
    found = detect(blocks, Image.from_array(pixels), plan)
    assert found.edges.tolist() == [[[4.5, 7.5], [8.5, 11.5]]]
    assert found.labels.tolist() == [1]


def test_an_image_without_objects_has_no_boxes() -> None:
    found = detect(blocks, Image.from_array(np.zeros((9, 9), np.float32)), PLAN)
    assert len(found) == 0
    assert found.classes == ("cell", "clot")


def test_boxes_end_at_the_edge_of_the_image() -> None:
    def beyond(batch: np.ndarray) -> np.ndarray:
        return np.array([[[-9.0, -9, 5, 5, 0.9, 0], [40, 40, 50, 50, 0.9, 0]]], np.float32)

    found = detect(beyond, Image.from_array(np.ones((16, 24), np.float32)), PLAN)
    assert found.edges.tolist() == [[[-0.5, -0.5], [5, 5]]]


def test_pixels_that_are_no_numbers_are_not_answered() -> None:
    assert isinstance(detect(blocks, Image.from_array(np.full((9, 9), np.nan)), PLAN), NotEvaluated)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BundleError, match="another question"):
        detect(blocks, Image.from_array(np.ones((9, 9))), replace(PLAN, task="segment"))
    with pytest.raises(InputError, match="needs a volume"):
        detect(blocks, Image.from_array(np.ones((9, 9))), replace(PLAN, rank=3, size=None, divisor=()))


def test_an_answer_of_another_shape_is_refused() -> None:
    def short(batch: np.ndarray) -> np.ndarray:
        return np.ones((1, 7, 5), np.float32)

    def flat(batch: np.ndarray) -> np.ndarray:
        return np.ones((1, 6), np.float32)

    for engine in (short, flat):
        with pytest.raises(BundleError, match="another shape"):
            detect(engine, Image.from_array(np.ones((16, 24), np.float32)), PLAN)


def test_an_image_that_memory_cannot_hold_is_refused_unread() -> None:
    def read() -> np.ndarray:
        raise AssertionError("pixels were read")

    geometry = Geometry((10**7, 10**7))
    image = Image(read, geometry.shape, "yx", "uint8", geometry)
    with pytest.raises(ResourceError, match=r"memory does not suffice for an image of .*a part of the image"):
        detect(blocks, image, replace(PLAN, size=None))


def test_what_it_takes_grows_with_image_and_tile() -> None:
    def image(side: int) -> Image:
        geometry = Geometry((side, side))
        return Image(lambda: np.zeros((side, side), np.uint8), geometry.shape, "yx", "uint8", geometry)

    plan = replace(PLAN, size=None, settings={"window": [64, 64], "reach": [8, 8]})
    free, busy = SimpleNamespace(pixel_bytes=0), SimpleNamespace(pixel_bytes=100)
    whole = needed(free, image(512), plan)  # type: ignore[arg-type]
    assert whole == pytest.approx(needed(free, image(1024), plan) / 4, rel=0.01)  # type: ignore[arg-type]
    assert needed(busy, image(512), plan) > whole  # type: ignore[arg-type]
    # A tile takes no more in a larger image.
    more = [needed(busy, image(n), plan) - needed(free, image(n), plan) for n in (2048, 4096)]  # type: ignore[arg-type]
    assert more[0] == more[1] == 64 * 64 * 100
    shrunk = needed(free, image(4096), PLAN)  # type: ignore[arg-type]
    assert 4096**2 < shrunk < 1.1 * 4096**2, "of what is shrunk the file weighs most"


def test_far_coarser_pixels_are_not_blown_up_to_the_scale_of_train() -> None:
    def asked(spacing: float) -> Plan:
        return scaled(Image.from_array(np.ones((128, 192), np.float32), spacing=(spacing,) * 2), SEEN)

    assert asked(0.5).size == (64, 96) and asked(2.0).size == (256, 384), "4 times their pixel is the limit"
    for spacing in (2.1, 1e3, 1e30):
        assert asked(spacing) is SEEN
    hostile = replace(PLAN, settings={"seen": [1, 1], "pixel": [1e-6, 1e-6]})
    found = detect(blocks, Image.from_array(np.ones((64, 64), np.float32), spacing=(1.0, 1.0)), hostile)
    assert isinstance(found, Boxes) and found.geometry.shape == (64, 64)


def test_the_surest_of_overlapping_boxes_of_one_class_stays() -> None:
    rows = answer([0, 0, 10, 10, 0.9, 0.2], [0, 1, 10, 11, 0.8, 0.01], [0, 7, 10, 17, 0.7, 0])
    edges, labels, scores = chosen(rows, PLAN)
    assert scores.tolist() == pytest.approx([0.9, 0.7, 0.2])
    assert labels.tolist() == [0, 0, 1]
    assert edges[1].tolist() == [[0, 7], [10, 17]]
    loose = replace(PLAN, settings={"overlap": 0.95, "least": 0.005})
    assert len(chosen(rows, loose)[0]) == 5


def test_few_sound_boxes_remain() -> None:
    many = answer(*([10.0 * i, 0, 10 * i + 5, 5, 0.5 + i / 1000, 0] for i in range(400)))
    assert len(chosen(many, PLAN)[0]) == DEFAULTS["most"]
    top = chosen(many, replace(PLAN, settings={"most": 3}))[2]
    assert top.tolist() == pytest.approx([0.899, 0.898, 0.897])
    unsound = answer([0, 0, np.nan, 5, 0.9, 0], [5, 5, 2, 9, 0.9, 0], [0, 0, np.inf, 5, 0.9, 0])
    assert len(chosen(unsound, PLAN)[0]) == 0


@pytest.mark.parametrize("rank", [2, 3])
def test_the_way_to_the_own_grid_keeps_the_corners(rank: int) -> None:
    working, own = (12, 20, 8)[:rank], (24, 10, 8)[:rank]
    whole = np.array([[[-0.5] * rank, [w - 0.5 for w in working]]])
    back = on_own_grid(whole, working, working, own)
    assert np.allclose(back[0, 0], -0.5)
    assert np.allclose(back[0, 1], np.asarray(own) - 0.5)


def test_the_limit_of_a_class_becomes_one_half_and_no_order_changes() -> None:
    found = rated(np.array([0.2, 0.7, 0.1, 0.9, 0.0, 1.0]), np.array([0.2, 0.7] * 3))
    assert found[:2].tolist() == pytest.approx([0.5, 0.5])
    assert found[2] < 0.5 < found[3]
    assert ((found >= 0) & (found <= 1)).all()
    for limit in (0.2, 0.7, 0.5):
        many = rated(np.linspace(0, 1, 99), np.full(99, limit))
        assert (np.diff(many) > 0).all()
    assert np.allclose(many, np.linspace(0, 1, 99), atol=1e-6)


def test_the_plans_limits_are_those_of_the_answer() -> None:
    pixels = np.zeros((32, 48), np.float32)
    pixels[8:16, 20:40] = 1.0
    found = detect(blocks, Image.from_array(pixels), replace(PLAN, thresholds=(0.9, 0.1)))
    assert found.scores.tolist() == pytest.approx([0.5], abs=1e-6)


CELL = 4


def field(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Bright blobs of several sizes on a dark ground."""
    rng = np.random.default_rng(seed)
    out = np.zeros(shape)
    for _ in range(int(np.prod(shape)) // (250 if len(shape) == 2 else 6000)):
        at = tuple(int(rng.integers(0, n)) for n in shape)
        out[at] = rng.uniform(200, 900)
    return (ndimage.gaussian_filter(out, 2.0, truncate=3.0) + rng.normal(0, 0.05, shape)).astype(np.float32)


def local(batch: np.ndarray) -> np.ndarray:
    """A network of cells of 4 pixels that sees 12 pixels around: score by brightness, size by its surroundings."""
    out = []
    for image in batch[:, 0].astype(np.float64):
        rank = image.ndim
        maps = [ndimage.gaussian_filter(image, s, mode="constant", truncate=3.0) for s in (1.0, 2.0, 4.0)]
        first = (slice(CELL // 2, None, CELL),) * rank
        smooth = [m[first].ravel() for m in maps]
        point = np.stack(np.meshgrid(*[np.arange(CELL // 2, n, CELL) for n in image.shape], indexing="ij"), -1)
        half = (4 + 3 / (1 + np.exp(-smooth[2])))[:, None] * np.ones(rank)
        score = 1 / (1 + np.exp(3 - np.stack([smooth[0], smooth[1] * 1.3], 1)))
        point = point.reshape(-1, rank)
        out.append(np.concatenate([point - half, point + half, score], 1))
    return np.asarray(out)


def rows(boxes: Boxes) -> set[tuple[float, ...]]:
    """Edges, class and score of each box; adding where a tile begins rounds in the last bit."""
    every = np.concatenate([boxes.edges.reshape(len(boxes), -1), boxes.labels[:, None], boxes.scores[:, None]], 1)
    return {tuple(row) for row in np.round(every, 6).tolist()}


@pytest.mark.parametrize("shape", [(160, 232), (90, 300), (56, 60, 96)])
def test_boxes_in_tiles_are_those_of_one_piece(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    # Of one piece the candidates would be cut off where those of its tiles are not.
    monkeypatch.setattr(detecting, "CANDIDATES", 100_000)
    rank = len(shape)
    plan = replace(PLAN, rank=rank, size=None, divisor=(CELL,) * rank, settings={"least": 0.4, "most": 1000})
    image = Image.from_array(field(shape))
    side = 56 if rank == 3 else 64
    tiled = replace(plan, settings=plan.settings | {"window": [side] * rank, "reach": [14] * rank})
    asked = []

    def engine(batch: np.ndarray) -> np.ndarray:
        asked.append(batch.shape[2:])
        return local(batch)

    whole, parts = detect(local, image, plan), detect(engine, image, tiled)
    assert len(asked) > 1 and set(asked) == {tuple(min(side, -(-n // CELL) * CELL) for n in shape)}
    assert 20 < len(whole) == len(parts) < 1000
    assert rows(parts) == rows(whole)


def test_each_tile_may_have_as_many_boxes_as_an_image() -> None:
    plan = replace(PLAN, size=None, divisor=(CELL, CELL), settings={"most": 5, "window": [64, 64], "reach": [14, 14]})
    boxes = detect(local, Image.from_array(field((160, 232))), plan)
    assert 5 < len(boxes) <= 5 * 24


def test_a_window_that_does_not_hold_the_largest_object_grows() -> None:
    seen = []

    def engine(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape[2:])
        return local(batch)

    plan = replace(PLAN, size=None, divisor=(CELL, CELL), settings={"window": [32, 32], "reach": [30, 8]})
    found(engine, field((200, 100))[None], plan)
    assert set(seen) == {(120, 32)}


def test_a_volume_is_answered_slice_by_slice() -> None:
    pixels = np.zeros((3, 32, 48), np.float32)
    pixels[1, 8:16, 20:40] = 1.0
    pixels[2, 8:16, 20:40] = 3.0
    boxes = detect(blocks, Image.from_array(pixels, spacing=(5.0, 1.0, 1.0)), PLAN)
    assert isinstance(boxes, Boxes) and boxes.geometry.shape == (3, 32, 48)
    assert boxes.edges.tolist() == [[[0.5, 7.5, 19.5], [1.5, 15.5, 39.5]], [[1.5, 7.5, 19.5], [2.5, 15.5, 39.5]]]
    assert boxes.labels.tolist() == [0, 1]
    assert isinstance(detect(blocks, Image.from_array(np.full((2, 9, 9), np.nan)), PLAN), NotEvaluated)


SEEN = replace(PLAN, settings={"seen": [32, 48], "pixel": [0.5, 0.5]})


def test_an_image_of_a_larger_field_keeps_the_scale_of_train() -> None:
    large = Image.from_array(np.zeros((128, 144), np.float32), spacing=(0.5, 0.5))
    more = scaled(large, SEEN)
    assert more.size == (64, 72)
    assert (more.settings["most"], more.settings["candidates"]) == (300 * 12, 2000 * 12)
    finer = Image.from_array(np.zeros((128, 144), np.float32), spacing=(0.125, 0.125))
    assert scaled(finer, SEEN).size == (16, 24)
    coarser = Image.from_array(np.zeros((40, 60), np.float32), spacing=(1.0, 1.0))
    assert scaled(coarser, SEEN).size == (40, 60)
    long = Image.from_array(np.zeros((40, 600), np.float32), spacing=(0.5, 0.5))
    assert scaled(long, SEEN).size == (16, 24)


def test_without_spacing_the_plan_says_what_a_large_image_is() -> None:
    large = Image.from_array(np.zeros((128, 144), np.float32))
    assert scaled(large, SEEN).size == scaled(large, PLAN).size == (16, 24)
    said = replace(SEEN, settings=SEEN.settings | {"windows": True})
    assert scaled(large, said).size == (64, 72)
    never = replace(SEEN, settings=SEEN.settings | {"windows": False})
    known = Image.from_array(np.zeros((128, 144), np.float32), spacing=(0.5, 0.5))
    assert scaled(known, never).size == (16, 24)


def test_a_mosaic_is_answered_as_its_fields_are() -> None:
    pixels = np.zeros((128, 192), np.float32)
    pixels[72:80, 100:120] = 1.0
    plan = replace(SEEN, settings=SEEN.settings | {"windows": True, "window": [16, 24], "reach": [4, 6]})
    boxes = detect(blocks, Image.from_array(pixels), plan)
    best = boxes.edges[boxes.scores > 0.5]
    assert best.tolist() == [[[71.5, 99.5], [79.5, 119.5]]]


def test_no_more_candidates_are_looked_at_than_the_plan_says() -> None:
    rows = answer(*[[20 * i, 0, 20 * i + 10, 10, 0.9 - 0.1 * i, 0] for i in range(5)])
    assert len(chosen(rows, PLAN)[0]) == 5
    assert chosen(rows, replace(PLAN, settings={"candidates": 2}))[2].tolist() == pytest.approx([0.9, 0.8])
