"""Envelopes of simulated sets: a bright body below a dark upper edge, as heads and chests have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data as pictures

from isocenter.data import Cases, Entry, Geometry, Image, Normalisation, Plan
from isocenter.errors import UnreadableError
from isocenter.infer.enclosing import ENOUGH, FEWEST, enclosed
from isocenter.infer.envelope import OUTSIDE, Envelope

SIDE = 64


def body(seed: int, *, depth: int = 0) -> np.ndarray:
    """uint8 (64, 64) or (depth, 64, 64): an ellipse that is brighter below, somewhat moved and scaled."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in ((depth, SIDE, SIDE) if depth else (SIDE, SIDE))],
                       indexing="ij")
    y, x = grid[-2], grid[-1]
    away = sum((g - s) ** 2 for g, s in zip(grid, rng.normal(0, 0.06, len(grid)), strict=True))
    away = away + x**2 * rng.uniform(0.6, 1.0)
    shown = (away < rng.uniform(0.5, 0.7)) * (150 + 60 * y) + rng.normal(0, 6, y.shape)
    return np.clip(gaussian_filter(shown, 0.7) + 20, 0, 255).astype(np.uint8)


def cases(n: int, *, start: int = 0, depth: int = 0, **fields: object) -> Cases:
    images = np.stack([body(start + i, depth=depth) for i in range(n)])
    subjects = [f"p{start + i // 2}" for i in range(n)]
    made = Cases.from_arrays(images, ["a"] * n, subjects=subjects)
    if not fields:
        return made

    def changed(entry: Entry) -> Entry:
        def opened() -> object:
            case = entry.open()
            return replace(case, images={"image": replace(case.image(), **fields)})

        return replace(entry, open=opened)  # type: ignore[arg-type]

    return replace(made, entries=tuple(changed(e) for e in made.entries))


@pytest.fixture(scope="module")
def flat() -> Envelope:
    found = enclosed(cases(120), cases(60, start=1000))
    assert found is not None
    return found


def refused(envelope: Envelope, array: np.ndarray, **said: object) -> bool:
    return envelope.refused(Image.from_array(array, **said)) is not None  # type: ignore[arg-type]


def test_of_new_images_of_the_same_kind_one_in_twenty_is_refused(flat: Envelope) -> None:
    share = np.mean([refused(flat, body(5000 + i)) for i in range(200)])
    assert 0.01 <= share <= 0.13
    assert flat.facts == {"n_train": 120, "n_limit": 60, "from": "val", "refused": 0.05}


STRANGE: dict[str, Callable[[int], np.ndarray]] = {
    "turned by 90": lambda i: np.rot90(body(i)).copy(),
    "turned by 180": lambda i: np.rot90(body(i), 2).copy(),
    "inverted": lambda i: 255 - body(i),
    "noise": lambda i: np.random.default_rng(i).integers(0, 255, (SIDE, SIDE), dtype=np.uint8),
    "clouds": lambda i: gaussian_filter(np.random.default_rng(i).normal(size=(90, 70)), 6),
    "photograph": lambda i: (pictures.camera, pictures.coins, pictures.brick, pictures.moon)[i % 4](),
}  # fmt: skip


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_strange_is_refused(flat: Envelope, kind: str) -> None:
    assert np.mean([refused(flat, STRANGE[kind](i)) for i in range(20)]) >= 0.95


def test_the_answer_says_what_was_measured(flat: Envelope) -> None:
    found = flat.refused(Image.from_array(255 - body(0)))
    assert found is not None and found.reason == f"{OUTSIDE}: it looks different"
    assert float(found.measured.removeprefix("distance ")) > float(found.limit) == pytest.approx(flat.limit, abs=0.005)


def test_the_size_and_the_gain_of_an_image_do_not_count(flat: Envelope) -> None:
    inside = [body(6000 + i) for i in range(20)]
    kept = [a for a in inside if not refused(flat, a)]
    for change in (lambda a: a.repeat(4, 0).repeat(4, 1), lambda a: a.astype(np.uint16) * 100 + 7):
        assert np.mean([refused(flat, change(a)) for a in kept]) <= 0.1


def test_colours_where_train_was_grey(flat: Envelope) -> None:
    tinted = np.stack([body(i) for i in (0, 0, 0)])
    assert not refused(flat, tinted, axes="cyx")
    tinted[2] //= 2
    assert refused(flat, tinted, axes="cyx")


