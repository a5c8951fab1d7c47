"""Objects from a network's maps."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from isocenter.data import Geometry, Image, Instances, NotEvaluated, Plan
from isocenter.errors import BundleError, ResourceError
from isocenter.fit.questions.contours import ap50, depth_and_offsets
from isocenter.infer.contouring import contour, counterstain, decoded, maps_of, needed, widened
from isocenter.ops.stain import DYES

PLAN = Plan(
    "instances", 2, 1, ("background", "round", "long"), patch=(64, 64), divisor=(8, 8), head="contours",
    settings={"outputs": 6, "scale": 5.0},
)  # fmt: skip


def scene(shape: tuple[int, int] = (48, 56)) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, and the class (1 or 2) of each object: two touching squares and a bar."""
    numbers = np.zeros(shape, np.int32)
    numbers[4:14, 4:14], numbers[4:14, 14:24], numbers[30:34, 8:40] = 1, 2, 3
    return numbers, np.array([0, 1, 1, 2])


def maps(numbers: np.ndarray, kinds: np.ndarray, *, sure: float = 4.0) -> np.ndarray:
    """What a perfect network would say."""
    depth, offsets = depth_and_offsets(numbers, 5.0)
    logits = np.stack([np.where(kinds[numbers] == k, sure, -sure) for k in range(3)])
    inner = np.log(np.clip(depth, 0.01, 0.99) / np.clip(1 - depth, 0.01, 0.99))
    return np.concatenate([logits, inner[None], offsets]).astype(np.float32)


def test_a_perfect_network_gives_the_truth() -> None:
    numbers, kinds = scene()
    found, labels, scores = decoded(maps(numbers, kinds), PLAN)
    assert ap50(found, numbers) == 1.0
    assert np.array_equal(found > 0, numbers > 0)
    assert sorted(labels.tolist()) == [0, 0, 1]
    assert (scores > 0.9).all()


def test_limits_of_the_plan() -> None:
    numbers, kinds = scene()
    exact = maps(numbers, kinds, sure=1.0)
    assert decoded(exact, PLAN)[0].max() == 3
    assert decoded(exact, replace(PLAN, smallest=110.0))[0].max() == 1
    assert decoded(exact, replace(PLAN, settings=PLAN.settings | {"score": 0.99}))[0].max() == 0
    assert decoded(exact, replace(PLAN, settings=PLAN.settings | {"probability": 0.95}))[0].max() == 0
    assert decoded(exact, replace(PLAN, settings=PLAN.settings | {"prominence": 1.0}))[0].max() == 2


def test_what_touches_the_rim_leaves_where_the_plan_says_so() -> None:
    numbers, kinds = scene()
    cut = numbers[6:, :]
    whole, labels, _ = decoded(maps(cut, kinds), PLAN)
    assert whole.max() == 3
    inner, fewer, less = decoded(maps(cut, kinds), replace(PLAN, settings=PLAN.settings | {"rim": False}))
    assert inner.max() == len(fewer) == len(less) == 1
    assert np.array_equal(inner > 0, cut == 3) and fewer[0] == labels[whole[cut == 3].max() - 1]


def test_an_image_without_objects_is_answered() -> None:
    empty = np.zeros((48, 56), np.int32)
    found, labels, scores = decoded(maps(empty, np.zeros(1, int)), PLAN)
    assert not found.any() and len(labels) == len(scores) == 0


def test_holes_are_filled_and_strays_belong_to_nobody() -> None:
    numbers, kinds = scene()
    holed = numbers.copy()
    holed[8:10, 8:10] = 0
    holed[40, 50] = 1
    depth, offsets = depth_and_offsets(numbers, 5.0)
    said = maps(holed, kinds)
    said[3], said[4:] = 3.0 * depth, offsets
    said[4:, 40, 50] = (np.array([8.5, 8.5]) - [40, 50]) / 5.0
    found, _, _ = decoded(said, PLAN)
    assert found[8:10, 8:10].all() and found[40, 50] == 0


class Knows:
    """An engine that answers from the first channel: 10 times the object's number."""

    def __init__(self, kinds: np.ndarray) -> None:
        self.kinds = kinds

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        return np.stack([maps(np.rint(b[0] / 10).astype(np.int32), self.kinds) for b in batch])


PLAIN = replace(PLAN, normalisation=replace(PLAN.normalisation, kind="none"))


def test_answers_lie_on_the_images_own_grid() -> None:
    numbers, kinds = scene()
    image = Image.from_array((numbers * 10).astype(np.float32), spacing=(0.5, 0.5))
    found = contour(Knows(kinds), image, PLAIN)
    assert isinstance(found, Instances) and found.geometry.same_grid(image.geometry)
    assert found.classes == ("round", "long") and ap50(found.label_map(), numbers) == 1.0
    blank = contour(Knows(kinds), Image.from_array(np.zeros((7, 9), np.float32)), PLAIN)
    assert isinstance(blank, Instances) and len(blank) == 0