def test_volumes_and_their_slices(flat: Envelope) -> None:
    deep = enclosed(cases(50, depth=9), cases(44, start=1000, depth=9))
    assert deep is not None and deep.rank == 3
    assert np.mean([refused(deep, body(5000 + i, depth=9)) for i in range(40)]) <= 0.2
    for change in (lambda a: a[:, ::-1].copy(), lambda a: 255 - a, lambda a: a.transpose(2, 1, 0).copy()):
        assert np.mean([refused(deep, change(body(5000 + i, depth=9))) for i in range(10)]) >= 0.9
    stack = np.stack([body(7000)] * 9)
    assert refused(flat, stack) == refused(flat, body(7000)) and refused(flat, 255 - stack)
    assert deep.refused(Image.from_array(body(0))) is None  # that no volume was given the method says itself


def test_a_small_val_asks_the_folds_of_train() -> None:
    found = enclosed(cases(30), cases(4, start=1000))
    assert found is not None and found.limit is not None
    assert found.facts["from"] == "val and folds of train" and found.facts["n_limit"] == 34 < ENOUGH
    alone = enclosed(cases(30), cases(0 + 1, start=1000).subset([]))
    assert alone is not None and alone.facts["from"] == "folds of train" and alone.facts["n_limit"] == 30


def test_too_few_images_set_no_limit_but_blank_ones_are_refused() -> None:
    found = enclosed(cases(FEWEST - 3), cases(2, start=50))
    assert found is not None and found.limit is None and not found.arrays
    assert not refused(found, 255 - body(0)) and refused(found, np.full((20, 20), 5, np.uint8))


def test_the_same_image_many_times() -> None:
    same = Cases.from_arrays(np.stack([body(0)] * 30), ["a"] * 30)
    found = enclosed(same, same)
    assert found is not None and not refused(found, body(0)) and refused(found, 255 - body(0))


def test_modality_pixel_size_and_values() -> None:
    spaced = {"geometry": Geometry.from_spacing((SIDE, SIDE), (0.5, 0.5)), "modality": "DX"}
    plan = Plan("classify", 2, 1, ("a", "b"), size=(32, 32), normalisation=Normalisation("window", 0, 255))
    found = enclosed(cases(6, **spaced), cases(2, start=9, **spaced), plan=plan)
    assert found is not None and found.modalities == ("XR",) and found.pixel == (0.5, 0.5) and found.values is not None
    for said, reason in (
        ({"spacing": (0.5, 0.6), "modality": "CR"}, None),
        ({"spacing": (0.5, 0.5), "modality": "CT"}, "another modality"),
        ({"spacing": (2.0, 2.0), "modality": "XR"}, "another pixel size"),
        ({}, None),
    ):
        answer = found.refused(Image.from_array(body(3), **said))  # type: ignore[arg-type]
        assert (answer is None) if reason is None else (answer is not None and reason in answer.reason)
    answer = found.refused(Image.from_array(body(3).astype(np.int16) * 20 - 1000))
    assert answer is not None and "another range of values" in answer.reason and answer.measured.startswith("-")


def test_shares_of_the_type_where_the_network_sees_those() -> None:
    plan = Plan("classify", 2, 1, ("a", "b"), size=(32, 32), normalisation=Normalisation("rescale"))
    found = enclosed(cases(6), cases(2, start=9), plan=plan)
    assert found is not None and found.by_type and found.values is not None and found.values[1] <= 1
    assert not refused(found, body(3).astype(np.uint16) * 257)
    assert refused(found, body(3).astype(np.float32) * 257)
    ours = enclosed(cases(6), cases(2, start=9), plan=replace(plan, normalisation=Normalisation("standardise")))
    assert ours is not None and ours.values is None and not refused(ours, body(3).astype(np.float32) * 257)


def test_what_cannot_be_opened_is_left_out() -> None:
    whole = cases(8)

    def broken() -> Entry:
        raise UnreadableError("cut short")

    entries = (replace(whole.entries[0], open=broken), *whole.entries[1:])
    found = enclosed(replace(whole, entries=entries), whole.subset([]))
    assert found is not None and found.facts["n_train"] == 7
    film = Image.from_array(np.random.default_rng(0).normal(size=(3, 8, 8)), axes="tyx")
    films = Cases.from_arrays([film, film], ["a", "b"])
    assert enclosed(films, whole) is None
    blank = Cases.from_arrays(np.zeros((2, 8, 8), np.uint8), ["a", "b"])
    assert enclosed(blank, whole) is None