def test_a_smaller_working_grid_is_brought_back() -> None:
    numbers, kinds = scene()
    large = np.kron(numbers, np.ones((2, 2), np.int32))
    image = Image.from_array((large * 10).astype(np.float32))
    found = contour(Knows(kinds), image, replace(PLAIN, size=(48, 56)))
    assert isinstance(found, Instances) and found.label_map().shape == (96, 112)
    assert ap50(found.label_map(), large) == 1.0


def test_pixels_that_are_no_numbers_are_not_evaluated() -> None:
    image = Image.from_array(np.full((16, 16), np.nan, np.float32))
    assert isinstance(contour(Knows(np.zeros(1)), image, PLAIN), NotEvaluated)


def test_a_plan_of_another_kind_is_refused() -> None:
    with pytest.raises(BundleError, match="another kind"):
        contour(Knows(np.zeros(1)), Image.from_array(np.zeros((8, 8))), Plan("segment", 2, 1, ("background", "a")))


def test_objects_on_the_seams_of_windows_are_the_same_as_in_one_piece() -> None:
    numbers, kinds = scene((120, 136))
    exact = maps(numbers, kinds)
    image = Image.from_array(exact, axes="cyx", spacing=(1.0, 1.0))
    plan = replace(PLAIN, channels=6)
    whole = contour(lambda batch: batch, image, replace(plan, patch=(128, 136)))
    windows = contour(lambda batch: batch, image, replace(plan, patch=(24, 32), overlap=0.25))
    assert isinstance(whole, Instances) and isinstance(windows, Instances)
    assert ap50(whole.label_map(), numbers) == 1.0
    assert np.array_equal(whole.label_map(), windows.label_map())
    assert np.array_equal(whole.labels, windows.labels)
    assert windows.scores == pytest.approx(whole.scores, abs=1e-5)


def test_windows_are_few_even_and_fit_the_divisor() -> None:
    assert widened(PLAN, (300, 640)).patch == (304, 640)
    large = widened(PLAN, (2048, 1300))
    assert large.patch == (584, 504)
    assert [round(large.overlap * n) for n in large.patch] == [111, 96]
    said = replace(PLAN, settings=PLAN.settings | {"window": 128, "margin": 32})
    assert widened(said, (200, 90)).patch == (120, 96)
    assert widened(replace(PLAN, patch=(800, 800)), (900, 700)).patch == (504, 704)
    for plan in (replace(PLAN, rank=3, patch=(8, 8, 8), divisor=(1, 1, 1)), replace(PLAN, patch=())):
        assert widened(plan, (900,) * plan.rank) == plan


def test_an_answer_in_windows_covers_the_grid() -> None:
    asked = []

    def engine(batch: np.ndarray) -> np.ndarray:
        asked.append(batch.shape[2:])
        return np.concatenate([batch[:, :1] * k for k in range(6)], 1)

    pixels = np.random.default_rng(0).normal(size=(1, 203, 90)).astype(np.float32)
    plan = replace(PLAN, settings=PLAN.settings | {"window": 128, "margin": 32})
    out = maps_of(engine, pixels, plan)
    assert set(asked) == {(120, 96)} and len(asked) == 2
    assert np.allclose(out, np.concatenate([pixels * k for k in range(6)]), atol=1e-5)


def stained(*dyes: str) -> tuple[np.ndarray, Image]:
    """Ten nuclei of hematoxylin on a bright ground, among spots of the second dye."""
    amounts = np.random.default_rng(0).uniform(0, 0.05, (2, 60, 70))
    for i in range(10):
        amounts[0, 5 + 5 * i : 8 + 5 * i, 10:16] = 0.8
        amounts[1, 5 + 5 * i : 8 + 5 * i, 40:52] = 0.7
    ways = [np.asarray(DYES[d]) / np.linalg.norm(DYES[d]) for d in dyes]
    light = 10 ** -sum(w[:, None, None] * a for w, a in zip(ways, amounts, strict=True))
    colours = np.round(255 * light).astype(np.uint8)
    return colours, Image.from_array(colours, axes="cyx", channels=("red", "green", "blue"), spacing=(0.5, 0.5))


def test_of_hematoxylin_and_dab_the_counterstain_is_seen_bright_on_dark() -> None:
    colours, image = stained("hematoxylin", "dab")
    seen, alone = counterstain(colours, image)
    assert seen.shape == (1, 60, 70) and alone.geometry == image.geometry and alone.channels == ()
    nuclei, brown, ground = seen[0, 5:8, 10:16], seen[0, 5:8, 40:52], seen[0, :, 20:38]
    assert nuclei.min() > 0.7 > 0.15 > max(brown.max(), ground.max())