def test_the_same_images_give_the_same_envelope(flat: Envelope) -> None:
    again = enclosed(cases(120), cases(60, start=1000))
    assert again is not None and again.as_json() == flat.as_json()
    assert all(np.array_equal(again.arrays[k], v) for k, v in flat.arrays.items())


def test_a_volume_that_lies_otherwise_is_turned_first() -> None:
    plan = Plan("segment", 3, 1, ("background", "a"), orientation="SPL")
    spaced = Geometry.from_spacing((9, SIDE, SIDE), (1.0, 1.0, 1.0))
    deep = enclosed(cases(50, depth=9, geometry=spaced), cases(44, start=1000, depth=9, geometry=spaced), plan=plan)
    assert deep is not None and deep.orientation == "SPL"
    array, matrix = body(5003, depth=9), np.array(spaced.affine)
    there = Image.from_array(array, geometry=spaced)
    matrix[:, 1] *= -1
    matrix[1, 3] = SIDE - 1
    upside = Image.from_array(array[:, ::-1].copy(), geometry=Geometry(spaced.shape, tuple(map(tuple, matrix))))
    assert deep.refused(there) is None and deep.refused(upside) is None
    assert deep.refused(Image.from_array(array[:, ::-1].copy(), geometry=spaced)) is not None


def test_far_pictures_against_real_chest_x_rays(real_data: Callable[[str], Path]) -> None:
    from isocenter.io import read_image
    from isocenter.layouts import read

    chest = read(real_data("chest-xray-pneumonia"), task="classify")
    train, valid = chest.split("train").subset(range(0, 1000, 4)), chest.split("val").subset(range(0, 200, 2))
    found = enclosed(train, valid)
    others = chest.split("val").subset(range(1, 200, 2))
    assert found is not None
    kept = np.mean([found.refused(e.open().image()) is None for e in others.entries])
    assert kept >= 0.85
    folders = ("breast-us-busi", "blood-cells-bccd", "cardiac-mr-sunnybrook", "retina-chase-db1", "nuclei-dsb2018")
    files = [f for name in folders for f in sorted((real_data(name) / "images").iterdir())[:15]]
    files += [f for kind in ("HeadCT", "Hand", "AbdomenCT", "BreastMRI")
              for f in sorted((real_data("modality-mednist") / "images" / kind).iterdir())[:15]]
    outside = [read_image(f) for f in files]
    outside += [Image.from_array(p()) for p in (pictures.camera, pictures.coins, pictures.brick, pictures.moon)]
    own = [e.open().image() for e in others.entries]
    outside += [Image.from_array(np.rot90(i.channels_first()[0], k).copy()) for i in own[:20] for k in (1, 2)]
    outside += [Image.from_array(255 - i.channels_first()[0]) for i in own[:20]]
    assert np.mean([found.refused(i) is not None for i in outside]) >= 0.95
    near, far = ([found.distance(i.channels_first()) for i in images] for images in (own, outside))
    ranks = np.mean([[a < b for b in far if b is not None] for a in near if a is not None])
    assert ranks >= 0.98


def test_a_limit_of_few_images_where_that_is_asked_for() -> None:
    few, held = cases(12), cases(2, start=1000)
    assert (found := enclosed(few, held)) is not None and found.limit is None
    found = enclosed(few, held, fewest=10)
    assert found is not None and found.limit is not None and found.facts["refused"] == round(1 / 15, 3)
    assert not any(refused(found, body(i)) for i in range(12)) and refused(found, 255 - body(0))


def test_strangeness_is_a_share_of_the_limit(flat: Envelope) -> None:
    for array in (body(0), 255 - body(0)):
        found = flat.strangeness(Image.from_array(array))
        assert found is not None and (found > 1) == refused(flat, array)
    assert flat.strangeness(Image.from_array(np.full((20, 20), 5, np.uint8))) == np.inf
    assert flat.strangeness(Image.from_array(np.full((20, 20), np.nan))) is None
    assert flat.strangeness(Image.from_array(np.stack([body(0)] * 2), axes="tyx")) is None
    modal = replace(flat, modalities=("XR",))
    assert modal.strangeness(Image.from_array(body(0), modality="CT")) == np.inf
    assert replace(flat, limit=None).strangeness(Image.from_array(body(0))) is None