def test_other_pictures_are_seen_as_they_are() -> None:
    for colours, image in (stained("hematoxylin", "eosin"), (np.zeros((1, 8, 8)), Image.from_array(np.zeros((8, 8))))):
        seen, same = counterstain(colours, image)
        assert seen is colours and same is image


def test_a_volume_is_answered_slice_by_slice() -> None:
    numbers, kinds = scene()
    pixels = np.stack([np.zeros_like(numbers), numbers * 10, np.zeros_like(numbers)]).astype(np.float32)
    found = contour(Knows(kinds), Image.from_array(pixels, spacing=(3.0, 1.0, 1.0)), PLAIN)
    assert isinstance(found, Instances) and found.geometry.spacing == (3.0, 1.0, 1.0)
    assert found.starts[:, 0].tolist() == [1, 1, 1] and sorted(found.labels.tolist()) == [0, 0, 1]
    assert np.array_equal(found.label_map()[1] > 0, numbers > 0)


def test_objects_that_no_pixel_of_the_own_grid_holds_are_dropped() -> None:
    numbers = np.zeros((48, 56), np.int32)
    numbers[4:14, 4:14], numbers[21, 30:40], numbers[30:34, 8:40] = 1, 2, 3
    image = Image.from_array((np.kron(numbers, np.ones((2, 2), np.int32)) * 10).astype(np.float32)[::8, ::8])

    class Told(Knows):
        def __call__(self, batch: np.ndarray) -> np.ndarray:
            return maps(numbers, self.kinds)[None]

    found = contour(Told(np.array([0, 1, 1, 2])), image, replace(PLAIN, size=(48, 56)))
    assert isinstance(found, Instances) and len(found) == 2 and found.labels.tolist() == [0, 1]
    assert found.label_map().shape == (12, 14)


def test_an_image_that_memory_cannot_hold_is_refused_unread() -> None:
    def read() -> np.ndarray:
        raise AssertionError("pixels were read")

    geometry = Geometry((10**7, 10**7))
    image = Image(read, geometry.shape, "yx", "uint8", geometry)
    with pytest.raises(ResourceError, match=r"memory does not suffice for an image of .*a part of the image"):
        contour(SimpleNamespace(), image, PLAN)  # type: ignore[arg-type]


def test_what_it_takes_grows_with_image_answer_and_windows() -> None:
    def image(side: int) -> Image:
        geometry = Geometry((side, side))
        return Image(lambda: np.zeros((side, side), np.uint8), geometry.shape, "yx", "uint8", geometry)

    free, four = SimpleNamespace(pixel_bytes=0), SimpleNamespace(parallel=4, pixel_bytes=100)
    small, large = (needed(free, image(n), PLAN) for n in (512, 1024))  # type: ignore[arg-type]
    assert large == pytest.approx(4 * small, rel=0.1)
    stained = replace(PLAN, settings=PLAN.settings | {"counterstain": True})
    assert needed(free, image(512), stained) == small, "less than dividing takes"  # type: ignore[arg-type]
    busy = [needed(four, image(512), PLAN, flight=n) for n in (None, 4, 1)]  # type: ignore[arg-type]
    assert busy[0] == busy[1] > busy[2] > small


# The child measures itself: what the kernel tells of a child's peak begins with that of the parent.
PEAK = """
import json
from pathlib import Path
import numpy as np
from isocenter.data import Geometry, Image, Normalisation, Plan
from isocenter.infer.contouring import contour, needed

class Engine:
    parallel, pixel_bytes = 1, 20

    def __call__(self, x):
        return np.concatenate([-x[:, :1], x[:, :1], x[:, :1], x[:, 1:]], 1)

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")][0]

def image(side):
    def read():
        # Discs of radius 8 every 24 pixels, and how far their centres lie.
        y, x = np.broadcast_arrays(*np.ix_(*[((np.arange(side) % 24) - 12).astype(np.int8)] * 2))
        disc = np.square(y, dtype=np.int16) + np.square(x, dtype=np.int16) < 64
        return np.stack([np.where(disc, 6, -6).astype(np.int8), -y, -x])
    return Image(read, (3, side, side), "cyx", "int8", Geometry((side, side)))

plan = Plan("instances", 2, 3, ("background", "a"), overlap=0.0, head="contours", normalisation=Normalisation("none"),
            patch=(128, 128), divisor=(8, 8), settings={"outputs": 5, "scale": 1.0})
contour(Engine(), image(48), plan)
before, large = peak(), image(1440)
said = needed(Engine(), large, plan)
found = contour(Engine(), large, plan)
print(json.dumps([said + before, peak(), len(found)]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak is read from /proc")
def test_the_peak_of_an_answer_is_right_within_30_percent() -> None:
    run = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    said, peak, count = json.loads(run.stdout)
    assert count == 60**2 and said == pytest.approx(peak, rel=0.3)
